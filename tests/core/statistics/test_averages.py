"""Means and medians with their intervals: closed forms, coverage, the test of a mean."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from core.statistics.averages import Mean, Median


def test_means_and_their_intervals(random: np.random.Generator) -> None:
    mean = Mean.of(np.array([0.0, 1.0, 2.0, 3.0]))
    assert mean.value == 1.5
    half = 1.959964 * np.std([0, 1, 2, 3], ddof=1) / 2
    assert (mean.low, mean.high) == pytest.approx((1.5 - half, 1.5 + half))
    assert Mean.of(np.array([2.0])) == Mean(2.0, -np.inf, np.inf, 1)
    covered = [abs(Mean.of(random.normal(size=200)).value) for _ in range(300)]
    inside = np.mean([value < 1.96 / 200**0.5 for value in covered])
    assert inside == pytest.approx(0.95, abs=0.04)


def test_a_mean_is_tested_by_students_t(random: np.random.Generator) -> None:
    for count in (2, 9, 300):
        values = random.normal(0.1, 1, count)
        assert Mean.of(values).p_value == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert Mean.of(np.zeros(5)).p_value == Mean.of(np.ones(1)).p_value == 1
    assert Mean.of(np.ones(5)).p_value == 0


def test_the_median_of_what_is_known() -> None:
    values = np.arange(1.0, 101)[::-1]
    median = Median.of(values)
    assert (median.value, median.count) == (50.5, 100)
    assert (median.low, median.high) == (40, 61), "ranks 40 and 61 of 100, as tables have it"
    with_infinite = Median.of(np.append(values[50:], np.full(40, np.inf)))
    assert with_infinite.value == 45.5
    assert with_infinite.high == np.inf
    assert Median.of(np.arange(5.0)).low == -np.inf
    assert Median.of(np.arange(6.0)).low == 0, "six are the first with 97 %"
    assert math.isnan(Median.of(np.zeros(0)).value)


def test_the_median_covers_the_truth(random: np.random.Generator) -> None:
    draws = random.exponential(size=(400, 50))
    inside = [(m := Median.of(row)).low <= math.log(2) <= m.high for row in draws]
    assert np.mean(inside) >= 0.93
