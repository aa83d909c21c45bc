"""Interval bounds against closed forms, a slow oracle, and attacks that try to leave them."""

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.catalog import ATTACKS, Attack
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.backend import keras
from core.certification.interval_bounds import certified, interval_bounds, margin_bounds
from core.data.mnist import Dataset
from core.network.architecture import Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import build_model

POOLED = Architecture(
    blocks=(ConvBlock(3, 3, 1, 2), ConvBlock(4, 4, 2, 1)),
    hidden_units=(7, 6),
    batch_normalization=True,
    dropout=0.5,
)


@pytest.fixture(scope="module")
def images(mnist: Dataset) -> FloatArray:
    return to_float(mnist.test.images[:3])


@pytest.fixture(scope="module")
def network() -> Classifier:
    """Untrained, with every kind of layer, and statistics as if it had been trained."""
    model = build_model(POOLED, seed=2)
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(random.normal(1, 1, layer.gamma.shape))  # some below zero
            layer.beta.assign(random.normal(0, 0.3, layer.beta.shape))
            layer.moving_mean.assign(random.normal(0, 0.3, layer.gamma.shape))
            layer.moving_variance.assign(random.uniform(0.2, 2, layer.gamma.shape))
        elif layer.weights:
            layer.bias.assign(random.normal(0, 0.2, layer.bias.shape))
    return Classifier(model, name="every layer")


def _oracle(model: keras.Model, image: np.ndarray, epsilon: float) -> dict:
    """Bounds of one image in float64: each output takes the worse end of each of its inputs."""
    low = np.clip(image.astype(float) - epsilon, 0, 1)
    high = np.clip(image.astype(float) + epsilon, 0, 1)
    bounds = {}
    for layer in model.layers:
        weights = [variable.numpy().astype(float) for variable in layer.weights]
        match type(layer).__name__:
            case "Conv2D":
                low, high = _convolve(low, high, *weights, layer.strides[0])
            case "Dense":
                low, high = _worse_ends(low, high, weights[0], weights[1])
            case "BatchNormalization":
                gamma, beta, mean, variance = weights
                scale = gamma / np.sqrt(variance + layer.epsilon)
                ends = [(end - mean) * scale + beta for end in (low, high)]
                low, high = np.minimum(*ends), np.maximum(*ends)
            case "ReLU":
                low, high = np.maximum(low, 0), np.maximum(high, 0)
            case "MaxPooling2D":
                low, high = _pool(low, layer.pool_size[0]), _pool(high, layer.pool_size[0])
            case "Flatten":
                low, high = low.ravel(), high.ravel()
        bounds[layer.name] = low, high
    return bounds


def _worse_ends(low: np.ndarray, high: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple:
    above = kernel > 0
    least = np.where(above, low[:, None], high[:, None])
    most = np.where(above, high[:, None], low[:, None])
    return (least * kernel).sum(0) + bias, (most * kernel).sum(0) + bias


def _convolve(low, high, kernel, bias, stride) -> tuple:
    side, outputs = kernel.shape[0], -(-low.shape[0] // stride)
    pad = max((outputs - 1) * stride + side - low.shape[0], 0)
    margins = ((pad // 2, pad - pad // 2),) * 2 + ((0, 0),)
    low, high = np.pad(low, margins), np.pad(high, margins)
    result = np.empty((2, outputs, outputs, kernel.shape[-1]))
    flat = kernel.reshape(-1, kernel.shape[-1])
    for i, j in np.ndindex(outputs, outputs):
        window = np.s_[i * stride : i * stride + side, j * stride : j * stride + side]
        result[:, i, j] = _worse_ends(low[window].ravel(), high[window].ravel(), flat, bias)
    return tuple(result)


def _pool(maps: np.ndarray, window: int) -> np.ndarray:
    side = maps.shape[0] // window
    cut = maps[: side * window, : side * window]
    return cut.reshape(side, window, side, window, -1).max(axis=(1, 3))


@pytest.mark.parametrize("epsilon", [0.0, 0.02, 0.3])
def test_bounds_equal_a_slow_oracle(network: Classifier, images, epsilon: float) -> None:
    bounds = interval_bounds(network, images, epsilon)
    assert list(bounds) == network.layer_names
    for index, image in enumerate(images):
        for name, (low, high) in _oracle(network.model, image, epsilon).items():
            assert bounds[name].lower[index] == pytest.approx(low, abs=1e-4), name
            assert bounds[name].upper[index] == pytest.approx(high, abs=1e-4), name


def test_bounds_of_no_change_are_the_activations(network: Classifier, images) -> None:
    bounds = interval_bounds(network, images, 0.0)
    for name in ("image", "conv1_bn", "pool1", "dense2", "logits"):
        assert bounds[name].lower == pytest.approx(network.activations(images, name), abs=1e-4)
        assert bounds[name].width == pytest.approx(0, abs=1e-4)


def test_bounds_widen_with_epsilon(network: Classifier, images) -> None:
    narrow, wide = (interval_bounds(network, images, epsilon) for epsilon in (0.05, 0.1))
    for name in network.layer_names:
        assert (wide[name].lower <= narrow[name].lower + 1e-6).all()
        assert (wide[name].upper >= narrow[name].upper - 1e-6).all()


def test_a_linear_margin_is_exact(linear: Classifier, images) -> None:
    """The least margin of a linear model is reached: every pixel moves against it."""
    kernel, bias = (variable.numpy() for variable in linear.model.layers[-1].weights)
    labels = np.array([7, 2, 1])
    margins = margin_bounds(linear, images, labels, 0.1)
    for image, label, margin in zip(images.reshape(3, -1), labels, margins, strict=True):
        for k in range(10):
            slope = kernel[:, label] - kernel[:, k]
            worst = np.clip(image - 0.1 * np.sign(slope), 0, 1)
            assert margin[k] == pytest.approx(worst @ slope + bias[label] - bias[k], abs=1e-3)


def test_eliding_the_last_layer_never_loosens(network: Classifier, images) -> None:
    labels = network.predict(images)
    logits = interval_bounds(network, images, 0.05)["logits"]
    plain = logits.lower[np.arange(3), labels][:, None] - logits.upper
    elided = margin_bounds(network, images, labels, 0.05)
    others = np.arange(10) != labels[:, None]
    assert (elided >= plain - 1e-4)[others].all()
    assert (elided > plain + 1e-3)[others].any()


@pytest.mark.parametrize("attack", list(ATTACKS.values()), ids=lambda attack: attack.name)
def test_no_attack_leaves_the_bounds(model_1: Classifier, mnist: Dataset, attack: Attack) -> None:
    """Around each image, as far as the attack went, on a model without any defense."""
    images, labels = to_float(mnist.test.images[:6]), mnist.test.labels[:6].astype(np.int64)
    short = {"iterations": 60, "queries": 30, "generations": 3, "binary_search_steps": 2}
    settings = {name: value for name, value in short.items() if name in attack.defaults()}
    result = attack(model_1, images, Untargeted(labels), settings)
    logits = model_1.logits(result.adversarial)
    assert (result.linf > 0).any()
    for row, distance in enumerate(result.linf):
        image, label = images[row : row + 1], labels[row : row + 1]
        reach = min(float(distance) + 1e-6, 1.0)
        bounds = interval_bounds(model_1, image, reach)["logits"]
        slack = 1e-4 * np.abs(bounds.upper).max()
        assert (logits[row] >= bounds.lower - slack).all()
        assert (logits[row] <= bounds.upper + slack).all()
        margins = margin_bounds(model_1, image, label, reach)
        assert (logits[row, label] - logits[row] >= margins - slack).all()
        assert not (result.succeeded[row] and certified(model_1, image, label, reach)[0])


def test_what_is_proven_stands(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:40]), mnist.test.labels[:40].astype(np.int64)
    proven = certified(model_1, images, labels, 0.002)
    attacked = pgd(
        model_1, images, Untargeted(labels), epsilon=0.002, step_size=0.0005, iterations=10
    )
    assert proven.sum() >= 30
    assert not (proven & attacked.succeeded).any()


def test_certified_means_right_and_every_margin_above_zero(
    model_1: Classifier, mnist: Dataset
) -> None:
    classifier = model_1
    wrong = np.flatnonzero(classifier.predict(to_float(mnist.test.images)) != mnist.test.labels)
    images, labels = to_float(mnist.test.images[wrong]), mnist.test.labels[wrong]
    assert not certified(classifier, images, labels, 0.0).any()
    read = classifier.predict(images)
    assert certified(classifier, images, read, 0.0).all()
    margins = margin_bounds(classifier, images, read, 0.0002)
    expected = [(np.delete(m, k) > 0).all() for m, k in zip(margins, read, strict=True)]
    assert (certified(classifier, images, read, 0.0002) == expected).all()
    assert 0 < np.mean(expected) < 1


def test_one_trace_for_all_epsilons_and_batches(images) -> None:
    classifier = Classifier(build_model(POOLED), name="new")
    for epsilon in (0.0, 0.1, 0.25):
        for count in (1, 3):
            interval_bounds(classifier, images[:count], epsilon)
            certified(classifier, images[:count], np.zeros(count, int), epsilon)
    for name in ("interval bounds", "margin bounds"):
        compiled = classifier.compiled(name, lambda _: pytest.fail("it was not kept"))
        assert compiled.experimental_get_tracing_count() == 1


def test_no_images_have_no_bounds(network: Classifier, images) -> None:
    assert certified(network, images[:0], np.zeros(0, int), 0.1).shape == (0,)
    bounds = interval_bounds(network, images[:0], 0.1)
    assert bounds["logits"].lower.shape == (0, 10)


def test_bad_values_are_one_sentence(network: Classifier, images) -> None:
    with pytest.raises(ValueError, match=r"Epsilon is 1\.5, outside 0 to 1"):
        interval_bounds(network, images, 1.5)
    with pytest.raises(ValueError, match="clip them first"):
        certified(network, images + 1, np.zeros(3, int), 0.1)
    with pytest.raises(ValueError, match="outside 0 to 9"):
        certified(network, images, np.full(3, 10), 0.1)
    inputs = keras.Input((28, 28, 1), name="image")
    squashed = keras.layers.Activation("tanh", name="squash")(keras.layers.Flatten()(inputs))
    other = keras.Model(inputs, keras.layers.Dense(10, name="logits")(squashed))
    with pytest.raises(ValueError, match=r"no rule for squash \(Activation\)"):
        interval_bounds(Classifier(other, name="tanh"), images, 0.1)
