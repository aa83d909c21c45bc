"""ROC curves and areas: closed forms, a slow count, and the coverage of the interval."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from core.statistics.roc import area, roc


def test_a_curve_by_hand() -> None:
    false, found = roc(np.array([0.1, 0.4, 0.4]), np.array([0.4, 0.9]))
    assert false.tolist() == pytest.approx([0, 0, 2 / 3, 1])
    assert found.tolist() == pytest.approx([0, 0.5, 1, 1])


def test_the_area_is_the_share_of_ordered_pairs(random: np.random.Generator) -> None:
    negatives = random.integers(0, 6, 40).astype(np.float32)  # with ties
    positives = random.integers(2, 9, 30).astype(np.float32)
    pairs = [(p > n) + (p == n) / 2 for p in positives for n in negatives]
    found = area(negatives, positives)
    assert found.value == pytest.approx(np.mean(pairs))
    false, detected = roc(negatives, positives)
    assert found.value == pytest.approx(np.trapezoid(detected, false))
    assert found.low < found.value < found.high


def test_order_reversed_and_perfect() -> None:
    low, high = np.arange(50.0), np.arange(50.0) + 100
    perfect, worst = area(low, high), area(high, low)
    assert (perfect.value, perfect.high) == (1, pytest.approx(1))
    assert 0.8 < perfect.low < 1
    assert (worst.value, worst.low) == (0, pytest.approx(0))
    assert worst.high == pytest.approx(1 - perfect.low)


def test_the_interval_covers_the_truth() -> None:
    """Exponential scores, whose true area is known: 95 % of 400 intervals, within 3 σ."""
    random = np.random.default_rng(3)
    rate, covered, trials = 4.0, 0, 400  # positives are 4 times as large: the area is 4 / 5
    for _ in range(trials):
        found = area(random.exponential(1, 60), random.exponential(rate, 40))
        covered += found.low <= rate / (1 + rate) <= found.high
    assert covered / trials == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / trials))


def test_more_images_narrow_the_interval() -> None:
    random = np.random.default_rng(0)
    few, many = (area(random.normal(0, 1, n), random.normal(1, 1, n)) for n in (50, 800))
    assert many.high - many.low < (few.high - few.low) / 3


def test_nothing_has_no_area() -> None:
    found = area(np.zeros(3), np.zeros(0))
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0, 1)


@pytest.mark.parametrize("function", [area, roc])
def test_a_score_that_is_no_number_is_refused(function: Callable[..., object]) -> None:
    good, bad = np.array([0.1, 0.2]), np.array([0.3, np.nan])
    for negatives, positives in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="1 scores are no number"):
            function(negatives, positives)
