"""How well a score tells two samples apart: the ROC curve, and the area below with its interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray
from core.statistics.rate import Z

_HALVINGS = 50

DoubleArray = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """The area under a ROC curve and its 95 % interval; NaN, 0 and 1 without two samples."""

    value: float
    low: float
    high: float


def roc(negatives: FloatArray, positives: FloatArray) -> tuple[DoubleArray, DoubleArray]:
    """False-positive and detection rate at every threshold, from (0, 0) to (1, 1).

    What scores above the threshold is called positive. negatives, positives: scores [m] and [n],
    at least one of each. Raises ValueError if one is no number.
    """
    _check(negatives, positives)
    levels = np.unique(np.concatenate([negatives, positives]))[::-1]
    return tuple(  # type: ignore[return-value]
        np.append((np.sort(some).size - np.searchsorted(np.sort(some), levels, "right")), len(some))
        / len(some)
        for some in (negatives, positives)
    )


def area(negatives: FloatArray, positives: FloatArray) -> Area:
    """The share of pairs in which the positive scores higher, ties counted half.

    The interval inverts the score test with the variance of Hanley and McNeil (1982),
    doi:10.1148/radiology.143.1.7063747, and has a width even where all pairs are in order:
    Newcombe (2006), doi:10.1002/sim.2324. It takes the two samples for independent.
    Raises ValueError if a score is no number.
    """
    _check(negatives, positives)
    m, n = len(negatives), len(positives)
    if not m or not n:
        return Area(math.nan, 0.0, 1.0)
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left").sum()
    ties = np.searchsorted(ordered, positives, "right").sum() - below
    value = float((below + ties / 2) / (m * n))
    return Area(value, *(_end(value, m, n, side) for side in (0.0, 1.0)))


def _check(*samples: FloatArray) -> None:
    """An order of scores has no place for NaN."""
    if missing := sum(int(np.isnan(each).sum()) for each in samples):
        raise ValueError(f"{missing:,} scores are no number: leave these images out.")


def _end(value: float, m: int, n: int, side: float) -> float:
    """Of the areas between `value` and `side`, the farthest that the test does not reject."""
    near, far = value, side
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        if abs(value - middle) <= Z * math.sqrt(_variance(middle, m, n)):
            near = middle
        else:
            far = middle
    return near


def _variance(true: float, m: int, n: int) -> float:
    """Of an estimated area, where both scores have exponential distributions."""
    rest = true * (1 - true)
    of_positives = (n - 1) * rest * (1 - true) / (2 - true)
    of_negatives = (m - 1) * rest * true / (1 + true)
    return (rest + of_positives + of_negatives) / (m * n)
