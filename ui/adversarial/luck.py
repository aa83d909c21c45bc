"""A card that repeats an attack as a background job: the button, the progress, what came out."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import streamlit as st

from core.classifier import Classifier
from core.jobs import FAILED, QUEUED, STOPPED, Job, QueueFull
from ui import session
from ui.header import Choice, short_titles

TOTAL = 200


class Study(Protocol):
    """Something that grows while a job works on it."""

    total: int

    @property
    def count(self) -> int:
        """How much of `total` is done."""
        ...


S = TypeVar("S", bound=Study)


@dataclass(frozen=True, eq=False)
class Record(Generic[S]):
    """A study that this visitor has started, and what it is of."""

    study: S
    job: Job
    model: str
    version: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Luck(Generic[S]):
    """One such card.

    name: of its keys. title: of the job. what: is counted. question: shown before the first run.
    begin: the study and its work for a classifier and settings. show: draws what came out.
    """

    name: str
    title: str
    what: str
    question: str
    begin: Callable[[Classifier, Mapping[str, Any]], tuple[S, Generator[float]]]
    show: Callable[[Record[S]], None]

    def card(
        self, classifier: Classifier, choice: Choice, settings: Mapping[str, Any], seconds: str
    ) -> None:
        """Draw it; a fragment, which is alive while the job is. `seconds`: how long it takes."""
        live = self._is_live()
        st.fragment(self._draw, run_every=1.0 if live else None)(
            classifier, choice, settings, seconds, live
        )

    def record(self) -> Record[S] | None:
        """What was started last, ended or not."""
        return st.session_state.get(f"_{self.name}")

    def _is_live(self) -> bool:
        record = self.record()
        return record is not None and not record.job.ended

    def _draw(
        self,
        classifier: Classifier,
        choice: Choice,
        settings: Mapping[str, Any],
        seconds: str,
        drawn_live: bool,
    ) -> None:
        if drawn_live != self._is_live():
            st.rerun()  # the card begins or ceases to look after the job
        record = self.record()
        if error := st.session_state.get(f"_{self.name}_error"):
            st.error(error, icon=":material/error:")
        if record is None or not record.study.count:
            st.markdown(self.question)
        else:
            self.show(record)
        if record is not None and not record.job.ended:
            self._progress(record)
        else:
            self._offer(record, classifier, choice, settings, seconds)

    def _progress(self, record: Record[S]) -> None:
        job, study = record.job, record.study
        if job.state == QUEUED:
            where = f"waiting, number {session.manager().position(job)} in the queue"
        else:
            where = f"{study.count} of {study.total} {self.what}"
        st.progress(min(1.0, job.fraction), text=where)
        st.button(
            "Stop",
            key=f"{self.name}-stop",
            icon=":material/stop:",
            on_click=session.manager().stop,
            args=[job],
        )

    def _offer(
        self,
        record: Record[S] | None,
        classifier: Classifier,
        choice: Choice,
        settings: Mapping[str, Any],
        seconds: str,
    ) -> None:
        if record is not None:
            if record.job.state == FAILED:
                st.error(record.job.error, icon=":material/error:")
            elif record.job.state == STOPPED:
                st.caption(f"Stopped after {record.study.count} of {record.study.total}.")
            elif (record.version, record.settings) == (classifier.version, settings):
                return
            if (record.version, record.settings) != (classifier.version, settings):
                st.caption("The model or the settings above have changed since.")
        busy = session.current_job()
        st.button(
            f"Measure over {settings.get('images', TOTAL)} {self.what}",
            key=f"{self.name}-measure",
            type="primary",
            icon=":material/play_arrow:",
            on_click=self._start,
            args=[classifier, choice, settings],
            help=f"With the settings above; {seconds}."
            + (" Your other job has to end first." if busy and not busy.ended else ""),
        )

    def _start(self, classifier: Classifier, choice: Choice, settings: Mapping[str, Any]) -> None:
        st.session_state.pop(f"_{self.name}_error", None)
        study, work = self.begin(classifier, settings)
        job = Job(session.owner(), self.title, lambda: work, explained=(ValueError,))
        try:
            session.manager().submit(job)
        except QueueFull as error:
            st.session_state[f"_{self.name}_error"] = str(error)
            return
        title = short_titles()[choice.model]
        st.session_state[f"_{self.name}"] = Record(
            study, job, title, classifier.version, dict(settings)
        )
