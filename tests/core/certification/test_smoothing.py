"""Randomized smoothing: certificates of half-spaces, the paper's tests, and their bounds."""

import math

import numpy as np
import pytest
from scipy import stats

from core.arrays import FloatArray, to_float
from core.backend import keras
from core.certification.smoothing import (
    ABSTAIN,
    certify,
    equally_likely,
    largest_radius,
    lower_bound,
    predict,
    votes,
)
from core.data.mnist import Dataset
from core.network.classifier import Classifier

DISTANCE, SIGMA = 0.2, 0.1  # two σ; pixels around 0.5 hardly meet the box


def _half_space(distance: float) -> Classifier:
    """Class 0 on one side of a plane that runs at `distance` from the image of all 0.5."""
    random = np.random.default_rng(4)
    normal = random.normal(size=784)
    normal /= np.linalg.norm(normal)
    kernel = np.zeros((784, 10))
    kernel[:, 0] = normal
    bias = np.full(10, -100.0)
    bias[:2] = distance - 0.5 * normal.sum(), 0
    inputs = keras.Input((28, 28, 1), name="image")
    outputs = keras.layers.Dense(10, name="logits")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.layers[-1].set_weights([kernel, bias])
    return Classifier(model, name="half-space")


@pytest.fixture(scope="module")
def gray() -> FloatArray:
    return np.full((1, 28, 28, 1), 0.5, np.float32)


def test_the_radius_tends_to_the_distance_from_below(gray) -> None:
    """A smoothed half-space is that half-space (Cohen et al., proposition 1)."""
    network = _half_space(DISTANCE)
    radii = [
        certify(network, gray, sigma=SIGMA, copies=copies).radius for copies in (100, 1_000, 50_000)
    ]
    assert radii == sorted(radii)
    assert radii[-1] < DISTANCE
    assert radii[-1] == pytest.approx(DISTANCE, rel=0.05)


def test_votes_are_those_of_the_half_space(gray) -> None:
    counts = votes(_half_space(DISTANCE), gray, sigma=SIGMA, copies=20_000)
    assert counts.sum() == 20_000
    assert counts[2:].sum() == 0
    expected = stats.norm.cdf(DISTANCE / SIGMA)
    assert counts[0] / 20_000 == pytest.approx(expected, abs=4 * math.sqrt(0.0223 / 20_000))


def test_radii_are_hardly_ever_too_large(gray) -> None:
    """Alpha is how often; with 20 % of 200 certificates 58 is beyond 3.2 standard deviations."""
    network = _half_space(0.05)
    found = [
        certify(network, gray, sigma=SIGMA, copies=60, guesses=20, alpha=0.2, seed=seed)
        for seed in range(200)
    ]
    assert sum(each.radius > 0.05 for each in found) < 58
    assert any(each.radius > 0.02 for each in found)


def test_on_the_boundary_it_abstains(gray) -> None:
    network = _half_space(0.0)
    found = certify(network, gray, sigma=SIGMA, copies=500)
    assert found.predicted == ABSTAIN
    assert found.radius == 0
    assert found.lower <= 0.5
    assert predict(votes(network, gray, sigma=SIGMA, copies=500)) == ABSTAIN


def test_prediction_far_from_the_boundary(gray) -> None:
    for distance, side in ((DISTANCE, 0), (-DISTANCE, 1)):
        assert predict(votes(_half_space(distance), gray, sigma=SIGMA, copies=100)) == side
    assert certify(_half_space(-DISTANCE), gray, sigma=SIGMA, copies=200).predicted == 1


def test_prediction_needs_no_majority() -> None:
    """45 % of the votes prove no radius, and are enough to be ahead of 10 %."""
    counts = np.array([450, *[100] * 5, 50, 0, 0, 0])
    assert lower_bound(450, int(counts.sum()), 0.001) < 0.5
    assert predict(counts) == 0
    assert predict(np.array([30, 25, *[0] * 8])) == ABSTAIN


def test_the_lower_bound_is_that_of_clopper_and_pearson() -> None:
    for successes, total in ((1, 3), (40, 60), (999, 1_000), (60, 100)):
        exact = stats.binomtest(successes, total, alternative="greater").proportion_ci(0.999)
        assert lower_bound(successes, total, 0.001) == pytest.approx(exact.low, rel=1e-6)
    assert lower_bound(50, 50, 0.01) == pytest.approx(0.01 ** (1 / 50))
    assert lower_bound(0, 50, 0.01) == 0


def test_the_test_of_two_classes_is_the_exact_binomial_one() -> None:
    for first, second in ((5, 5), (8, 2), (60, 40), (500, 430), (3, 0)):
        exact = stats.binomtest(first, first + second, 0.5).pvalue
        assert equally_likely(first, second) == pytest.approx(exact)


def test_the_largest_radius_is_of_a_class_that_gets_all_votes(gray) -> None:
    found = certify(_half_space(5.0), gray, sigma=0.1, copies=300)
    assert found.votes[0] == 300
    assert found.radius == pytest.approx(largest_radius(0.1, 300))


def test_the_same_seed_gives_the_same_votes(model_1: Classifier, mnist: Dataset) -> None:
    image = to_float(mnist.test.images[8:9])
    first, again, other = (
        votes(model_1, image, sigma=0.5, copies=300, seed=seed) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_votes_equal_a_slow_count(model_1: Classifier, mnist: Dataset) -> None:
    """The share of a class under NumPy's noise lies within sampling error."""
    image = to_float(mnist.test.images[8:9])
    noise = np.random.default_rng(0).normal(0, 0.4, (2_000, 28, 28, 1)).astype(np.float32)
    slow = np.bincount(model_1.predict(np.clip(image + noise, 0, 1)), minlength=10) / 2_000
    fast = votes(model_1, image, sigma=0.4, copies=2_000) / 2_000
    assert fast == pytest.approx(slow, abs=0.07)


def test_bad_values_are_one_sentence(model_1: Classifier, gray) -> None:
    with pytest.raises(ValueError, match=r"Sigma is 0, outside 0\.01 to 2"):
        certify(model_1, gray, sigma=0, copies=100)
    with pytest.raises(ValueError, match="noisy copies is 0"):
        votes(model_1, gray, sigma=0.1, copies=0)
    with pytest.raises(ValueError, match=r"Alpha is 0\.7"):
        certify(model_1, gray, sigma=0.1, copies=100, alpha=0.7)
    with pytest.raises(ValueError, match="clip them first"):
        votes(model_1, gray + 1, sigma=0.1, copies=10)
