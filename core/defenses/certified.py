"""Interval bound propagation: what no change of the pixels up to ε can leave.

Gowal et al. (2018), arXiv:1810.12715. The bounds are computed in float32, without directed
rounding.
"""

from typing import Any, NamedTuple

import numpy as np

from core.backend import keras, tf
from core.checks import check_range
from core.classifier import IMAGES, Classifier, in_batches
from core.data import BoolArray, FloatArray, IntArray, check_classes, check_images

_BATCH = 100


class Bounds(NamedTuple):
    """The least and the largest value that each output can take: float32 [n, …] both."""

    lower: FloatArray
    upper: FloatArray

    @property
    def width(self) -> FloatArray:
        """Upper minus lower."""
        return self.upper - self.lower


def interval_bounds(
    classifier: Classifier, images: FloatArray, epsilon: float
) -> dict[str, Bounds]:
    """Bounds of every layer's outputs by name, from the image to the logits.

    They hold for all images in [0, 1] that differ from `images` float32 [n, 28, 28, 1] by at most
    `epsilon` (0 to 1) in every pixel. Raises ValueError on other images or ε, and on a network
    with a layer that has no interval rule.
    """
    _check(images, epsilon)
    compiled = classifier.compiled("interval bounds", _compile_bounds)
    lower, upper = compiled(tf.constant(images), tf.constant(epsilon, tf.float32))
    return {name: Bounds(lower[name].numpy(), upper[name].numpy()) for name in lower}


def margin_bounds(
    classifier: Classifier, images: FloatArray, labels: IntArray, epsilon: float
) -> FloatArray:
    """Lower bounds of logit[label] − logit[k]: float32 [n, classes], 0 where k is the label.

    The last layer is elided: its rows are subtracted before they are bounded, which is tighter
    than subtracting the bounds of two logits. labels int [n]; the rest as of `interval_bounds`.
    """
    _check(images, epsilon)
    labels = check_classes(labels, len(images))
    if not len(images):
        return np.zeros((0, classifier.model.output.shape[1]), np.float32)
    compiled = classifier.compiled("margin bounds", _compile_margins)
    number = tf.constant(epsilon, tf.float32)
    margins: FloatArray = in_batches(
        lambda x, y: compiled(x, y, number), images, labels, batch=_BATCH
    )
    return margins


def certified(
    classifier: Classifier, images: FloatArray, labels: IntArray, epsilon: float
) -> BoolArray:
    """Whether every image within `epsilon` is provably read as the label: bool [n].

    Never true of an image that is misread itself. Arguments and errors as of `margin_bounds`.
    """
    margins = margin_bounds(classifier, images, labels, epsilon)
    others = np.arange(margins.shape[1]) != np.asarray(labels)[:, None]
    proven: BoolArray = np.where(others, margins > 0, True).all(axis=1)
    return proven


def margins_of(center: Any, radius: Any, kernel: Any, bias: Any, labels: Any) -> Any:
    """In graphs: `margin_bounds` from the interval center ± radius [n, units] before the logits."""
    units, classes = kernel.shape
    spread = tf.abs(kernel[:, :, None] - kernel[:, None, :])  # [units, y, k]
    reach = tf.reshape(radius @ tf.reshape(spread, [units, -1]), [-1, classes, classes])
    logits = center @ kernel + bias
    true = tf.gather(logits, labels, axis=1, batch_dims=1)[:, None]
    return true - logits - tf.gather(reach, labels, axis=1, batch_dims=1)


def _check(images: FloatArray, epsilon: float) -> None:
    check_images(images)
    check_range("Epsilon", epsilon, 0, 1)


def _compile_bounds(model: keras.Model) -> Any:
    def bounds(images: Any, epsilon: Any) -> Any:
        layers = list(_propagate(model.layers, images, epsilon))
        return (
            {name: center - radius for name, center, radius in layers},
            {name: center + radius for name, center, radius in layers},
        )

    types = [IMAGES, tf.TensorSpec([], tf.float32)]
    return tf.function(bounds, autograph=False, input_signature=types)


def _compile_margins(model: keras.Model) -> Any:
    last = model.layers[-1]

    def margins(images: Any, labels: Any, epsilon: Any) -> Any:
        *_, (_, center, radius) = _propagate(model.layers[:-1], images, epsilon)
        return margins_of(center, radius, last.kernel, last.bias, labels)

    types = [IMAGES, tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)]
    return tf.function(margins, autograph=False, input_signature=types)
