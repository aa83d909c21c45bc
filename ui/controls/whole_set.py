"""Work over many test images: at once where it is cheap; else a job that says its cost."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import streamlit as st

from core.arrays import FloatArray, to_float
from core.jobs import Job
from core.network.classifier import Classifier
from core.network.evaluation import Evaluation
from ui import text
from ui.show import error_box
from ui.visitor import compute, session
from ui.visitor.kept_job import Kept, progress

PART = 100  # images between two looks at whether a job shall stop
_MAX_KEPT = 48
T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True, eq=False)
class Whole(Generic[T]):
    """Something measured on many test images.

    what: with a capital, for the sentence and the job. key: a word, then all that the outcome
    follows from. images: passes
    of one image through `classifier`. now: the outcome at once, by a cached function of the page;
    work: the same in small steps, as of `in_parts`; called where Streamlit is, it runs elsewhere.
    """

    what: str
    key: tuple[Hashable, ...]
    classifier: Classifier
    images: int
    now: Callable[[], T]
    work: Callable[[], Generator[float, None, T]]

    @property
    def looks(self) -> float:
        """What it costs, in images through Model 1."""
        return self.images * self.classifier.looks

    @property
    def cheap(self) -> bool:
        """Whether a visitor may wait for it."""
        return self.looks <= compute.MAX_INLINE_WORK


def in_parts(
    count: int, measure: Callable[[slice], A], join: Callable[[list[A]], T]
) -> Generator[float, None, T]:
    """`measure` on `PART` of `count` images after the other; yields the share done."""
    parts = []
    for start in range(0, count, PART):
        end = min(start + PART, count)
        parts.append(measure(slice(start, end)))
        yield end / count
    return join(parts)


def known(whole: Whole[T]) -> T | None:
    """The outcome if it is cheap or was measured already; None otherwise. Draws nothing."""
    return whole.now() if whole.cheap else _outcomes().get(whole.key)


def outcome(whole: Whole[T]) -> T | None:
    """The outcome; None while it is offered or in work, which is drawn in its place."""
    found = known(whole)
    if found is None:
        kept: Kept[_Run] = Kept("_whole_set")
        live = kept.live()
        with st.container(border=True):
            st.fragment(_offer, run_every=1.0 if live else None)(whole, kept, live)
    return found


def evaluation(classifier: Classifier) -> Whole[Evaluation]:
    """The answers to all test images."""
    test = compute.test_split(classifier.spec)

    def logits(part: slice) -> FloatArray:
        return classifier.logits(to_float(test.images[part]))

    def joined(parts: list[FloatArray]) -> Evaluation:
        return Evaluation(np.concatenate(parts), test.labels)

    return Whole(
        "The answers to all test images",
        ("evaluation", classifier.version),
        classifier,
        len(test),
        now=lambda: compute.test_evaluation(classifier),
        work=lambda: in_parts(len(test), logits, joined),
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """What this visitor has started."""

    key: tuple[Hashable, ...]
    job: Job


class _Outcomes:
    """What jobs have measured, for all visitors, the latest used last; bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()

    def get(self, key: tuple[Hashable, ...]) -> Any:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def keep(self, key: tuple[Hashable, ...], value: object) -> None:
        with self._lock:
            self._found[key] = value
            while len(self._found) > _MAX_KEPT:
                self._found.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _outcomes() -> _Outcomes:
    return _Outcomes()


def _begin(whole: Whole[Any]) -> _Run:
    outcomes, steps = _outcomes(), whole.work()

    def work() -> Generator[float]:
        if outcomes.get(whole.key) is None:  # another visitor's job may have been before
            outcomes.keep(whole.key, (yield from steps))

    return _Run(whole.key, Job(session.owner(), whole.what, work, explained=(ValueError,)))


def _offer(whole: Whole[Any], kept: Kept[_Run], live: bool) -> None:
    """What it is, what it costs, and the button; its progress while it is in work."""
    if live != kept.live() or known(whole) is not None:
        st.rerun()  # the page has an outcome to show, or begins to look after the job
    st.markdown(
        f"**{whole.what}: about {text.duration(compute.seconds_of(whole.looks))} of work** "
        f":gray[· {whole.images:,} images, each as costly as {whole.classifier.looks:,.0f} through "
        "Model 1. Measured once, as a job that you can stop, and kept for all]"
    )
    if problem := kept.problem():
        error_box(problem)
    run = kept.latest()
    if run is not None and run.key == whole.key:
        done = round(run.job.fraction * whole.images)
        progress(
            run.job,
            done,
            whole.images,
            "images",
            key=f"whole-{whole.key[0]}-stop",
            hand="those in hand",
            left="the next job begins anew",
        )
    if not live:
        st.button(
            "Measure",
            key=f"whole-{whole.key[0]}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=kept.start,
            args=[lambda: _begin(whole)],
        )
