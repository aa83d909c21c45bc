"""Two things measured on the same images: published examples, closed forms, SciPy as the oracle."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, false_discovery_control

from core.arrays import to_float
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.network.evaluation import evaluate
from core.statistics.paired import (
    Paired,
    Verdict,
    binomial_test,
    holm,
    judge,
    judged,
    p_words,
    paired,
)
from core.statistics.rate import Rate
from core.zoo.models import load


@pytest.mark.parametrize(
    ("both", "only_first", "only_second", "neither", "interval", "digits"),
    [
        (36, 12, 2, 0, (0.0569, 0.3404), 4),  # Newcombe (1998), table III, method 10, n = 50
        (36, 14, 0, 0, (0.1528, 0.4167), 4),  # the same
        (54, 0, 0, 0, (-0.0664, 0.0664), 4),  # the same, n = 54
        (
            14,
            5,
            0,
            22,
            (0.011, 0.226),
            3,
        ),  # Altman et al. (2000), Statistics with Confidence, p. 52
        (59, 6, 16, 80, (-0.1186, -0.0046), 4),  # Fagerland et al. (2017), chapter 8, Cavo et al.
        (1, 1, 7, 12, (-0.507, -0.026), 3),  # the same, Bentur et al.
    ],
)
def test_published_intervals(
    both: int,
    only_first: int,
    only_second: int,
    neither: int,
    interval: tuple[float, float],
    digits: int,
) -> None:
    found = Paired(both, only_first, only_second, neither).interval
    assert tuple(round(end, digits) for end in found) == interval


def test_published_p_values() -> None:
    """Fagerland et al. (2017), chapter 8: McNemar's exact conditional test."""
    assert Paired(59, 6, 16, 80).p_value == pytest.approx(0.052479, abs=1e-6)
    assert Paired(1, 1, 7, 12).p_value == pytest.approx(2 * 9 / 2**8)
    assert Paired(10, 0, 5, 3).p_value == pytest.approx(2 / 2**5)


def test_without_a_discordant_pair_nothing_is_shown() -> None:
    """p = 1, and with φ = 1 − 1 / (2 n p (1 − p)) the interval has a closed form."""
    right = np.arange(50) < 30
    pair = paired(right, right)
    assert (pair.apart, pair.p_value, pair.difference) == (0, 1, 0)
    low, high = Rate(30, 50).interval
    phi = 1 - 25 / (30 * 20)
    below, above = 0.6 - low, high - 0.6
    half = math.sqrt(below**2 + above**2 - 2 * phi * below * above)
    assert pair.interval == pytest.approx((-half, half))
    assert Verdict(pair, 1.0).words() == "the same on every image, p = 1: no difference shown"
    assert Paired(50, 0, 0, 0).interval == pytest.approx((-3.84146 / 53.84146, 3.84146 / 53.84146))
    nothing = Paired(0, 0, 0, 0)
    assert (nothing.interval, nothing.p_value) == ((-1.0, 1.0), 1.0)
    assert math.isnan(nothing.difference)


def test_turning_a_pair_around_turns_the_signs(random: np.random.Generator) -> None:
    for _ in range(200):
        first, second = random.random((2, 40)) < random.random((2, 1))
        pair, turned = paired(first, second), paired(second, first)
        low, high = pair.interval
        assert -1 - 1e-9 <= low <= pair.difference <= high <= 1 + 1e-9
        assert turned.interval == pytest.approx((-high, -low))
        assert turned.p_value == pair.p_value
        assert pair.total == 40
        assert pair.difference == pytest.approx(first.mean() - second.mean())
        oracle = binomtest(pair.only_first, pair.apart, 0.5).pvalue if pair.apart else 1.0
        assert pair.p_value == pytest.approx(oracle)


def test_the_intervals_cover(random: np.random.Generator) -> None:
    """Of 1,000 samples of 200 correlated pairs, 95 in 100 intervals hold the true difference."""
    inside = 0
    for _ in range(1_000):
        draw = random.random((2, 200))
        first = draw[0] < 0.9
        pair = paired(first, np.where(draw[1] < 0.7, first, draw[1] < 0.95))
        truth = 0.9 - (0.7 * 0.9 + 0.25)
        inside += pair.interval[0] <= truth <= pair.interval[1]
    assert inside / 1_000 == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.ones(3, bool), np.ones(4, bool)),
        (np.ones(3), np.ones(3)),
        (np.ones((3, 2), bool), np.ones((3, 2), bool)),
        (np.ones(3, bool), np.ones(3, np.int64)),
    ],
)
def test_what_is_not_paired_is_refused(first: np.ndarray, second: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"are not two bool \[n\]\.$"):
        paired(first, second)


def test_holm_is_what_the_paper_says(random: np.random.Generator) -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []
    for _ in range(50):
        given = random.random(7)
        corrected = np.array(holm(given.tolist()))
        assert (corrected >= given).all()
        assert (corrected <= np.minimum(1, 7 * given) + 1e-12).all()  # Bonferroni's
        assert (corrected >= false_discovery_control(given) - 1e-12).all()
        assert (np.diff(corrected[np.argsort(given)]) >= 0).all()
    for wrong in ([-0.1], [1.1], [float("nan")]):
        with pytest.raises(ValueError, match="p-value is"):
            holm(wrong)


def test_a_family_shows_less_than_its_members() -> None:
    """Twenty-one comparisons of which one alone would pass for a difference."""
    pairs = {number: Paired(80, 5, 5, 10) for number in range(20)} | {20: Paired(80, 12, 2, 6)}
    alone = Verdict(pairs[20], pairs[20].p_value)
    assert (alone.shown, alone.winner) == (True, 1)
    corrected = judged(pairs)[20]
    assert (corrected.shown, corrected.winner, corrected.family) == (False, 0, 21)
    assert corrected.p_value == pytest.approx(21 * alone.p_value)
    assert corrected.words().endswith("p = 0.27 (Holm, 21 comparisons): no difference shown")
    assert judged({}) == {}


def test_a_proportion_against_a_fixed_share() -> None:
    """Twice the smaller tail, as the interval of Clopper and Pearson has it."""
    for hits, total, share in ((0, 20, 0.1), (7, 20, 0.1), (20, 20, 0.9), (30, 200, 0.125)):
        at_least = binomtest(hits, total, share, alternative="greater").pvalue
        at_most = binomtest(hits, total, share, alternative="less").pvalue
        expected = min(1, 2 * min(at_least, at_most))
        assert binomial_test(Rate(hits, total), share) == pytest.approx(expected)
    assert binomial_test(Rate(0, 0), 0.3) == 1
    assert binomial_test(Rate(4, 4), 1.0) == binomial_test(Rate(0, 4), 0.0) == 1
    assert binomial_test(Rate(3, 4), 1.0) == 0
    with pytest.raises(ValueError, match="outside 0 to 1"):
        binomial_test(Rate(1, 2), 1.5)


def test_p_values_are_written_on_their_side_of_the_level() -> None:
    written = [p_words(p) for p in (0.7, 0.0987, 0.0994, 0.0501, 0.04999, 0.0032, 0.0004, 1.0)]
    assert written == [
        "p = 0.70", "p = 0.099", "p = 0.099", "p = 0.05010", "p = 0.04999", "p = 0.003",
        "p < 0.001", "p = 1.00",
    ]  # fmt: skip


def test_model_1_against_model_2(model_1: Classifier, mnist: Dataset) -> None:
    """9,901 and 9,896 of the same 10,000: 109 images tell them apart, and show no difference."""
    images = to_float(mnist.test.images)
    one, two = (evaluate(each, images, mnist.test.labels) for each in (model_1, load("model-2")))
    verdict = judge(one.right, two.right)
    assert (verdict.pair.first.successes, verdict.pair.second.successes) == (9_901, 9_896)
    assert verdict.words() == (
        "better on 57 of the 109 images that tell them apart, p = 0.70: no difference shown"
    )
    assert verdict.amount == "+0.05 points [−0.16, +0.26]"
