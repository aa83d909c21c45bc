"""What the loss looks like around an image: its gradient, differences, and a plane through it.

The loss is the margin of the runner-up: the logit of the highest other class at the image minus
that of the label, for classes held fixed. On a linear classifier it is linear.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray, IntArray, Tensor, check_classes, check_images
from core.backend import compiled, keras, tf
from core.checks import check_range, check_seed, check_whole
from core.keyed_noise import of_images
from core.network.classifier import Classifier, image_type, in_batches
from core.network.forward import forward
from core.network.margins import log_odds_against, own

LOOKED_AT = 100  # images at most, where a study of many asks for `without_gradient`
_BATCH = 64
_FLAT = 1e-9  # variance of a surface below which it is constant


@dataclass(frozen=True, eq=False)
class Surfaces:
    """The margin's rise on a plane through each of n images, all inside the box.

    rise float32 [n, m, m]: behind steps along[row] of the random direction and along[column] of
    the gradient's sign, along from 0 to 1, where 1 is ε in every pixel that has room.
    """

    along: FloatArray
    rise: FloatArray

    @property
    def roughness(self) -> FloatArray:
        """Which share of a surface's variance no plane explains: [n]; 0 is linear, NaN is flat."""
        grid = np.stack(np.meshgrid(self.along, self.along), axis=-1).reshape(-1, 2)
        design = np.column_stack([grid, np.ones(len(grid))])
        heights = self.rise.reshape(-1, len(grid)).T.astype(np.float64)
        fitted = design @ np.linalg.lstsq(design, heights, rcond=None)[0]
        spread = heights.var(axis=0)
        left = ((heights - fitted) ** 2).mean(axis=0)
        rough: FloatArray = np.where(
            spread > _FLAT, left / np.maximum(spread, _FLAT), np.nan
        ).astype(np.float32)
        return rough


def runner_up(classifier: Classifier, images: FloatArray, labels: IntArray) -> IntArray:
    """The class beside the label with the highest logit: int64 [n]."""
    logits = classifier.logits(images).copy()
    logits[np.arange(len(labels)), labels] = -np.inf
    others: IntArray = logits.argmax(axis=1)
    return others


def input_gradients(
    classifier: Classifier, images: FloatArray, labels: IntArray, others: IntArray
) -> tuple[FloatArray, FloatArray]:
    """The gradients that attacks on the cross-entropy and on the margin follow.

    float32 [n, h, w, c] both; the first is that of the log odds against the label, which has the
    direction of the cross-entropy's and does not vanish where the network is sure.
    images float32 [n, h, w, c], n ≥ 1, in [0, 1]; labels and others int64 [n].
    """
    check_images(images, classifier.spec.shape)
    labels = check_classes(labels, len(images), len(classifier.spec.classes))
    compiled = classifier.compiled("input gradients", _compile)
    both: FloatArray = in_batches(compiled, images, labels, others, batch=_BATCH)
    return both[:, 0], both[:, 1]


def without_gradient(
    classifiers: Iterable[Classifier], images: FloatArray, classes: IntArray
) -> BoolArray:
    """Images on which no classifier gives an attack anything to follow: bool [n].

    The gradient of the log odds against `classes` is exactly 0 in every pixel: of units that are
    all silent, or of a step without a slope. Attacks along it leave such an image where it is.
    images float32 [n, h, w, c] in [0, 1], classes int64 [n]; classifiers: those whose gradients
    are tried, one or more.
    """
    if not len(images):
        return np.zeros(0, bool)
    flat: BoolArray = np.logical_and.reduce(
        [
            ~np.any(input_gradients(each, images, classes, classes)[0], axis=(1, 2, 3))
            for each in classifiers
        ]
    )
    return flat


def difference_cosines(
    classifier: Classifier,
    images: FloatArray,
    labels: IntArray,
    *,
    step: float = 0.01,
    directions: int = 24,
    seed: int = 0,
    source: Classifier | None = None,
) -> FloatArray:
    """Cosine between the margin's slopes by its gradient and by differences: float32 [n].

    Along `directions` random sign vectors, at each image drawn in from 0 and 1 by `step` so that
    both ends of ± `step` a pixel lie in the box. A zero gradient counts as 0, and so does a margin
    without differences. `source` gives the gradient, if it is another than the classifier.
    """
    seed = check_seed(seed)
    check_range("The step", step, 1e-4, 0.25)
    directions = check_whole("The number of directions", directions, 2, 1_000)
    inner = (step + (1 - 2 * step) * images).astype(np.float32)
    others = runner_up(classifier, images, labels)
    _, gradient = input_gradients(source or classifier, inner, labels, others)
    signs = np.random.default_rng(seed).choice(
        np.array([-1, 1], np.float32), (directions, *images.shape[1:])
    )
    by_gradient = gradient.reshape(len(images), signs[0].size) @ signs.reshape(directions, -1).T
    by_difference = np.stack(
        [
            _margins(classifier, np.clip(inner + step * sign, 0, 1), labels, others)
            - _margins(classifier, np.clip(inner - step * sign, 0, 1), labels, others)
            for sign in signs
        ],
        axis=1,
    )
    lengths = np.linalg.norm(by_gradient, axis=1) * np.linalg.norm(by_difference, axis=1)
    product = (by_gradient * by_difference).sum(axis=1)
    cosines: FloatArray = product / np.where(lengths > 0, lengths, np.inf)
    return cosines


def directions(
    classifier: Classifier,
    images: FloatArray,
    labels: IntArray,
    epsilon: float,
    *,
    seed: int = 0,
    source: Classifier | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Steps of ε along the margin gradient's sign, and along random signs: [n, h, w, c] both.

    Cut so that the image, each step and their sum lie in the box.
    """
    seed = check_seed(seed)
    check_range("Epsilon", epsilon, 0, 1)
    others = runner_up(classifier, images, labels)
    _, gradient = input_gradients(source or classifier, images, labels, others)
    up = np.clip(images + np.float32(epsilon) * np.sign(gradient), 0, 1).astype(np.float32) - images
    low = np.maximum(-images, -(images + up))
    high = np.minimum(1 - images, 1 - (images + up))
    across = np.clip(np.float32(epsilon) * _signs(images, seed), low, high).astype(np.float32)
    return up, across


def surfaces(
    classifier: Classifier,
    images: FloatArray,
    labels: IntArray,
    epsilon: float,
    *,
    points: int = 15,
    seed: int = 0,
    source: Classifier | None = None,
) -> Surfaces:
    """The planes through images [n, h, w, c], n ≥ 1, spanned by `directions`; points 2 to 101."""
    seed = check_seed(seed)
    points = check_whole("The number of points", points, 2, 101)
    up, across = directions(classifier, images, labels, epsilon, seed=seed, source=source)
    others = runner_up(classifier, images, labels)
    along = np.linspace(0, 1, points, dtype=np.float32)
    heights = [
        _margins(classifier, np.clip(images + b * across + a * up, 0, 1), labels, others)
        for b in along
        for a in along
    ]
    rise = np.stack(heights, axis=1).reshape(len(images), points, points)
    return Surfaces(along, rise - rise[:, :1, :1])


def rises(
    classifier: Classifier,
    images: FloatArray,
    labels: IntArray,
    epsilon: float,
    *,
    seed: int = 0,
    source: Classifier | None = None,
) -> tuple[FloatArray, FloatArray]:
    """How far the margin rises behind ε along its gradient's sign, and along random signs.

    float32 [n] both. Unlike in `directions`, both steps are cut by the box alone, so that neither
    is the longer one by rule.
    """
    seed = check_seed(seed)
    others = runner_up(classifier, images, labels)
    begin = _margins(classifier, images, labels, others)
    up, _ = directions(classifier, images, labels, epsilon, seed=seed, source=source)
    along, beside = (
        _margins(classifier, np.clip(images + step, 0, 1), labels, others) - begin
        for step in (up, np.float32(epsilon) * _signs(images, seed))
    )
    return along, beside


def _signs(images: FloatArray, seed: int) -> FloatArray:
    return of_images(images, seed, "signs").signs(*images.shape[1:])


def _margins(
    classifier: Classifier, images: FloatArray, labels: IntArray, others: IntArray
) -> NDArray[np.float32]:
    logits, rows = classifier.logits(images), np.arange(len(images))
    margins: FloatArray = logits[rows, others] - logits[rows, labels]
    return margins


def _compile(model: keras.Model) -> Any:
    logits_of = forward(model)

    def gradients(images: Tensor, labels: Tensor, others: Tensor) -> Tensor:
        logits = logits_of(images)
        followed = log_odds_against(logits, labels)
        margins = own(logits, others) - own(logits, labels)
        # no tape: it cannot go back twice through the loop of a projection's descent
        both = [tf.gradients(each, images)[0] for each in (followed, margins)]
        return tf.stack(both, axis=1)

    classes = tf.TensorSpec([None], tf.int64)
    return compiled(gradients, image_type(model), classes, classes)
