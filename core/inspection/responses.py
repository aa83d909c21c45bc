"""What layers answer to real images, and where a made image's answer lies among theirs."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor, check_images
from core.backend import compiled, keras, tf
from core.checks import check_whole
from core.network.classifier import Classifier, image_type, in_batches
from core.network.stages.table import stages_of
from core.statistics.rate import Rate


@dataclass(frozen=True)
class HiddenLayer:
    """A layer between image and logits that can be asked what it wants to see.

    shape: [h, w, channels] or [units]. rectified: a ReLU reads it or stands before it, so a value
    of at most 0 is silence. linear: a weighted sum of pixels.
    """

    name: str
    shape: tuple[int, ...]
    rectified: bool
    linear: bool

    @property
    def channels(self) -> int:
        """Channels of maps, or units."""
        return self.shape[-1]


def hidden_layers(model: keras.Model) -> list[HiddenLayer]:
    """The layers of `model` that compute something, in order, without image and logits."""
    stages = [stage for stage in stages_of(model) if not stage.idle]
    found: list[HiddenLayer] = []
    linear = True
    for stage, following in itertools.pairwise(stages):
        linear = linear and stage.linear
        shape = tuple(int(side) for side in stage.layer.output.shape[1:])
        rectified = stage.rectifies or stage.pools or following.rectifies
        found.append(HiddenLayer(stage.name, shape, rectified, linear))
    return found


@dataclass(frozen=True, eq=False)
class Responses:
    """What the channels of a layer answer to n images.

    means: over the positions of each image, float32 [n, channels]. largest: at any position of any
    image, float32 [channels].
    """

    means: FloatArray
    largest: FloatArray


def responses(classifier: Classifier, images: FloatArray, layer: str) -> Responses:
    """The answers of all channels of `layer` to images float32 [n, h, w, c]."""
    check_images(images, classifier.spec.shape)
    compiled = classifier.compiled(
        f"responses/{layer}", lambda model: _compile_responses(model, layer)
    )
    both = in_batches(compiled, images)
    return Responses(both[:, 0], both[:, 1].max(axis=0, initial=-np.inf))


def joined(parts: Sequence[Responses]) -> Responses:
    """The answers to all images, from those to parts of them."""
    largest = np.stack([each.largest for each in parts]).max(axis=0)
    return Responses(np.concatenate([each.means for each in parts]), largest)


def _compile_responses(model: keras.Model, layer: str) -> Any:
    until = keras.Model(model.inputs, model.get_layer(layer).output)

    def both(images: Tensor) -> Tensor:
        """Mean and maximum over the positions: [n, 2, channels]."""
        output = until(images, training=False)
        flat = tf.reshape(output, [tf.shape(output)[0], -1, output.shape[-1]])
        return tf.stack([tf.reduce_mean(flat, axis=1), tf.reduce_max(flat, axis=1)], axis=1)

    return compiled(both, image_type(model))


def unit_responses(
    classifier: Classifier, images: FloatArray, layer: str, number: int
) -> FloatArray:
    """What one unit of `layer` answers to images [n, h, w, c], n ≥ 1: float32 [n]."""
    check_images(images, classifier.spec.shape)
    units = math.prod(classifier.model.get_layer(layer).output.shape[1:])
    number = check_whole("The unit", number, 0, units - 1)
    compiled = classifier.compiled(f"unit/{layer}", lambda model: _compile_unit(model, layer))
    place = tf.constant(number, tf.int64)
    values: FloatArray = in_batches(lambda part: compiled(part, place), images)
    return values


def _compile_unit(model: keras.Model, layer: str) -> Any:
    until = keras.Model(model.inputs, model.get_layer(layer).output)

    def value(images: Tensor, number: Tensor) -> Tensor:
        output = until(images, training=False)
        return tf.reshape(output, [tf.shape(output)[0], -1])[:, number]

    return compiled(value, image_type(model), tf.TensorSpec([], tf.int64))


@dataclass(frozen=True)
class ChannelStanding:
    """Where a made image's value lies among those of real images.

    less: how many real images excite it less (where it was minimized: more). extreme: the value of
    the real image that excites it most. typical: the median.
    """

    value: float
    less: Rate
    extreme: float
    typical: float

    @property
    def beyond(self) -> float:
        """How far from the median, in distances of the most excited real image from it."""
        reach = self.extreme - self.typical
        return (self.value - self.typical) / reach if reach else math.inf


def standing(value: float, real: FloatArray, *, minimize: bool = False) -> ChannelStanding:
    """Where `value` lies among the values `real` [n] of real images, n ≥ 1."""
    less = real > value if minimize else real < value
    return ChannelStanding(
        value=float(value),
        less=Rate.of(less),
        extreme=float(real.min() if minimize else real.max()),
        typical=float(np.median(real)),
    )


def most_exciting(real: FloatArray, count: int = 9, *, minimize: bool = False) -> IntArray:
    """The `count` images of the largest (or smallest) values [n], that one first: int64."""
    count = check_whole("The number of images", count, 1, len(real))
    order = np.argsort(real if minimize else -real, kind="stable")
    return order[:count].astype(np.int64)


def most_similar(images: FloatArray, real: FloatArray) -> tuple[IntArray, FloatArray]:
    """For each image the real one at the smallest angle: its index [n] and the cosine [n].

    Both float32 [·, side, side, channels]. The cosine with an empty image is 0.
    """
    made, found = (each.reshape(len(each), math.prod(each.shape[1:])) for each in (images, real))
    cosines = made @ found.T / np.outer(_lengths(made), _lengths(found))
    best = cosines.argmax(axis=1)
    return best, cosines[np.arange(len(images)), best]


def _lengths(rows: FloatArray) -> FloatArray:
    """Of each row, and 1 of an empty one."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.where(lengths == 0, np.float32(1), lengths)
