"""Whether a map of pixels tells the truth: take the pixels away in its order, or put them in."""

from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray, IntArray, check_classes, check_images
from core.checks import check_seed, check_whole
from core.keyed_noise import DoubleArray, of_images
from core.network.classifier import Classifier

STEPS = 28
IMAGE_ITSELF, RANDOM_MAP = "The image itself", "A random map"
CONTROLS = (IMAGE_ITSELF, RANDOM_MAP)


@dataclass(frozen=True, eq=False)
class Fidelity:
    """The probability of the class while the pixels change, float32 [n, steps + 1].

    Deletion sets pixels to 0, the one that the map puts highest first; insertion begins at an
    image of zeros and puts them back in the same order. `shares` float32 [steps + 1]: which
    share of the pixels has changed, from 0 to 1.
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
    """Deletion and insertion curves of maps [n, side, side] for images and classes [n].

    Pixels go from the highest value to the lowest with its sign, each with all its channels, in
    `steps` (1 to the number of pixels) equal parts; equal values are ordered at random by `seed`
    and the image. Raises ValueError on other maps. Petsiuk et al. (2018), arXiv:1806.07421, with 0
    where they blur.
    """
    seed = check_seed(seed)
    spec = classifier.spec
    check_images(images, spec.shape)
    classes = check_classes(classes, len(images), len(spec.classes))
    count = spec.side**2
    steps = check_whole("The number of steps", steps, 1, count)
    if maps.shape != images.shape[:3] or not np.isfinite(maps).all():
        raise ValueError(
            f"Maps are {list(maps.shape)} for images {list(images.shape)}: give a finite value "
            "for each pixel."
        )
    counts = np.rint(np.linspace(0, count, steps + 1)).astype(np.int64)
    ties = of_images(images, seed, "ties").uniform(count)
    place = _places(maps.reshape(-1, count), ties)
    changed = (place[:, None, :] < counts[:, None])[..., None]  # [n, steps + 1, pixels, 1]
    pixels = images.reshape(-1, 1, count, spec.channels)
    each = np.arange(len(images))[:, None]

    def probability(copies: FloatArray) -> FloatArray:
        answers = classifier.probabilities(copies.reshape(-1, *spec.shape))
        of_class: FloatArray = answers.reshape(len(images), steps + 1, answers.shape[1])[
            each, np.arange(steps + 1), classes[:, None]
        ]
        return of_class

    return Fidelity(
        shares=(counts / count).astype(np.float32),
        deletion=probability(np.where(changed, np.float32(0), pixels)),
        insertion=probability(np.where(changed, pixels, np.float32(0))),
    )


def random_map(images: FloatArray, *, seed: int = 0, draws: int = 1) -> FloatArray:
    """Uniform values for images: float32 [n, side, side], the map that knows nothing.

    They follow from `seed` and the image; `draws` rows in a row that hold the same image differ.
    """
    drawn = of_images(images, check_seed(seed), "random map", draws).uniform(*images.shape[1:3])
    return drawn.astype(np.float32)


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Spearman's correlation of two maps' pixels in [−1, 1], ties at their mean rank.

    NaN if either map has one value only. Spearman (1904), doi:10.2307/1412159.
    """
    from scipy.stats import spearmanr  # here, because loading it takes a second

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first.ravel(), second.ravel()).statistic)


def _places(values: FloatArray, ties: DoubleArray) -> IntArray:
    """The place of each value in descending order along the last axis, equal ones by `ties`."""
    places: IntArray = np.argsort(np.lexsort((ties, -values), axis=-1), axis=-1)
    return places


def _area(curves: FloatArray, shares: FloatArray) -> FloatArray:
    return np.asarray(np.trapezoid(curves, shares, axis=1), np.float32)
