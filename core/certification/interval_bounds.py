"""Interval bound propagation: what no change of the pixels up to ε can leave.

Gowal et al. (2018), arXiv:1810.12715. The bounds are computed in float32, without directed
rounding.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, Tensor, check_classes, check_images
from core.backend import compiled, keras, tf
from core.checks import check_range
from core.network.classifier import Classifier, image_type, in_batches
from core.network.stages.stage import Stage
from core.network.stages.table import stages_of

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

    They hold for all images in [0, 1] that differ from `images` float32 [n, h, w, c] by at most
    `epsilon` (0 to 1) in every pixel. Raises ValueError on other images or ε, and on a network
    with a layer that has no interval rule.
    """
    _check(classifier, images, epsilon)
    compiled = classifier.compiled("interval bounds", _compile_bounds)
    some = images if len(images) else np.zeros((1, *images.shape[1:]), np.float32)
    lower, upper = compiled(tf.constant(some), tf.constant(epsilon, tf.float32))
    count = len(images)  # convolutions of an empty batch fail
    return {n: Bounds(lower[n].numpy()[:count], upper[n].numpy()[:count]) for n in lower}


def margin_bounds(
    classifier: Classifier, images: FloatArray, labels: IntArray, epsilon: float
) -> FloatArray:
    """Lower bounds of logit[label] − logit[k]: float32 [n, classes], 0 where k is the label.

    The last layer is elided: its rows are subtracted before they are bounded, which is tighter
    than subtracting the bounds of two logits. labels int [n]; the rest as of `interval_bounds`.
    """
    _check(classifier, images, epsilon)
    labels = check_classes(labels, len(images), len(classifier.spec.classes))
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
    proven: BoolArray = np.all((margins > 0) | ~others, axis=1)
    return proven


def margins_of(
    center: Tensor, radius: Tensor, kernel: Tensor, bias: Tensor, labels: Tensor
) -> Tensor:
    """In graphs: `margin_bounds` from the interval center ± radius [n, units] before the logits."""
    units, classes = kernel.shape
    spread = tf.abs(kernel[:, :, None] - kernel[:, None, :])  # [units, y, k]
    reach = tf.reshape(radius @ tf.reshape(spread, [units, -1]), [-1, classes, classes])
    logits = center @ kernel + bias
    true = tf.gather(logits, labels, axis=1, batch_dims=1)[:, None]
    return true - logits - tf.gather(reach, labels, axis=1, batch_dims=1)


def _check(classifier: Classifier, images: FloatArray, epsilon: float) -> None:
    check_images(images, classifier.spec.shape)
    check_range("Epsilon", epsilon, 0, 1)


def _compile_bounds(model: keras.Model) -> Any:
    def bounds(images: Tensor, epsilon: Tensor) -> Any:
        layers = list(_propagate(stages_of(model), images, epsilon))
        return {name: low for name, low, _ in layers}, {name: high for name, _, high in layers}

    return compiled(bounds, image_type(model), tf.TensorSpec([], tf.float32))


def _compile_margins(model: keras.Model) -> Any:
    *hidden, last = stages_of(model)

    def margins(images: Tensor, labels: Tensor, epsilon: Tensor) -> Tensor:
        *_, (_, low, high) = _propagate(hidden, images, epsilon)
        center, radius = (low + high) / 2, (high - low) / 2
        return margins_of(center, radius, last.layer.kernel, last.layer.bias, labels)

    types = [image_type(model), tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)]
    return compiled(margins, *types)


def _propagate(stages: Sequence[Stage], images: Tensor, epsilon: Tensor) -> Iterator[Any]:
    """In graphs: name, least and largest outputs of each layer, in order."""
    low, high = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)
    for stage in stages:
        low, high = stage.bounds(low, high)
        yield stage.name, low, high
