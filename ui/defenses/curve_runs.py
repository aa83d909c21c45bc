"""The curves of accuracy against ε that a visitor has measured."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.data import to_float
from core.defenses.defended import DefendedClassifier, title_of
from core.jobs import Job, QueueFull
from core.robustness_curve import CurveStudy
from ui import compute, session, state
from ui.defenses.parts import offered
from ui.header import bare_key, short_titles

NORMS = {"linf": "L∞", "l2": "L2"}
LARGEST = {"linf": 0.6, "l2": 12.0}
_RUN, _ERROR, _STARTED = "_curve_run", "_curve_error", "_curve_started"


@dataclass(frozen=True)
class Asked:
    """What is to be measured: the keys of classifiers, as of `compute.classifier`."""

    keys: tuple[str, ...]
    norm: str
    radii: int
    images: int
    iterations: int

    @property
    def epsilons(self) -> tuple[float, ...]:
        """Evenly from 0."""
        step = LARGEST[self.norm] / (self.radii - 1)
        return tuple(round(step * number, 6) for number in range(self.radii))


@dataclass(frozen=True, eq=False)
class CurveRun:
    """Curves and the job that makes them grow."""

    asked: Asked
    study: CurveStudy
    job: Job

    @property
    def live(self) -> bool:
        """Whether points are still to come; a stopped job finishes the one in hand."""
        return not self.job.ended or self.job.on_thread

    @property
    def measured_on(self) -> str:
        """For captions."""
        return (
            f"the first {self.asked.images:,} test images, {NORMS[self.asked.norm]}, "
            f"{self.asked.iterations} iterations a run"
        )


def kept() -> CurveRun | None:
    """This visitor's curves, in work or ended."""
    return st.session_state.get(_RUN)


def live() -> bool:
    """Whether they still grow."""
    run = kept()
    return run is not None and run.live


def problem() -> str:
    """Why the last measurement did not start, in a sentence; "" if it did."""
    return str(st.session_state.get(_ERROR, ""))


def has_started() -> bool:
    """Whether a start was asked for since this was called last."""
    return bool(st.session_state.pop(_STARTED, False))


def start(asked: Asked) -> None:
    """Measure as this visitor's job, in the place of the curves before."""
    st.session_state.pop(_ERROR, None)
    st.session_state[_STARTED] = True
    try:
        classifiers = {title(key): compute.classifier(key) for key in asked.keys}
        study = CurveStudy(classifiers, asked.norm, asked.epsilons, asked.images, asked.iterations)
        test = compute.mnist().test
        images = to_float(test.images[: asked.images])
        labels = test.labels[: asked.images].astype(np.int64)
        job = Job(
            session.owner(),
            f"{len(classifiers)} curves over {asked.images:,} images",
            lambda: study.work(images, labels),
            explained=(ValueError,),
        )
        session.manager().submit(job)
    except (QueueFull, ValueError) as error:
        st.session_state[_ERROR] = str(error)
        return
    st.session_state[_RUN] = CurveRun(asked, study, job)


def title(key: str) -> str:
    """“Model 1” or “Model 1, Gaussian blur 1”."""
    bare = short_titles().get(bare_key(key), key)
    classifier = compute.classifier(key)
    if isinstance(classifier, DefendedClassifier):
        return f"{bare}, {_chain(key) or title_of(classifier.defense)}"
    return bare


def _chain(key: str) -> str:
    """The title by which the views offer a single part."""
    chain = key.partition(state.BEHIND)[2]
    return next((part.title for part in offered() if part.key == chain), "")
