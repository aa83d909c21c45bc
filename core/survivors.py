"""An attack for growing radii: each image goes on from where it stood in the smaller ball."""

from typing import Any

import numpy as np

from core.attacks.geometry import NORMS, project, steepest
from core.backend import keras, tf
from core.checks import check_choice, check_range, check_whole
from core.classifier import IMAGES, Classifier, in_batches
from core.data import FloatArray, IntArray, check_classes, check_images
from core.forward import forward, in_loop

LOSSES = ("margin", "cross_entropy")
_BATCH = 64
_FIRST, _LAST = 0.4, 0.015  # the step, in units of the radius
_SUCCESS = 1e3  # above any loss: a misread image goes before any other


def push(
    classifier: Classifier,
    images: FloatArray,
    begin: FloatArray,
    labels: IntArray,
    epsilon: float,
    *,
    norm: str = "linf",
    loss: str = "margin",
    iterations: int = 20,
    to_the_end: bool = False,
) -> FloatArray:
    """From `begin` up the loss inside the ball around `images`: the best iterates [n, 28, 28, 1].

    A misread iterate is better than any other, then the higher loss is. images and begin float32
    [n, 28, 28, 1] in [0, 1]; epsilon 0 to 28 in the norm's unit; iterations 1 to 2,000, with steps
    that shrink from 0.4 ε to 0.015 ε. loss: "margin", the highest other logit minus the label's,
    or "cross_entropy". A batch whose images are all misread stops early, unless it goes
    `to_the_end`. Raises ValueError on other values. Projected gradient ascent of Madry et
    al. (2017), arXiv:1706.06083.
    """
    check_images(images)
    check_images(begin)
    labels = check_classes(labels, len(images))
    check_range("Epsilon", epsilon, 0, 28)
    check_choice("The norm", norm, NORMS)
    check_choice("The loss", loss, LOSSES)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    if not len(images):
        return images.copy()
    compiled = classifier.compiled(f"push/{norm}/{loss}", lambda model: _compile(model, norm, loss))
    numbers = tf.constant(epsilon, tf.float32), tf.constant(iterations), tf.constant(to_the_end)
    found: FloatArray = in_batches(
        lambda *batch: compiled(*batch, *numbers), images, begin, labels, batch=_BATCH
    )
    return found


def _compile(model: keras.Model, norm: str, loss: str) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor."""
    logits_of, loss_of = forward(model), {"margin": _margin, "cross_entropy": _cross_entropy}[loss]

    @in_loop
    def look(x: Any, labels: Any) -> Any:
        logits = logits_of(x)
        losses = loss_of(logits, labels)
        misread = tf.cast(tf.argmax(logits, axis=1) != labels, tf.float32)
        return losses + _SUCCESS * misread, tf.gradients(losses, x)[0], misread

    def ascend(
        images: Any, begin: Any, labels: Any, epsilon: Any, iterations: Any, to_the_end: Any
    ) -> Any:
        def one_step(step: Any, x: Any, best: Any, best_score: Any, left: Any) -> Any:
            score, gradient, misread = look(x, labels)
            best, best_score = _better(x, score, best, best_score)
            done = tf.cast(step, tf.float32) / tf.cast(iterations, tf.float32)
            stride = epsilon * _FIRST * (_LAST / _FIRST) ** done
            x = project(x + stride * steepest(gradient, norm), images, epsilon, norm)
            return step + 1, x, best, best_score, left * (1 - misread)

        count = tf.shape(images)[0]
        state = (
            tf.constant(0), project(begin, images, epsilon, norm), begin, tf.fill([count], -np.inf),
            tf.ones([count]),
        )  # fmt: skip
        _, x, best, best_score, _ = tf.while_loop(
            lambda step, _x, _best, _score, left: (
                (step < iterations) & (to_the_end | (tf.reduce_max(left) > 0))
            ),
            one_step,
            state,
        )
        score, _, _ = look(x, labels)
        return _better(x, score, best, best_score)[0]

    types = [IMAGES, IMAGES, tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)]
    types += [tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.bool)]
    compiled = tf.function(ascend, autograph=False, input_signature=types)
    compiled.get_concrete_function()  # here, because TensorFlow warns of many traces at calls
    return compiled


def _better(x: Any, score: Any, best: Any, best_score: Any) -> Any:
    keep = (score > best_score)[:, None, None, None]
    return tf.where(keep, x, best), tf.maximum(score, best_score)


def _margin(logits: Any, labels: Any) -> Any:
    own = tf.one_hot(labels, logits.shape[1])
    others = tf.reduce_max(logits - 1e9 * own, axis=1)
    return others - tf.reduce_sum(own * logits, axis=1)


def _cross_entropy(logits: Any, labels: Any) -> Any:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
