"""How interval bounds grow with ε, where they end to prove anything, and where they get loose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor, check_classes, check_image
from core.backend import compiled, keras, tf
from core.certification.interval_bounds import Bounds, certified, interval_bounds, margin_bounds
from core.checks import check_range, check_seed, check_whole
from core.network.classifier import Classifier, image_type, in_batches
from core.network.forward import in_loop, layer_outputs
from core.network.stages.table import stages_of
from core.optimization.signs import along_signs

_HALVINGS = 20  # of the interval from 0 to 1: a millionth
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Growth:
    """Bounds of an image's logits at each of k values of ε, all float32.

    logits: both ends [k, classes]. plain [k]: the least margin of the label over another class
    that the ends of the logits leave; elided [k]: the same with the last layer elided.
    """

    epsilons: FloatArray
    logits: Bounds
    plain: FloatArray
    elided: FloatArray


@dataclass(frozen=True, eq=False)
class Looseness:
    """Intervals of some units of a layer, and what attacks on each of these units have reached.

    proven, reached: both ends float32 [units].
    """

    layer: str
    units: int
    proven: Bounds
    reached: Bounds

    @property
    def ratio(self) -> float:
        """Mean width of the intervals over the mean width reached; infinite if nothing moved.

        1 is tight. What is reached is never more than what is possible, so that this is the most
        by which the bounds can be loose.
        """
        reached = float(self.reached.width.mean())
        return float(self.proven.width.mean()) / reached if reached else float("inf")


def growth(
    classifier: Classifier, image: FloatArray, label: int, epsilons: Sequence[float]
) -> Growth:
    """Bounds for an image float32 [1, h, w, c] in [0, 1] of class `label`, for each ε in [0, 1].

    Raises ValueError on other values, and on a network with a layer that has no interval rule.
    """
    check_image(image, classifier.spec.shape)
    labels = check_classes(np.array([label]), 1, len(classifier.spec.classes))
    ends = [interval_bounds(classifier, image, epsilon)["logits"] for epsilon in epsilons]
    lower, upper = (np.concatenate([getattr(end, name) for end in ends]) for name in Bounds._fields)
    others = np.arange(lower.shape[1]) != label
    margins = [margin_bounds(classifier, image, labels, epsilon)[0] for epsilon in epsilons]
    return Growth(
        epsilons=np.asarray(epsilons, np.float32),
        logits=Bounds(lower, upper),
        plain=lower[:, label] - upper[:, others].max(axis=1),
        elided=np.stack(margins)[:, others].min(axis=1),
    )


def certified_radius(classifier: Classifier, image: FloatArray, label: int) -> float:
    """The largest ε for which an image is proven to be read as `label`, down to a millionth.

    0 if it is misread as it is. image float32 [1, h, w, c] in [0, 1]; errors as of `growth`.
    """
    check_image(image, classifier.spec.shape)
    labels = check_classes(np.array([label]), 1, len(classifier.spec.classes))
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if certified(classifier, image, labels, middle)[0]:
            low = middle
        else:
            high = middle
    return low


def looseness(
    classifier: Classifier,
    image: FloatArray,
    epsilon: float,
    *,
    units: int = 16,
    iterations: int = 20,
    seed: int = 0,
) -> list[Looseness]:
    """How loose the bounds are behind each convolution and dense layer, the logits last.

    Of each layer, `units` (at most) are drawn; each is driven up and down within ε (0 to 1) by
    `iterations` signed gradient steps, and so are the others by what was found for one. image
    float32 [1, h, w, c] in [0, 1]. Errors as of `growth`.
    """
    seed = check_seed(seed)
    check_image(image, classifier.spec.shape)
    check_range("Epsilon", epsilon, 0, 1)
    units = check_whole("The number of units", units, 1, 1_000)
    iterations = check_whole("The number of iterations", iterations, 1, 1_000)
    bounds = interval_bounds(classifier, image, epsilon)
    names = _weighted(classifier.model)
    sizes = [bounds[name].lower.size for name in names]
    random = np.random.default_rng(seed)
    drawn = [np.sort(random.choice(size, min(units, size), replace=False)) for size in sizes]
    starts = np.cumsum([0, *sizes[:-1]])
    every = np.concatenate([rows + start for rows, start in zip(drawn, starts, strict=True)])
    values = _driven(classifier, image, every, epsilon, iterations)
    found, first = [], 0
    for name, rows, size in zip(names, drawn, sizes, strict=True):
        columns = values[:, first : first + len(rows)]
        first += len(rows)
        proven = Bounds(*(end.reshape(-1)[rows] for end in bounds[name]))
        reached = Bounds(columns.min(axis=0), columns.max(axis=0))
        found.append(Looseness(name, size, proven, reached))
    return found


def _weighted(model: keras.Model) -> list[str]:
    return [stage.name for stage in stages_of(model) if stage.weighted]


def _driven(
    classifier: Classifier, image: FloatArray, units: IntArray, epsilon: float, iterations: int
) -> FloatArray:
    """What `units` say to images that drive each of them up and down: float32 [2 units, units]."""
    compiled = classifier.compiled("drive units", _compile)
    goals = np.tile(units, 2).astype(np.int32)
    signs = np.repeat(np.array([1, -1], np.float32), len(units))
    numbers = tf.constant(epsilon, tf.float32), tf.constant(iterations)
    watched = tf.constant(units.astype(np.int32))
    values: FloatArray = in_batches(
        lambda units, signs: compiled(tf.constant(image), units, signs, watched, *numbers),
        goals, signs, batch=_BATCH,
    )  # fmt: skip
    return values


def _compile(model: keras.Model) -> Any:
    """Signed ascent of one unit for each row, from the image, as one graph."""
    names = _weighted(model)
    outputs = layer_outputs(model, names)

    def flat(images: Tensor) -> Tensor:
        values, count = outputs(images), tf.shape(images)[0]
        return tf.concat([tf.reshape(values[name], [count, -1]) for name in names], axis=1)

    @in_loop
    def slope(x: Tensor, units: Tensor) -> Tensor:
        return tf.gradients(tf.gather(flat(x), units, axis=1, batch_dims=1), x)[0]

    def drive(
        image: Tensor, units: Tensor, signs: Tensor, watched: Tensor, epsilon: Tensor, steps: Tensor
    ) -> Tensor:
        box = tf.maximum(image - epsilon, 0.0), tf.minimum(image + epsilon, 1.0)
        size = 2.5 * epsilon / tf.cast(steps, tf.float32) * signs[:, None, None, None]
        start = tf.repeat(image, tf.shape(units)[0], axis=0)
        x = along_signs(lambda x: slope(x, units), start, size, box, steps)
        return tf.gather(flat(x), watched, axis=1)

    whole, number = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.float32)
    types = [image_type(model), whole, tf.TensorSpec([None], tf.float32), whole, number]
    types.append(tf.TensorSpec([], tf.int32))
    return compiled(drive, *types)
