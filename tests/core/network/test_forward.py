"""The fast way through a network: the values and gradients of its Keras model."""

from typing import Any

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.backend import keras, tf
from core.data.mnist import Dataset
from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.forward import forward, in_loop, layer_outputs
from core.network.model import build_model

NETWORKS = {
    "model-1": MODEL_1,
    "model-2": MODEL_2,
    "strides": Architecture(blocks=(ConvBlock(8, 4, 2, 1), ConvBlock(8, 4, 2, 1))),
    "large kernels": Architecture(blocks=(ConvBlock(4, 5, 1, 3), ConvBlock(4, 7, 1, 1))),
    "odd maps": Architecture(blocks=(ConvBlock(4, 3, 1, 4), ConvBlock(4, 3, 1, 2))),
    "averages": Architecture(
        (ConvBlock(4, pooling_kind="average"), ConvBlock(5)), ending="average"
    ),
    "residual": Architecture(
        (ConvBlock(4, kind="residual"), ConvBlock(6, 4, 2, 1, "residual")), ()
    ),
    "residual, normalized": Architecture(
        (ConvBlock(4, 5), ConvBlock(6, kind="residual")), (9,), batch_normalization=True
    ),
    "deep": Architecture(hidden_units=(20, 10), batch_normalization=True, dropout=0.3),
}


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> FloatArray:
    return to_float(mnist.test.images[:6])


def shaken(architecture: Architecture) -> keras.Model:
    """A network whose biases and statistics are not those of the start."""
    model = build_model(architecture, seed=3)
    random = np.random.default_rng(0)
    for weight in model.weights:
        change = 0.1 * random.random(weight.shape) + (0.5 if "variance" in weight.path else 0)
        weight.assign_add(change.astype(np.float32))
    return model


def value_and_gradient(function: Any, images: FloatArray) -> tuple[FloatArray, FloatArray]:
    x = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = function(x)
        total = tf.reduce_sum(logits[:, 3] - 0.5 * logits[:, 5])
    return logits.numpy(), tape.gradient(total, x).numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_gradients_are_those_of_the_model(name: str, digits: FloatArray) -> None:
    model = shaken(NETWORKS[name])
    images = 0.9 * digits + 0.1 * np.random.default_rng(1).random(digits.shape, np.float32)
    expected = value_and_gradient(lambda x: model(x, training=False), images)
    found = value_and_gradient(forward(model), images)
    assert found[0] == pytest.approx(expected[0], rel=1e-4, abs=1e-4)
    assert np.abs(expected[1]).max() > 1e-3
    assert found[1] == pytest.approx(expected[1], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", ["model-2", "strides", "averages", "residual, normalized"])
def test_every_layer_can_be_read(name: str, digits: FloatArray) -> None:
    model = shaken(NETWORKS[name])
    for layer in model.layers:
        expected = keras.Model(model.input, layer.output)(digits, training=False)
        found = layer_outputs(model, [layer.name])(tf.constant(digits))[layer.name]
        assert found.numpy() == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-4), layer.name


def test_a_loop_calls_a_graph_of_its_own(digits: FloatArray) -> None:
    logits_of = forward(shaken(MODEL_1))

    @in_loop
    def gradient(x: Any) -> Any:
        return tf.gradients(logits_of(x)[:, 3], x)[0]

    def climb(x: Any) -> Any:
        return tf.while_loop(
            lambda step, _: step < 5, lambda step, x: (step + 1, x + 0.01 * gradient(x)), (0, x)
        )[1]

    climbed = tf.function(climb, autograph=False)(tf.constant(digits)).numpy()
    expected = digits.copy()
    for _ in range(5):
        with tf.GradientTape() as tape:
            x = tf.constant(expected)
            tape.watch(x)
            logit = tf.reduce_sum(logits_of(x)[:, 3])
        expected = expected + 0.01 * tape.gradient(logit, x).numpy()
    assert climbed == pytest.approx(expected, abs=1e-5)
