"""Detectors of attacked images: a score for each image, high where it looks attacked.

Feature squeezing, Xu et al. (2018), arXiv:1704.01155; the two detectors of MagNet, Meng and Chen
(2017), arXiv:1705.09064.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray, Tensor, check_images
from core.attacks.ascent import Best, ascend
from core.attacks.goals import Untargeted
from core.attacks.result import check_attack
from core.backend import compiled, keras, tf
from core.checks import check_range, check_whole
from core.data.spec import MNIST, DatasetSpec
from core.defenses.autoencoder import autoencoder
from core.defenses.filters import Filter, Mode, check_trained_on
from core.network.classifier import BATCH, Classifier, image_type, in_batches
from core.network.forward import forward, in_loop
from core.network.margins import margin

SQUEEZERS = (Filter("bits", 1), Filter("median", 3))
_TEMPERATURE = 10.0  # of both softmax answers that the divergence compares, as in the paper
_LEAD = 5.0  # of a wrong class, in logits, up to which the attack drives every view
_STAND_INS = ("identity", "smooth")
_TARGETS = 3  # classes that an image is driven to, one after the other
_BATCH = 50
_TINY = 1e-12


class Seen(NamedTuple):
    """In graphs: what a detector makes of images. score [n]; views: the logits of the image, then
    those of its changed versions, each [n, classes].
    """

    score: Tensor
    views: list[Any]


@dataclass(frozen=True)
class Detector:
    """A score between 0 and `top`. look(logits_of, images, mode) works inside graphs.

    trained_on: the one data set whose images it takes; None if any.
    """

    name: str
    summary: str
    top: float
    look: Callable[[Callable[[Any], Any], Any, Mode], Seen]
    trained_on: DatasetSpec | None = None

    def scores(self, classifier: Classifier, images: FloatArray) -> FloatArray:
        """The scores of images float32 [n, h, w, c] in [0, 1]: float32 [n]."""
        check_images(images, classifier.spec.shape)
        check_trained_on(self.trained_on, self.name, classifier.spec)
        if not len(images):
            return np.zeros(0, np.float32)
        compiled = classifier.compiled(("detect", self), self._compile)
        scores: FloatArray = in_batches(compiled, images, batch=BATCH)
        return scores

    def _compile(self, model: keras.Model) -> Any:
        logits_of = forward(model)
        return compiled(
            lambda images: self.look(logits_of, images, Mode()).score, image_type(model)
        )


def evade(
    classifier: Classifier,
    detector: Detector,
    images: FloatArray,
    labels: IntArray,
    *,
    epsilon: float = 0.3,
    iterations: int = 60,
    enough: float = 0.0,
) -> FloatArray:
    """Images float32 [n, h, w, c] that are misread with a low score: the detector is attacked.

    For each of the three likeliest other classes, and each stand-in of the detector's
    steps, gradient steps within `epsilon` (L∞): as long as one of the detector's views does not see
    the target, toward it, by the sign; then down the score, each pixel by its part in it, since
    signs would move pixels that do not count, and the score sees that. An image rests once it is
    misread with a score of `enough` at most; else its misread version with the lowest score is
    kept, and the original if there is none. images float32 [n, h, w, c] in [0, 1], labels
    int [n]. Raises ValueError on other values. Steps chosen as by Bryniarski et al. (2021),
    arXiv:2106.15023.
    """
    check_attack(classifier, images, Untargeted(labels), epsilon)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    check_range("The score that is enough", enough, 0, detector.top)
    found = images.copy()
    logits = classifier.logits(images)
    wrong = logits.argmax(axis=1) != labels
    best = np.where(wrong, detector.scores(classifier, images), np.inf)
    others = np.where(np.arange(logits.shape[1]) == labels[:, None], -np.inf, logits)
    order = np.argsort(-others, axis=1, kind="stable")
    for rank in range(min(_TARGETS, len(classifier.spec.classes) - 1)):
        for stand_in in _STAND_INS:
            rows = np.flatnonzero(best > enough)
            if not len(rows):
                return found
            drive = _driver(classifier, detector, stand_in, epsilon, iterations)
            tried = drive(images[rows], labels[rows].astype(np.int64), order[rows, rank])
            score = np.where(
                classifier.predict(tried) != labels[rows],
                detector.scores(classifier, tried),
                np.inf,
            )
            better = score < best[rows]
            found[rows[better]], best[rows[better]] = tried[better], score[better]
    return found


def _driver(
    classifier: Classifier, detector: Detector, stand_in: str, epsilon: float, iterations: int
) -> Callable[..., FloatArray]:
    """A function of images, their classes and those to drive them to: the images driven there."""
    compiled = classifier.compiled(
        ("evade", detector, stand_in), lambda model: _compile(model, detector, stand_in)
    )
    numbers = tf.constant(epsilon, tf.float32), tf.constant(iterations)

    def drive(*arrays: NDArray[Any]) -> FloatArray:
        driven: FloatArray = in_batches(
            lambda *batch: compiled(*batch, *numbers), *arrays, batch=_BATCH
        )
        return driven

    return drive


def _compile(model: keras.Model, detector: Detector, stand_in: str) -> Any:
    """The misread iterate with the lowest score, or the last one, as one graph."""
    logits_of = forward(model)

    @in_loop
    def slope(x: Tensor, labels: Tensor, targets: Tensor) -> Any:
        seen = detector.look(logits_of, x, Mode(stand_in))
        leads = [margin(logits, targets, -1.0) for logits in seen.views]
        missing = tf.add_n([tf.minimum(lead, _LEAD) for lead in leads])
        convinced = tf.reduce_all(tf.stack(leads) >= _LEAD, axis=0)
        chosen = tf.gradients(tf.where(convinced, -seen.score, missing), x)[0]
        steepest = tf.reduce_max(tf.abs(chosen), axis=(1, 2, 3), keepdims=True)
        convinced = convinced[:, None, None, None]
        scaled = tf.math.divide_no_nan(chosen, steepest)
        direction = tf.where(convinced, scaled, tf.sign(chosen))
        wrong = tf.argmax(seen.views[0], axis=1) != labels
        return direction, tf.where(wrong, seen.score, np.inf)

    def drive(
        images: Tensor, labels: Tensor, targets: Tensor, epsilon: Tensor, steps: Tensor
    ) -> Tensor:
        low, high = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)

        def look(x: Tensor) -> Any:
            direction, score = slope(x, labels, targets)
            return -score, tf.zeros_like(score, tf.bool), direction

        def move(step: Tensor, x: Tensor, direction: Tensor, best: Best) -> Any:
            share = 1 - tf.cast(step, tf.float32) / tf.cast(steps, tf.float32)
            size = 0.1 * epsilon * (0.05 + 0.95 * share)  # small in the end, for the score
            return (tf.clip_by_value(x + size * direction, low, high),)

        _, best, _ = ascend(look, images, move, lambda step, best: step < steps)
        return best.x

    classes, number = tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)
    return compiled(drive, image_type(model), classes, classes, number, tf.TensorSpec([], tf.int32))


def _squeezing(logits_of: Callable[[Tensor], Tensor], images: Tensor, mode: Mode) -> Seen:
    views = [logits_of(images)]
    views += [logits_of(squeezer.layer(mode)(images)) for squeezer in SQUEEZERS]
    answer, *squeezed = (tf.nn.softmax(logits) for logits in views)
    distances = [tf.reduce_sum(tf.abs(each - answer), axis=1) for each in squeezed]
    return Seen(tf.reduce_max(tf.stack(distances), axis=0), views)


def _reconstruction(logits_of: Callable[[Tensor], Tensor], images: Tensor, mode: Mode) -> Seen:
    change = _reformed(images, mode) - images
    squared = tf.reduce_mean(change**2, axis=(1, 2, 3))
    return Seen(tf.sqrt(squared + _TINY), [logits_of(images)])


def _reformed(images: Tensor, mode: Mode) -> Tensor:
    with tf.init_scope():  # its file is read outside the graph
        made_by = autoencoder()
    return made_by.layer(mode)(images)


def _divergence(logits_of: Callable[[Tensor], Tensor], images: Tensor, mode: Mode) -> Seen:
    views = [logits_of(images), logits_of(_reformed(images, mode))]
    first, second = (tf.nn.softmax(logits / _TEMPERATURE) for logits in views)
    middle = (first + second) / 2
    halves = [
        tf.reduce_sum(p * (tf.math.log(p + _TINY) - tf.math.log(middle + _TINY)), axis=1)
        for p in (first, second)
    ]
    return Seen(tf.maximum(tf.add_n(halves) / 2, 0.0), views)


DETECTORS = {
    detector.name: detector
    for detector in (
        Detector(
            "Feature squeezing",
            "The largest L1 distance between the answer to the image and those to its versions "
            "with one bit a pixel and behind a 3 × 3 median.",
            2.0,
            _squeezing,
        ),
        Detector(
            "Reconstruction error",
            "MagNet: the root mean square difference of the image to what an autoencoder that "
            "knows clean digits gives back.",
            1.0,
            _reconstruction,
            MNIST,
        ),
        Detector(
            "Jensen–Shannon",
            "MagNet: the divergence of the answers to the image and to what the autoencoder gives "
            "back, both at temperature 10.",
            math.log(2),
            _divergence,
            MNIST,
        ),
    )
}
