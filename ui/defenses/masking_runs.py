"""The masking checks that a visitor has started."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.classifier import Classifier
from core.data import to_float
from core.defenses.defended import DefendedClassifier
from core.defenses.filters import Filter
from core.jobs import Job, QueueFull
from core.masking import MaskingStudy
from ui import compute, session, state
from ui.header import Choice, bare_key, short_titles

CHOSEN, PLANTED = "Chosen", "Planted"
_RUN, _ERROR, _STARTED = "_mask_run", "_mask_error", "_mask_started"


@dataclass(frozen=True)
class Asked:
    """What is to be checked. subject: CHOSEN or PLANTED; source: the key of a network."""

    subject: str
    source: str
    images: int
    epsilon: float
    queries: int


@dataclass(frozen=True, eq=False)
class MaskRun:
    """A study and its job. name: of what is checked; version: of the classifier."""

    asked: Asked
    study: MaskingStudy
    job: Job
    name: str
    checks: int

    @property
    def live(self) -> bool:
        """Whether checks are still to come; a stopped job finishes the one in hand."""
        return not self.job.ended or self.job.on_thread


def kept() -> MaskRun | None:
    """This visitor's checks, in work or ended."""
    return st.session_state.get(_RUN)


def live() -> bool:
    """Whether they are still at work."""
    run = kept()
    return run is not None and run.live


def problem() -> str:
    """Why the last checks did not start, in a sentence; "" if they did."""
    return str(st.session_state.get(_ERROR, ""))


def has_started() -> bool:
    """Whether a start was asked for since this was called last."""
    return bool(st.session_state.pop(_STARTED, False))


def start(asked: Asked, choice: Choice, classifier: Classifier) -> None:
    """Check as this visitor's job, in the place of the checks before."""
    st.session_state.pop(_ERROR, None)
    st.session_state[_STARTED] = True
    try:
        subject = subject_of(asked.subject, choice, classifier)
        study = MaskingStudy(
            subject, asked.images, asked.epsilon, asked.queries, compute.classifier(asked.source)
        )
        test = compute.mnist().test
        images = to_float(test.images[: asked.images])
        labels = test.labels[: asked.images].astype(np.int64)
        title = f"Is {subject.name} masked?"
        job = Job(
            session.owner(), title, lambda: study.work(images, labels), explained=(ValueError,)
        )
        session.manager().submit(job)
    except (QueueFull, ValueError) as error:
        st.session_state[_ERROR] = str(error)
        return
    planted = ", its gradient held back" if asked.subject == PLANTED else ""
    st.session_state[_RUN] = MaskRun(asked, study, job, f"{subject.name}{planted}", study.planned)


def subject_of(subject: str, choice: Choice, classifier: Classifier) -> Classifier:
    """The chosen classifier, or its network behind a step that passes no gradient."""
    if subject == CHOSEN:
        return classifier
    bare = compute.classifier(bare_key(choice.model))
    return DefendedClassifier(bare, [Filter("threshold", 0.5)], stand_in="none")


def sources(choice: Choice, subject: str, classifier: Classifier) -> dict[str, str]:
    """Networks that a transferred attack can be made on: key → name, the most telling first.

    Behind a defense that is the network without it; else the others.
    """
    own = bare_key(choice.model)
    names = {key: title for key, title in short_titles().items() if state.BEHIND not in key}
    if subject == PLANTED or isinstance(classifier, DefendedClassifier):
        return {own: names[own], **names}
    return {key: name for key, name in names.items() if key != own} or {own: names[own]}
