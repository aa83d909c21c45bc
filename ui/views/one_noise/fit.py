"""The noise of the page One noise, many images: what it is fitted to, and what it does."""

import itertools
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.generated import additive_noise
from core.attacks.goals import Targeted
from core.attacks.noise_control import noise_of_norm
from core.attacks.universal_noise import Carried, added, carry, shuffled
from core.data.spec import MNIST, DatasetSpec
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory
from core.report.settings import E9, E9_SOURCE_CLASS
from core.statistics.rate import Rate
from ui import text
from ui.controls.whole_set import Whole, in_parts
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

SAME_CLASS, ALL_CLASSES = "Its class", "All classes"
POOL_START = 5_000
MAX_PLAYED = 6
NOISE, GAUSSIAN, SHUFFLED = "The noise", "Gaussian noise of equal L2", "The noise, shuffled"
_ALL = (NOISE, GAUSSIAN, SHUFFLED)
CURVE_SCALES = tuple(float(scale) for scale in np.linspace(0, 4, 9))
_FEW = 500


@dataclass(frozen=True)
class FitSettings:
    """How a noise is fitted: to which images, toward which class, by which steps."""

    images: tuple[ChosenImage, ...]
    target: int
    learning_rate: float = float(E9.settings["learning_rate"])
    iterations: int = int(E9.settings["iterations"])
    objective: str = str(E9.settings["objective"])

    @property
    def work(self) -> int:
        """Images × iterations."""
        return len(self.images) * self.iterations

    @property
    def words(self) -> str:
        """Objective and steps, for captions."""
        rate = text.learning_rate(self.learning_rate)
        return f"{self.objective}, Adam {rate}, {self.iterations:,} iterations"

    @property
    def spec(self) -> DatasetSpec:
        """What the images are of."""
        return self.images[0].spec

    @property
    def target_name(self) -> str:
        """The name of the class that all shall be read as."""
        return self.spec.classes[self.target]

    @property
    def numbers(self) -> list[int]:
        """Those of the images that are test images."""
        return [image.number for image in self.images if image.number is not None]


@dataclass(frozen=True, eq=False)
class Fit:
    """A noise float32 [1, …], how the first six images changed, and who is at the goal."""

    noise: FloatArray
    trajectory: Trajectory
    reached: Rate


def pool_start(spec: DatasetSpec) -> int:
    """Images beside the chosen one come from here on; scored are those before."""
    return min(POOL_START, spec.test_images // 2)


def few(spec: DatasetSpec) -> int:
    """How many images are behind each point of a curve and each cell of the matrix."""
    return min(_FEW, pool_start(spec))


def report_settings() -> dict[int, FitSettings]:
    """E9's noises by target: for the first test image of a 0."""
    zero = int(np.flatnonzero(compute.test_labels(MNIST) == E9_SOURCE_CLASS)[0])
    return {target: FitSettings((ChosenImage(zero),), target) for target in E9.classes}


def images_to_fit(
    chosen: Sequence[ChosenImage], own_class: int, count: int, source: str, target: int
) -> tuple[ChosenImage, ...]:
    """The chosen images first, then test images from the pool, `count` in all as far as they go.

    source: `SAME_CLASS`, or `ALL_CLASSES` but the target, which take turns.
    """
    spec = chosen[0].spec
    start, many = pool_start(spec), len(spec.classes)
    labels = compute.test_labels(spec)[start:]
    classes = [own_class]
    if source == ALL_CLASSES:
        classes = [(own_class + step) % many for step in range(1, many + 1)]
        classes = [label for label in classes if label != target]
    rows = -(-count // len(classes))
    of_class = [start + np.flatnonzero(labels == label)[:rows] for label in classes]
    turns = itertools.zip_longest(*of_class)  # classes may have fewer images than are asked for
    numbers = [int(number) for turn in turns for number in turn if number is not None]
    images = [*chosen, *(ChosenImage(number, spec=spec) for number in numbers)]
    return tuple(dict.fromkeys(images))[:count]


@cached
def fit(classifier: Classifier, settings: FitSettings) -> Fit:
    """The noise, computed once. Raises ValueError if it takes more than a visitor may ask for."""
    sources = np.concatenate([image.floats for image in settings.images])
    frames = 100 if len(sources) <= MAX_PLAYED else 40
    with compute.inline("The noise", settings.work, classifier):
        found = additive_noise(
            classifier,
            sources,
            Targeted(np.full(len(sources), settings.target)),
            learning_rate=settings.learning_rate,
            iterations=settings.iterations,
            objective=settings.objective,
            keep_every=-(-settings.iterations // frames),
        )
    assert found.noise is not None
    at_goal = Rate.of(found.predicted[-1] == settings.target)
    return Fit(found.noise[-1], _first(found, MAX_PLAYED), at_goal)


def _first(found: Trajectory, count: int) -> Trajectory:
    """The trajectory of the first images alone."""
    return replace(
        found,
        images=found.images[:, :count].copy(),
        logits=found.logits[:, :count],
        terms={name: values[:, :count] for name, values in found.terms.items()},
    )


def scored_images(settings: FitSettings, count: int) -> IntArray:
    """The first `count` test images without those that the noise was fitted to: their numbers."""
    return np.setdiff1d(np.arange(min(count, settings.spec.test_images)), settings.numbers)


def scores(
    classifier: Classifier,
    fitted_on: Classifier,
    settings: FitSettings,
    scale: float,
    count: int,
    names: tuple[str, ...] = _ALL,
) -> dict[str, Carried]:
    """The noise fitted on one network, and its controls, scored on a network; computed once.

    Raises ValueError if that is more than a visitor may wait for.
    """
    compute.check_inline("Scoring the noise", count * (1 + len(names)), classifier)
    return _scores(classifier, fitted_on, settings, scale, count, names)


def whole_scores(
    classifier: Classifier, settings: FitSettings, scales: tuple[float, ...], count: int
) -> Whole[list[dict[str, Carried]]]:
    """The same for each scale, on the network it was fitted on; a job where that costs much."""
    passes = len(scored_images(settings, count)) * (1 + len(scales) * len(_ALL))
    return Whole(
        "The answers to images with the noise",
        ("noise", classifier.version, settings, scales, count),
        classifier,
        passes,
        now=lambda: [scores(classifier, classifier, settings, each, count) for each in scales],
        work=lambda: _scored_in_parts(
            classifier, settings, scales, count, fit(classifier, settings).noise
        ),
    )


def _scored_in_parts(
    classifier: Classifier,
    settings: FitSettings,
    scales: tuple[float, ...],
    count: int,
    noise: FloatArray,
) -> Generator[float, None, list[dict[str, Carried]]]:
    images, labels = _scored(settings, count)
    noises = [_noises(noise, images, each, _ALL) for each in scales]
    sums = [added(images, *each) for at_scale in noises for each in at_scale.values()]

    def answers(part: slice) -> IntArray:
        return np.stack([classifier.predict(each[part]) for each in (images, *sums)])

    before, *after = yield from in_parts(len(images), answers, lambda parts: np.hstack(parts))
    answered = iter(after)
    return [
        {
            name: carry(
                classifier, each, images, labels, target=settings.target, scale=scale,
                known=(before, next(answered)),
            )
            for name, (each, scale) in at_scale.items()
        }
        for at_scale in noises
    ]  # fmt: skip


def _scored(settings: FitSettings, count: int) -> tuple[FloatArray, IntArray]:
    test, rows = compute.test_split(settings.spec), scored_images(settings, count)
    return to_float(test.images[rows]), test.labels[rows].astype(np.int64)


def _noises(
    noise: FloatArray, images: FloatArray, scale: float, names: tuple[str, ...]
) -> dict[str, tuple[FloatArray, float]]:
    """The noise and its controls by name, each with its scale."""
    found = {NOISE: (noise, scale)}
    if GAUSSIAN in names:
        change = added(images, noise, scale) - images
        length = np.sqrt((change**2).sum(axis=(1, 2, 3)))
        found[GAUSSIAN] = noise_of_norm(images, length) - images, 1.0
    if SHUFFLED in names:
        found[SHUFFLED] = shuffled(noise, images), scale
    return found


@cached
def _scores(
    classifier: Classifier,
    fitted_on: Classifier,
    settings: FitSettings,
    scale: float,
    count: int,
    names: tuple[str, ...],
) -> dict[str, Carried]:
    images, labels = _scored(settings, count)
    before = _answers(classifier, count)[scored_images(settings, count)]
    # With every control only its own network is asked: nobody needs those megabytes again.
    noises_of = _noises_of if names == _ALL else _noises_kept
    noises = noises_of(fitted_on, settings, scale, count, names)
    return {
        name: carry(
            classifier, each, images, labels, target=settings.target, scale=scale, known=(before,)
        )
        for name, (each, scale) in noises.items()
    }


def _noises_of(
    fitted_on: Classifier, settings: FitSettings, scale: float, count: int, names: tuple[str, ...]
) -> dict[str, tuple[FloatArray, float]]:
    """What is added to the images scored: the same for every network that is asked."""
    images, _ = _scored(settings, count)
    return _noises(fit(fitted_on, settings).noise, images, scale, names)


_noises_kept = cached(_noises_of)


@cached
def _answers(classifier: Classifier, count: int) -> IntArray:
    return classifier.predict(to_float(compute.test_split(classifier.spec).images[:count]))
