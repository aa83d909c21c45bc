"""Attacks on few pixels: known choices on linear models, exhaustive searches as oracles."""

import itertools

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.sparse import best_pairs, one_pixel, saliency_map
from core.backend import keras
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.core.linear import gray_images
from tests.sizes import SIDE


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:64]), mnist.test.labels[:64].astype(np.int64)


@pytest.mark.parametrize("decimals", [0, 6])
def test_the_best_pair_is_that_of_an_exhaustive_search(
    random: np.random.Generator, decimals: int
) -> None:
    """With decimals=0 there are many ties."""
    lift, drop = np.round(random.normal(size=(2, 300, 12)), decimals)
    lift[:40] -= 1.5
    pairs, useful = best_pairs(lift, drop)
    for row in range(300):
        scores = [
            (lift[row, p] + lift[row, q]) * (drop[row, p] + drop[row, q])
            for p, q in itertools.combinations(range(12), 2)
            if lift[row, p] + lift[row, q] > 0 and drop[row, p] + drop[row, q] > 0
        ]
        assert useful[row] == bool(scores)
        if scores:
            p, q = pairs[row]
            assert p != q
            found = (lift[row, p] + lift[row, q]) * (drop[row, p] + drop[row, q])
            assert found == pytest.approx(max(scores))
    assert 0 < useful.sum() < 300


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("theta", [1.0, -1.0])
def test_the_known_pixels_of_a_linear_model_are_taken_in_order(
    targeted: bool, theta: float
) -> None:
    """Class 3 has weights on five pixels alone, and 7 the opposite: the largest go first."""
    places = np.array([100, 200, 300, 400, 500])
    weights = np.zeros((SIDE * SIDE, 10))
    weights[places, 3] = np.sign(theta) * np.array([1, 5, 2, 4, 3])
    weights[places, 7] = -1.5 * weights[places, 3]
    start = np.full((1, SIDE, SIDE, 1), 0.5, np.float32)
    bias = np.full(10, -100.0)
    bias[3], bias[7] = 0, 15 + start.ravel() @ (weights[:, 3] - weights[:, 7])  # 15 ahead
    model = flat_linear(weights, bias)
    goal: Goal = Targeted(np.array([3])) if targeted else Untargeted(np.array([7]))
    assert model.predict(start)[0] == 7
    result = saliency_map(model, start, goal, theta=theta, record=True)
    assert result.trajectory is not None
    changed = np.flatnonzero(result.change)
    assert changed.tolist() == [200, 300, 400, 500]
    first = np.flatnonzero(result.trajectory.change[1])
    assert first.tolist() == [200, 400], "the two with the largest weights"
    assert result.change.ravel()[changed] == pytest.approx(0.5 * theta)
    assert result.succeeded.all()


def flat_linear(weights: FloatArray, bias: FloatArray) -> Classifier:
    inputs = keras.Input((SIDE, SIDE, 1), name="image")
    outputs = keras.layers.Dense(10, name="logits")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.layers[-1].set_weights([weights, bias])
    return Classifier(model, name="linear")


def test_saliency_maps_change_few_pixels_in_one_direction(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    lighter, darker = (
        saliency_map(model_1, images, Untargeted(labels), theta=theta) for theta in (1.0, -1.0)
    )
    assert lighter.change.min() == 0
    assert darker.change.max() == 0
    for result in (lighter, darker):
        assert result.success.value >= 0.95
        assert np.median(result.l0) < 40
    few = saliency_map(model_1, images, Untargeted(labels), pixels=7)
    assert few.l0.max() <= 6
    assert few.success.value < lighter.success.value


def test_nothing_moves_at_theta_0(linear: Classifier) -> None:
    images = gray_images(2)
    result = saliency_map(linear, images, Untargeted(linear.predict(images)), theta=0.0)
    assert (result.adversarial == images).all()


def test_evolution_comes_near_the_best_of_all_pixels(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """Against an exhaustive search over 784 places, each black and white."""
    images, goal = digits[0][20:26], Untargeted(digits[1][20:26])
    before = goal.margin(model_1.logits(images))
    best = np.array([best_single_pixel(model_1, images[i], digits[1][20 + i]) for i in range(6)])
    result = one_pixel(model_1, images, goal, population=60, generations=30)
    found = goal.margin(model_1.logits(result.adversarial))
    assert not result.succeeded.any(), "a search that stops early would be no measure"
    assert np.mean((found - before) / (best - before)) > 0.9


def best_single_pixel(classifier: Classifier, image: FloatArray, label: int) -> float:
    """The highest margin of an image [28, 28, 1] with one pixel black or white."""
    changed = np.repeat(image.reshape(1, 1, -1), 2 * SIDE * SIDE, axis=1).reshape(2, SIDE**2, -1)
    for value in (0, 1):
        np.fill_diagonal(changed[value], value)
    goal = Untargeted(np.full(2 * SIDE * SIDE, label))
    logits = classifier.logits(changed.reshape(-1, SIDE, SIDE, 1))
    return float(goal.margin(logits).max())


@pytest.mark.parametrize("pixels", [1, 5])
def test_no_more_pixels_than_asked_for(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], pixels: int
) -> None:
    images, labels = digits[0][:8], digits[1][:8]
    result = one_pixel(
        model_1, images, Untargeted(labels), pixels=pixels, population=30, generations=8,
        record=True,
    )  # fmt: skip
    assert result.l0.max() == pixels
    assert result.trajectory is not None
    assert len(result.trajectory.images) == 10
    goal = Untargeted(labels)
    margins = np.array([goal.margin(logits) for logits in result.trajectory.logits[1:]])
    assert (np.diff(margins, axis=0) >= -1e-3).all(), "the best of a generation is never lost"


def test_more_images_change_nothing_for_the_first(linear: Classifier) -> None:
    images = gray_images(5)
    goal = Untargeted(linear.predict(images))
    many = one_pixel(linear, images, goal, population=10, generations=3)
    few = one_pixel(linear, images[:2], goal.take(np.arange(2)), population=10, generations=3)
    assert (few.adversarial == many.adversarial[:2]).all()


def test_bad_values_are_one_sentence(linear: Classifier) -> None:
    image, goal = np.zeros((1, SIDE, SIDE, 1), np.float32), Untargeted(np.array([1]))
    with pytest.raises(ValueError, match=r"Theta is 1\.5, outside -1 to 1"):
        saliency_map(linear, image, goal, theta=1.5)
    with pytest.raises(ValueError, match="The number of pixels is 1, outside 2 to 784"):
        saliency_map(linear, image, goal, pixels=1)
    with pytest.raises(ValueError, match="The number of pixels is 6, outside 1 to 5"):
        one_pixel(linear, image, goal, pixels=6)
    with pytest.raises(ValueError, match="The population is 3, outside 4 to 400"):
        one_pixel(linear, image, goal, population=3)
