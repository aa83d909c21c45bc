"""Two things measured on the same images: the images that tell them apart decide between them."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.special import bdtr, bdtrc

from core.arrays import BoolArray
from core.checks import check_range
from core.statistics.rate import Rate

LEVEL = 0.05  # a p-value below shows a difference
_FINE = 2_000  # pairs from which a hundredth of a point is written

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Paired:
    """On how many of the same images both are right, only the first, only the second, neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def total(self) -> int:
        """How many pairs there are."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def apart(self) -> int:
        """The discordant pairs: images that tell the two apart."""
        return self.only_first + self.only_second

    @property
    def first(self) -> Rate:
        """How often the first is right."""
        return Rate(self.both + self.only_first, self.total)

    @property
    def second(self) -> Rate:
        """How often the second is right."""
        return Rate(self.both + self.only_second, self.total)

    @property
    def difference(self) -> float:
        """The first proportion minus the second, in [−1, 1]; NaN without pairs."""
        return self.first.value - self.second.value

    @property
    def p_value(self) -> float:
        """McNemar's exact test, two-sided: 1 where no image tells the two apart.

        McNemar (1947), doi:10.1007/BF02295996.
        """
        return binomial_test(Rate(min(self.only_first, self.only_second), self.apart), 0.5)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the difference, at 95 %; (−1, 1) without pairs.

        Newcombe (1998), Stat. Med. 17:2635, method 10: the Wilson intervals of the two proportions,
        squared and added, less what their correlation takes away.
        """
        if not self.total:
            return -1.0, 1.0
        first, second, phi = self.first, self.second, self._correlation
        (low_1, high_1), (low_2, high_2) = first.interval, second.interval
        below = _joined(first.value - low_1, high_2 - second.value, phi)
        above = _joined(high_1 - first.value, second.value - low_2, phi)
        return self.difference - below, self.difference + above

    @property
    def _correlation(self) -> float:
        """Newcombe's φ: corrected for continuity where it is positive, 0 where it is undefined."""
        scale = math.sqrt(
            math.prod(r.successes * (r.total - r.successes) for r in (self.first, self.second))
        )
        if not scale:
            return 0.0
        excess = self.both * self.neither - self.only_first * self.only_second
        return (max(excess - self.total / 2, 0.0) if excess > 0 else excess) / scale


def paired(first_right: BoolArray, second_right: BoolArray) -> Paired:
    """The pairs of what is right: bool [n] each, of the same n images in the same order.

    Raises ValueError on anything else.
    """
    first, second = np.asarray(first_right), np.asarray(second_right)
    if first.dtype != bool or second.dtype != bool or first.shape != second.shape or first.ndim > 1:
        raise ValueError(
            f"Pairs are of the same images: {first.dtype} {list(first.shape)} and {second.dtype} "
            f"{list(second.shape)} are not two bool [n]."
        )
    counts = (first & second, first & ~second, ~first & second, ~first & ~second)
    return Paired(*(int(each.sum()) for each in counts))


@dataclass(frozen=True)
class Verdict:
    """A pair and the p-value that decides on it, as one of `family` comparisons."""

    pair: Paired
    p_value: float
    family: int = 1

    @property
    def shown(self) -> bool:
        """Whether a difference is shown at the level of 5 %."""
        return self.p_value < LEVEL

    @property
    def winner(self) -> int:
        """1 if the first is shown to be ahead, −1 if the second is, 0 if no difference is shown."""
        if not self.shown:
            return 0
        return 1 if self.pair.only_first > self.pair.only_second else -1

    @property
    def turned(self) -> "Verdict":
        """The same seen from the second."""
        pair = self.pair
        around = Paired(pair.both, pair.only_second, pair.only_first, pair.neither)
        return Verdict(around, self.p_value, self.family)

    def words(self, better: str = "better") -> str:
        """What is to be said of the first behind “is”: on how many images, p, and the verdict.

        “better on 57 of the 109 images that tell them apart, p = 0.70: no difference shown”.
        """
        pair = self.pair
        if not pair.apart:
            return "the same on every image, p = 1: no difference shown"
        images = "images that tell" if pair.apart > 1 else "image that tells"
        said = f"{better} on {pair.only_first:,} of the {pair.apart:,} {images} them apart"
        return f"{said}, {self.p_words}: {self.amount if self.shown else 'no difference shown'}"

    @property
    def p_words(self) -> str:
        """“p = 0.70”, “p < 0.001”; where it is corrected, for how many comparisons."""
        corrected = f" (Holm, {self.family:,} comparisons)" if self.family > 1 else ""
        return f"{p_words(self.p_value)}{corrected}"

    @property
    def amount(self) -> str:
        """“+0.05 points [−0.17, +0.26]”: the difference with its 95 % interval."""
        digits = 2 if self.pair.total >= _FINE else 1
        value, low, high = (
            f"{100 * each:+.{digits}f}".replace("-", "−")
            for each in (self.pair.difference, *self.pair.interval)
        )
        return f"{value} points [{low}, {high}]"


def judged(pairs: Mapping[Key, Paired]) -> dict[Key, Verdict]:
    """The verdicts on comparisons that stand together, corrected as one family."""
    corrected = holm([pair.p_value for pair in pairs.values()])
    return {
        key: Verdict(pair, p_value, len(pairs))
        for (key, pair), p_value in zip(pairs.items(), corrected, strict=True)
    }


def beside(
    best: Key, others: Iterable[Key], verdicts: Mapping[tuple[Key, Key], Verdict]
) -> dict[Key, Verdict]:
    """What the verdicts, each kept under one order of its two, say of `best` beside each other."""
    return {
        other: verdicts[best, other] if (best, other) in verdicts else verdicts[other, best].turned
        for other in others
    }


def judge(first_right: BoolArray, second_right: BoolArray) -> Verdict:
    """The verdict on one comparison that stands alone: bool [n] each, of the same images."""
    pair = paired(first_right, second_right)
    return Verdict(pair, pair.p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family, corrected so that one false difference in it is a 5 % matter.

    In the order given, each at least as large as before. Raises ValueError outside [0, 1]. Holm
    (1979), Scand. J. Stat. 6:65.
    """
    for each in p_values:
        check_range("The p-value", each, 0, 1)
    given = np.asarray(p_values, np.float64)
    order = np.argsort(given, kind="stable")
    grown = np.maximum.accumulate(given[order] * (len(given) - np.arange(len(given))))
    corrected = np.empty_like(given)
    corrected[order] = np.minimum(grown, 1.0)
    return [float(each) for each in corrected]


def binomial_test(rate: Rate, share: float) -> float:
    """The exact two-sided p-value of a proportion against a fixed share in [0, 1].

    Twice the smaller tail (Clopper and Pearson 1934, doi:10.2307/2331986); 1 of an empty sample.
    """
    check_range("The share", share, 0, 1)
    hits, total, share = rate.successes, rate.total, float(share)
    at_most = float(bdtr(hits, total, share)) if total else 1.0
    at_least = float(bdtrc(hits - 1, total, share)) if hits else 1.0
    return min(1.0, 2 * min(at_most, at_least))


def against(rate: Rate, share: float) -> int:
    """1 if a proportion is shown to be above a fixed share, −1 if below, 0 if neither is shown."""
    if binomial_test(rate, share) >= LEVEL:
        return 0
    return 1 if rate.value > share else -1


def p_words(p_value: float) -> str:
    """“p = 0.70”, “p = 0.032”, “p < 0.001”; with more digits where rounding would cross 0.05."""
    if p_value < 0.001:
        return "p < 0.001"
    near = abs(p_value - LEVEL) < 0.0005
    return f"p = {p_value:.{5 if near else 2 if p_value >= 0.0995 else 3}f}"


def _joined(one: float, other: float, phi: float) -> float:
    """Two half widths squared and added, less what is common to both."""
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
