"""Whether a map of pixels tells the truth: take the pixels away in its order, or put them in."""

import itertools
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from core.arrays import SIDE, FloatArray, IntArray, check_classes, check_images
from core.checks import check_seed, check_whole
from core.keyed_noise import DoubleArray, of_images
from core.network.classifier import Classifier
from core.statistics.paired import LEVEL, holm

PIXELS = SIDE * SIDE
STEPS = 28
IMAGE_ITSELF, RANDOM_MAP = "The image itself", "A random map"
CONTROLS = (IMAGE_ITSELF, RANDOM_MAP)
_CHUNK = 10  # images between two reports of a study
_Z = 1.959963984540054  # two-sided 95 % of the normal distribution

MapOf = Callable[[Classifier, FloatArray, IntArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Fidelity:
    """The probability of the class while the pixels change, float32 [n, steps + 1].

    Deletion sets pixels to 0, the one that the map puts highest first; insertion begins at an
    image of zeros and puts them back in the same order. `shares` float32 [steps + 1]: how many of
    the 784 pixels have changed, from 0 to 1.
    """

    shares: FloatArray
    deletion: FloatArray
    insertion: FloatArray

    @property
    def deletion_area(self) -> FloatArray:
        """Area under the curve, float32 [n] in [0, 1]: low where the map finds what matters."""
        return _area(self.deletion, self.shares)

    @property
    def insertion_area(self) -> FloatArray:
        """Area under the curve, float32 [n] in [0, 1]: high where the map finds what suffices."""
        return _area(self.insertion, self.shares)

    @property
    def score(self) -> FloatArray:
        """Insertion area minus deletion area, float32 [n] in [−1, 1]; higher is better."""
        return self.insertion_area - self.deletion_area


def fidelity(
    classifier: Classifier,
    images: FloatArray,
    classes: IntArray,
    maps: FloatArray,
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> Fidelity:
    """Deletion and insertion curves of maps [n, 28, 28] for images [n, 28, 28, 1], classes [n].

    Pixels go from the highest value to the lowest with its sign, in `steps` (1 to 784) equal
    parts; equal values are ordered at random by `seed` and the image. Raises ValueError on other
    maps. Petsiuk et al. (2018), arXiv:1806.07421, with 0 where they blur.
    """
    seed = check_seed(seed)
    check_images(images)
    classes = check_classes(classes, len(images))
    steps = check_whole("The number of steps", steps, 1, PIXELS)
    if maps.shape != images.shape[:3] or not np.isfinite(maps).all():
        raise ValueError(
            f"Maps are {list(maps.shape)} for images {list(images.shape)}: give a finite value "
            "for each pixel."
        )
    counts = np.rint(np.linspace(0, PIXELS, steps + 1)).astype(np.int64)
    ties = of_images(images, seed, "ties").uniform(PIXELS)
    place = _places(maps.reshape(-1, PIXELS), ties)
    changed = place[:, None, :] < counts[:, None]  # [n, steps + 1, 784]
    pixels = images.reshape(-1, 1, PIXELS)
    each = np.arange(len(images))[:, None]

    def probability(copies: FloatArray) -> FloatArray:
        answers = classifier.probabilities(copies.reshape(-1, SIDE, SIDE, 1))
        of_class: FloatArray = answers.reshape(len(images), steps + 1, answers.shape[1])[
            each, np.arange(steps + 1), classes[:, None]
        ]
        return of_class

    return Fidelity(
        shares=(counts / PIXELS).astype(np.float32),
        deletion=probability(np.where(changed, np.float32(0), pixels)),
        insertion=probability(np.where(changed, pixels, np.float32(0))),
    )


def random_map(images: FloatArray, *, seed: int = 0, draws: int = 1) -> FloatArray:
    """Uniform values for images [n, 28, 28, 1]: float32 [n, 28, 28], the map that knows nothing.

    They follow from `seed` and the image; `draws` rows in a row that hold the same image differ.
    """
    drawn = of_images(images, check_seed(seed), "random map", draws).uniform(SIDE, SIDE)
    return drawn.astype(np.float32)


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Spearman's correlation of two maps' pixels in [−1, 1], ties at their mean rank.

    NaN if either map has one value only. Spearman (1904), doi:10.2307/1412159.
    """
    a, b = _ranks(first.ravel()), _ranks(second.ravel())
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


@dataclass(frozen=True)
class Mean:
    """A mean over `count` images with its 95 % interval, normal approximation."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: FloatArray) -> "Mean":
        """The mean of values [n]; with fewer than two the interval is infinite."""
        mean = float(values.mean()) if len(values) else float("nan")
        if len(values) < 2:
            return cls(mean, -np.inf, np.inf, len(values))
        half = _Z * float(values.std(ddof=1)) / len(values) ** 0.5
        return cls(mean, mean - half, mean + half, len(values))

    @property
    def p_value(self) -> float:
        """Two-sided, of a mean of 0, by Student's t; 1 with fewer than two values."""
        error = (self.high - self.low) / (2 * _Z)
        if not self.value or not math.isfinite(error):
            return 1.0
        return float(2 * stdtr(self.count - 1, -abs(self.value) / error)) if error else 0.0


@dataclass(frozen=True, eq=False)
class MapScore:
    """What a study says of one map or control: areas float32 [n], one for each of the images."""

    name: str
    deletion_areas: FloatArray
    insertion_areas: FloatArray

    @property
    def deletion(self) -> Mean:
        """The mean area of deletion."""
        return Mean.of(self.deletion_areas)

    @property
    def insertion(self) -> Mean:
        """The mean area of insertion."""
        return Mean.of(self.insertion_areas)

    @property
    def score(self) -> Mean:
        """The mean of insertion minus deletion."""
        return Mean.of(self.scores)

    @property
    def scores(self) -> FloatArray:
        """Insertion minus deletion, float32 [n]."""
        return self.insertion_areas - self.deletion_areas

    @property
    def is_control(self) -> bool:
        """Whether it explains nothing, and is there to be beaten."""
        return self.name in CONTROLS


@dataclass(frozen=True)
class Ranking:
    """Who scores above whom, of maps measured on the same images: pairs (above, below) of names.

    A pair is shown by its mean difference, image by image, in a t-test at p < 0.05; all pairs are
    one family, corrected by Holm. family: how many they are.
    """

    above: frozenset[tuple[str, str]]
    family: int

    @classmethod
    def of(cls, scores: Sequence[MapScore]) -> "Ranking":
        """Of maps with the same images in the same order."""
        pairs = {
            (first.name, second.name): Mean.of(first.scores - second.scores)
            for first, second in itertools.combinations(scores, 2)
        }
        corrected = holm([mean.p_value for mean in pairs.values()])
        shown = [
            (first, second) if mean.value > 0 else (second, first)
            for ((first, second), mean), p_value in zip(pairs.items(), corrected, strict=True)
            if p_value < LEVEL
        ]
        return cls(frozenset(shown), len(pairs))

    def beats(self, first: str, second: str) -> bool:
        """Whether the first is shown to score above the second."""
        return (first, second) in self.above

    def rank(self, name: str) -> int:
        """1 + how many are shown to score above: those that no pair tells apart may tie."""
        return 1 + sum(below == name for _, below in self.above)


@dataclass(eq=False)
class FidelityStudy:
    """Areas of every map and of both controls over many images; grows while `work` goes on.

    areas: by name, float32 [2, count] of deletion and insertion, replaced as a whole.
    """

    total: int
    areas: Mapping[str, FloatArray] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many images every map has been measured on."""
        return max((each.shape[1] for each in self.areas.values()), default=0)

    def scores(self) -> list[MapScore]:
        """Over the images measured so far, the best first; none before the first."""
        scores = [
            MapScore(name, deletion, insertion)
            for name, (deletion, insertion) in self.areas.items()
        ]
        return sorted(scores, key=lambda each: -each.score.value)

    def work(
        self, classifier: Classifier, images: FloatArray, maps: Mapping[str, MapOf]
    ) -> Generator[float]:
        """Measure images [total, 28, 28, 1], each for its predicted class; yields the share done.

        For core.jobs: each step is ten images and one map.
        """
        starts = range(0, len(images), _CHUNK)
        for done, start in enumerate(starts):
            part = images[start : start + _CHUNK]
            classes = classifier.predict(part)
            measured = _with_controls(maps)
            areas = {}
            for number, (name, map_of) in enumerate(measured.items()):
                values = map_of(classifier, part, classes)
                curves = fidelity(classifier, part, classes, values)
                both = np.stack([curves.deletion_area, curves.insertion_area])
                areas[name] = np.concatenate([*self._so_far(name), both], axis=1)
                if number + 1 == len(measured):
                    self.areas = areas
                yield (done + (number + 1) / len(measured)) / len(starts)

    def _so_far(self, name: str) -> list[FloatArray]:
        return [self.areas[name]] if name in self.areas else []


def _with_controls(maps: Mapping[str, MapOf]) -> dict[str, MapOf]:
    return {
        **maps,
        IMAGE_ITSELF: lambda _, images, __: images[..., 0],
        RANDOM_MAP: lambda _, images, __: random_map(images),
    }


def _places(values: FloatArray, ties: DoubleArray) -> IntArray:
    """The place of each value in descending order along the last axis, equal ones by `ties`."""
    places: IntArray = np.argsort(np.lexsort((ties, -values), axis=-1), axis=-1)
    return places


def _ranks(values: FloatArray) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return middle


def _area(curves: FloatArray, shares: FloatArray) -> FloatArray:
    return np.asarray(np.trapezoid(curves, shares, axis=1), np.float32)
