"""A card that measures over many images or starts: the button, the progress, what came out."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import streamlit as st

from core.data.spec import MNIST, DatasetSpec
from core.jobs import FINISHED, Job
from core.network.classifier import Classifier
from ui.show import error_box
from ui.visitor import session
from ui.visitor.choice import Choice, short_titles
from ui.visitor.kept_job import Kept, progress, study_job

TOTAL = 200


class GrowingStudy(Protocol):
    """Something that grows while a job works on it."""

    total: int

    @property
    def count(self) -> int:
        """How much of `total` is done."""
        ...


S = TypeVar("S", bound=GrowingStudy)


@dataclass(frozen=True, eq=False)
class Record(Generic[S]):
    """A study that this visitor has started, and what it is of; spec: the model's data set."""

    study: S
    job: Job
    model: str
    version: str
    settings: Mapping[str, Any]
    spec: DatasetSpec = MNIST


@dataclass(frozen=True)
class MeasurePanel(Generic[S]):
    """One such card.

    name: of its keys. title: of the job. what: is counted. question: shown before the first run.
    begin: the study and its work, which takes `workers`, for a classifier and settings. show:
    draws what came out.
    """

    name: str
    title: str
    what: str
    question: str
    begin: Callable[[Classifier, Mapping[str, Any]], tuple[S, Callable[..., Generator[float]]]]
    show: Callable[[Record[S]], None]

    def draw(
        self, classifier: Classifier, choice: Choice, settings: Mapping[str, Any], seconds: str
    ) -> None:
        """A fragment, which is alive while the job is. seconds: how long it takes."""
        live = self._kept.live()
        st.fragment(self._draw, run_every=1.0 if live else None)(
            classifier, choice, settings, seconds, live
        )

    def record(self) -> Record[S] | None:
        """What was started last, ended or not."""
        return self._kept.latest()

    @property
    def _kept(self) -> Kept[Record[S]]:
        return Kept(f"_{self.name}")

    def _draw(
        self,
        classifier: Classifier,
        choice: Choice,
        settings: Mapping[str, Any],
        seconds: str,
        live: bool,
    ) -> None:
        if live != self._kept.live():
            st.rerun()  # the card begins or ceases to look after the job
        if problem := self._kept.problem():
            error_box(problem)
        record = self.record()
        if record is None or not record.study.count:
            st.markdown(self.question)
        else:
            self.show(record)
        if record is not None:
            study, key = record.study, f"{self.name}-stop"
            progress(record.job, study.count, study.total, self.what, key=key, hand="those in hand")
        if not live:
            self._offer(classifier, choice, settings, seconds)

    def _offer(
        self, classifier: Classifier, choice: Choice, settings: Mapping[str, Any], seconds: str
    ) -> None:
        record = self.record()
        if record is not None:
            same = (record.version, record.settings) == (classifier.version, settings)
            if same and record.job.state == FINISHED:
                return
            if not same:
                st.caption("The model or the settings above have changed since.")
        busy = session.current_job()
        st.button(
            f"Measure over {settings.get('images', TOTAL)} {self.what}",
            key=f"{self.name}-measure",
            type="primary",
            icon=":material/play_arrow:",
            on_click=self._kept.start,
            args=[lambda: self._begin(classifier, choice, settings)],
            help=f"With the settings above; {seconds}{_slower(classifier)}."
            + (" Your other job has to end first." if busy and not busy.ended else ""),
        )

    def _begin(
        self, classifier: Classifier, choice: Choice, settings: Mapping[str, Any]
    ) -> Record[S]:
        study, work = self.begin(classifier, settings)
        job = study_job(self.title, work)
        title = short_titles()[choice.model]
        return Record(study, job, title, classifier.version, dict(settings), classifier.spec)


def _slower(classifier: Classifier) -> str:
    """What a costly classifier adds to a time that was measured on Model 1."""
    if classifier.looks < 2:
        return ""
    return f" with Model 1, and about {classifier.looks:,.0f} times as long with this one"
