"""A mean and a median, each with its count and its 95 % interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from core.arrays import FloatArray
from core.statistics.rate import Z


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
        half = Z * float(values.std(ddof=1)) / len(values) ** 0.5
        return cls(mean, mean - half, mean + half, len(values))

    @property
    def p_value(self) -> float:
        """Two-sided, of a mean of 0, by Student's t; 1 with fewer than two values."""
        error = (self.high - self.low) / (2 * Z)
        if not self.value or not math.isfinite(error):
            return 1.0
        return float(2 * stdtr(self.count - 1, -abs(self.value) / error)) if error else 0.0


@dataclass(frozen=True)
class Median:
    """The median of `count` values with its 95 % interval; infinite values are the largest."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Median":
        """Of values [n]; the interval's ends are values themselves, whatever their distribution.

        From the binomial distribution of how many lie below the true median; with fewer than six
        values the interval is everything.
        """
        ordered, n = np.sort(values), len(values)
        if not n:
            return cls(math.nan, -math.inf, math.inf, 0)
        middle = float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2)
        below, rank = 0.0, 0  # of ranks 0 to n, how many are too far out to be the median's
        while (below := below + math.comb(n, rank) / 2**n) <= 0.025:
            rank += 1
        if not rank:
            return cls(middle, -math.inf, math.inf, n)
        return cls(middle, float(ordered[rank - 1]), float(ordered[n - rank]), n)
