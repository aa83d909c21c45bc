"""The masking checks that a visitor has started."""

from dataclasses import dataclass

from core.defenses.defended import DefendedClassifier
from core.defenses.filters import Filter
from core.jobs import Job
from core.network.classifier import Classifier
from core.studies.masking import MaskingStudy
from ui.visitor import compute, state
from ui.visitor.choice import Choice, bare_key, peers
from ui.visitor.kept_job import Kept, is_live, job_on_test_images

CHOSEN, PLANTED = "Chosen", "Planted"


@dataclass(frozen=True)
class MaskingAsked:
    """What is to be checked. subject: CHOSEN or PLANTED; source: the key of a network."""

    subject: str
    source: str
    images: int
    epsilon: float
    queries: int


@dataclass(frozen=True, eq=False)
class MaskRun:
    """A study and its job. name: of what is checked; version: of the classifier."""

    asked: MaskingAsked
    study: MaskingStudy
    job: Job
    name: str
    checks: int

    @property
    def live(self) -> bool:
        """Whether checks are still to come."""
        return is_live(self.job)


KEPT: Kept[MaskRun] = Kept("_mask_run")


def begin(asked: MaskingAsked, choice: Choice, classifier: Classifier) -> MaskRun:
    """The checks that are asked for, and the job that makes them."""
    subject = subject_of(asked.subject, choice, classifier)
    source = compute.classifier(asked.source)
    study = MaskingStudy(subject, asked.images, asked.epsilon, asked.queries, source)
    job = job_on_test_images(
        f"Is {subject.name} masked?", classifier.spec, asked.images, study.work
    )
    planted = ", its gradient held back" if asked.subject == PLANTED else ""
    return MaskRun(asked, study, job, f"{subject.name}{planted}", study.planned)


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
    names = {key: title for key, title in peers(choice.model).items() if state.BEHIND not in key}
    if subject == PLANTED or isinstance(classifier, DefendedClassifier):
        return {own: names[own], **names}
    return {key: name for key, name in names.items() if key != own} or {own: names[own]}
