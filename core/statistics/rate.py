"""A proportion with its count and its 95 % interval: no rate is shown without one."""

import math
from dataclasses import dataclass

from core.arrays import BoolArray
from core.checks import check_whole

MAX_COUNT = 10**15  # what the interval can be computed of
Z = 1.959963984540054  # two-sided 95 % of the normal distribution


@dataclass(frozen=True)
class Rate:
    """`successes` of `total`, both counts."""

    successes: int
    total: int

    def __post_init__(self) -> None:
        for name in ("successes", "total"):
            count = check_whole(f"The count of {name}", getattr(self, name), 0, MAX_COUNT)
            object.__setattr__(self, name, count)
        if not 0 <= self.successes <= self.total:
            raise ValueError(f"{self.successes} of {self.total} is not a proportion.")

    @classmethod
    def of(cls, which: BoolArray) -> "Rate":
        """How many of bool [n] are true."""
        return cls(int(which.sum()), len(which))

    @property
    def value(self) -> float:
        """The proportion in [0, 1]; NaN of an empty sample."""
        return self.successes / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval at 95 % (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
        if not self.total:
            return 0.0, 1.0
        n, p = self.total, self.value
        center = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, center - half), min(1.0, center + half)
