"""What an image optimization maximizes: quantities of an image, scaled and added.

    objective = logit(classes) - 0.1 * squared_distance(sources) - 0.01 * total_variation()

Each quantity is one number for each image, larger is better unless its weight is negative.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray, Tensor, check_classes, check_images
from core.backend import keras, tf
from core.checks import check_whole
from core.network import margins

_INDICES = tf.TensorSpec([None], tf.int64)
_NOTHING = tf.TensorSpec([None], tf.float32)


INDEX, IMAGE, NOTHING = "index", "image", "nothing"
Shape = tuple[int, ...]


def _no_check(values: NDArray[Any], images: Shape, output: Shape) -> None:
    """Nothing to check."""


@dataclass(frozen=True)
class Quantity:
    """A quantity of an image that may be maximized; QUANTITIES lists them.

    apply(images, output, given): its values [n] in graphs, of images and of what a layer puts out
    for them. given: what it takes for each image: an INDEX, an IMAGE or NOTHING. check(values,
    images, output): raises ValueError on given values that do not fit both shapes.
    """

    name: str
    apply: Callable[[Any, Any, Any], Any]
    given: str = NOTHING
    check: Callable[[NDArray[Any], Shape, Shape], None] = _no_check


@dataclass(frozen=True, eq=False)
class Term:
    """One quantity: how it is called, its weight, the layer it reads, and its values per image."""

    kind: str
    layer: str = "logits"
    values: NDArray[Any] | None = None
    weight: float = 1.0

    @property
    def name(self) -> str:
        """What the term is called in a trajectory."""
        return self.kind if self.layer == "logits" else f"{self.kind} {self.layer}"


@dataclass(frozen=True, eq=False)
class Objective:
    """A weighted sum of terms, maximized."""

    terms: tuple[Term, ...]

    def __add__(self, other: "Objective") -> "Objective":
        return Objective(self.terms + other.terms)

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other

    def __rmul__(self, factor: float) -> "Objective":
        if not np.isfinite(factor):
            raise ValueError(f"The weight of a term is {factor}: choose a finite number.")
        return Objective(tuple(replace(t, weight=t.weight * float(factor)) for t in self.terms))

    def __neg__(self) -> "Objective":
        return -1.0 * self


def logit(classes: IntArray) -> Objective:
    """The logit of a class for each image, classes int [n] from 0."""
    return Objective((Term("logit", values=check_classes(classes, np.size(classes))),))


def cross_entropy(classes: IntArray) -> Objective:
    """−log p of a class for each image in nats; its gradient vanishes where p is 1."""
    return Objective((Term("cross-entropy", values=check_classes(classes, np.size(classes))),))


def channel(layer: str, channels: IntArray) -> Objective:
    """The mean of one channel of `layer` over its positions, or one unit of a dense layer.

    channels int [n], one for each image. Layers before their ReLU let a silent channel speak.
    """
    return Objective((Term("channel", layer, _whole("Channels", channels)),))


def unit(layer: str, units: IntArray) -> Objective:
    """One number of what `layer` puts out, for each image; units int [n], one for each image.

    Those of maps [h, w, channels] are counted as `np.ravel_multi_index` does.
    """
    return Objective((Term("unit", layer, _whole("Units", units)),))


def squared_distance(sources: FloatArray) -> Objective:
    """‖x − source‖² for each image, sources float32 [n, h, w, c] in [0, 1]."""
    check_images(sources)
    return Objective((Term("distance", values=sources),))


def energy() -> Objective:
    """‖x‖² for each image: the ink, squared."""
    return Objective((Term("energy"),))


def total_variation() -> Objective:
    """The sum of |differences| between neighboring pixels, in rows and columns."""
    return Objective((Term("total variation"),))


def _whole(what: str, numbers: IntArray) -> IntArray:
    numbers = np.asarray(numbers)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or (numbers < 0).any():
        raise ValueError(
            f"{what} are {numbers.dtype} {list(numbers.shape)}: give one whole number from 0 "
            "for each image."
        )
    return numbers.astype(np.int64)


def check_objective(objective: Objective, model: keras.Model, count: int) -> None:
    """Raise ValueError unless every term fits the model and has values for `count` images."""
    names = [layer.name for layer in model.layers]
    for term in objective.terms:
        if term.layer not in names:
            raise ValueError(f"There is no layer {term.layer!r}: choose of {', '.join(names)}.")
        if term.values is not None and len(term.values) != count:
            raise ValueError(
                f"The term {term.name} has values for {len(term.values)} images, and there are "
                f"{count}: give one for each."
            )
        if term.values is not None and len(term.values):
            shape = tuple(model.get_layer(term.layer).output.shape[1:])
            QUANTITIES[term.kind].check(term.values, model.input_shape[1:], shape)


def term_names(objective: Objective) -> list[str]:
    """A name for each term; those that would be the same are numbered from the second on."""
    names: list[str] = []
    for term in objective.terms:
        same = sum(name.split(" #")[0] == term.name for name in names)
        names.append(f"{term.name} #{same + 1}" if same else term.name)
    return names


def signature(objective: Objective, images: tf.TensorSpec) -> list[Any]:
    """The TensorFlow types of `arguments`, the same for every objective of the same kinds.

    images: that of the images.
    """
    types = {INDEX: _INDICES, IMAGE: images, NOTHING: _NOTHING}
    return [types[QUANTITIES[term.kind].given] for term in objective.terms]


def arguments(objective: Objective, *, copies: int = 1) -> list[Any]:
    """The terms' values as tensors, in order; for `copies` of all images, one behind the other."""
    values = [np.zeros(0, np.float32) if t.values is None else t.values for t in objective.terms]
    return [tf.constant(np.concatenate([each] * copies)) for each in values]


def layers_of(objective: Objective) -> list[str]:
    """The layers that the terms read."""
    return [term.layer for term in objective.terms]


def values_of(
    objective: Objective, images: Tensor, outputs: dict[str, Any], given: Sequence[Any]
) -> list[Tensor]:
    """In graphs: each term's values [n] of images [n, h, w, c].

    outputs: what each of `layers_of` puts out for them; given: `arguments`.
    """
    return [
        QUANTITIES[term.kind].apply(images, outputs[term.layer], argument)
        for term, argument in zip(objective.terms, given, strict=True)
    ]


def _logit(_: Tensor, logits: Tensor, classes: Tensor) -> Tensor:
    return tf.gather(logits, classes, batch_dims=1)


def _cross_entropy(_: Tensor, logits: Tensor, classes: Tensor) -> Tensor:
    return margins.cross_entropy(logits, classes)


def _channel(_: Tensor, output: Tensor, channels: Tensor) -> Tensor:
    if len(output.shape) == 4:
        output = tf.reduce_mean(output, axis=(1, 2))
    return tf.gather(output, channels, batch_dims=1)


def _unit(_: Tensor, output: Tensor, units: Tensor) -> Tensor:
    return tf.gather(tf.reshape(output, [tf.shape(output)[0], -1]), units, batch_dims=1)


def _distance(images: Tensor, _: Tensor, sources: Tensor) -> Tensor:
    return tf.reduce_sum((images - sources) ** 2, axis=(1, 2, 3))


def _energy(images: Tensor, _: Tensor, __: Tensor) -> Tensor:
    return tf.reduce_sum(images**2, axis=(1, 2, 3))


def _total_variation(images: Tensor, _: Tensor, __: Tensor) -> Tensor:
    return tf.image.total_variation(images)


def _check_classes(classes: NDArray[Any], _: Shape, output: Shape) -> None:
    check_classes(classes, len(classes), output[-1])


def _check_channels(channels: NDArray[Any], _: Shape, output: Shape) -> None:
    check_whole("The channel", int(channels.max()), 0, output[-1] - 1)


def _check_units(units: NDArray[Any], _: Shape, output: Shape) -> None:
    check_whole("The unit", int(units.max()), 0, math.prod(output) - 1)


def _check_sources(sources: NDArray[Any], images: Shape, _: Shape) -> None:
    check_images(sources, images)


QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("logit", _logit, INDEX, _check_classes),
        Quantity("cross-entropy", _cross_entropy, INDEX, _check_classes),
        Quantity("channel", _channel, INDEX, _check_channels),
        Quantity("unit", _unit, INDEX, _check_units),
        Quantity("distance", _distance, IMAGE, _check_sources),
        Quantity("energy", _energy),
        Quantity("total variation", _total_variation),
    )
}
