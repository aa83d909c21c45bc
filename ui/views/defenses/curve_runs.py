"""The curves of accuracy against ε that a visitor has measured."""

from dataclasses import dataclass

from core.checks import as_written, check_apart
from core.defenses.defended import DefendedClassifier, title_of
from core.jobs import Job
from core.studies.robustness_curve import CurveStudy
from ui.views.defenses.parts import offered
from ui.visitor import compute, state
from ui.visitor.choice import bare_key, short_titles
from ui.visitor.kept_job import Kept, is_live, job_on_test_images

NORMS = {"linf": "L∞", "l2": "L2"}
LARGEST = {"linf": 0.6, "l2": 12.0}


@dataclass(frozen=True)
class CurveAsked:
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
        return tuple(as_written(step * number) for number in range(self.radii))


@dataclass(frozen=True, eq=False)
class CurveRun:
    """Curves and the job that makes them grow."""

    asked: CurveAsked
    study: CurveStudy
    job: Job

    @property
    def live(self) -> bool:
        """Whether points are still to come."""
        return is_live(self.job)

    @property
    def measured_on(self) -> str:
        """For captions."""
        return (
            f"the first {self.study.count:,} test images, {NORMS[self.asked.norm]}, "
            f"{self.asked.iterations} iterations a run"
        )


KEPT: Kept[CurveRun] = Kept("_curve_run")


def begin(asked: CurveAsked) -> CurveRun:
    """The curves that are asked for, and the job that measures them."""
    names = [name_of(key) for key in asked.keys]
    check_apart(names, "classifiers are called")
    classifiers = dict(zip(names, map(compute.classifier, asked.keys), strict=True))
    study = CurveStudy(classifiers, asked.norm, asked.epsilons, asked.images, asked.iterations)
    title = f"{len(classifiers)} curves over {asked.images:,} images"
    spec = compute.spec(asked.keys[0])
    job = job_on_test_images(title, spec, asked.images, study.work)
    return CurveRun(asked, study, job)


def name_of(key: str) -> str:
    """“Model 1” or “Model 1, Gaussian blur 1”."""
    bare = short_titles().get(bare_key(key), key)
    classifier = compute.classifier(key)
    if isinstance(classifier, DefendedClassifier):
        return f"{bare}, {_chain(key) or title_of(classifier.defense)}"
    return bare


def _chain(key: str) -> str:
    """The title by which the views offer a single part."""
    chain = key.partition(state.BEHIND)[2]
    return next((part.title for part in offered(compute.spec(key)) if part.key == chain), "")
