"""An attack for growing radii: each image goes on from where it stood in the smaller ball."""

from dataclasses import dataclass
from typing import Any

from core.arrays import FloatArray, IntArray, Tensor, check_classes, check_images
from core.attacks.ascent import Best, ascend, seen_at
from core.attacks.geometry import Ball, project, steepest
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_range, check_whole
from core.network.classifier import Classifier, image_type, in_batches
from core.network.forward import forward
from core.network.margins import log_odds_against, margin

LOSSES = ("margin", "cross_entropy")
_BATCH = 64
_FIRST, _LAST = 0.4, 0.015  # the step, in units of the radius


@dataclass(frozen=True)
class Climb:
    """How an image goes: up which loss, in how many steps, and whether beyond the goal.

    loss: "margin", the highest other logit minus the label's, or "cross_entropy". iterations 1 to
    2,000. An image that is misread rests, whatever becomes of the others, unless it goes
    `to_the_end`. Raises ValueError on other values.
    """

    loss: str = "margin"
    iterations: int = 20
    to_the_end: bool = False

    def __post_init__(self) -> None:
        check_choice("The loss", self.loss, LOSSES)
        iterations = check_whole("The number of iterations", self.iterations, 1, 2_000)
        object.__setattr__(self, "iterations", iterations)


def push(
    classifier: Classifier,
    images: FloatArray,
    begin: FloatArray,
    labels: IntArray,
    ball: Ball,
    climb: Climb,
) -> FloatArray:
    """From `begin` up the loss inside the ball around `images`: the best iterates [n, h, w, c].

    A misread iterate is better than any other, then the higher loss is. images and begin float32
    [n, h, w, c] in [0, 1]; ball: one radius ε for all; the steps shrink from 0.4 ε to 0.015 ε.
    Raises ValueError on other values. Projected gradient ascent of Madry et al. (2017),
    arXiv:1706.06083.
    """
    spec = classifier.spec
    check_images(images, spec.shape)
    check_images(begin, spec.shape)
    labels = check_classes(labels, len(images), len(spec.classes))
    check_range("Epsilon", ball.epsilon, 0, spec.largest_l2)
    if not len(images):
        return images.copy()
    norm, loss = ball.norm, climb.loss
    compiled = classifier.compiled(f"push/{norm}/{loss}", lambda model: _compile(model, norm, loss))
    numbers = [tf.constant(ball.epsilon, tf.float32), tf.constant(climb.iterations)]
    numbers.append(tf.constant(climb.to_the_end))
    found: FloatArray = in_batches(
        lambda *batch: compiled(*batch, *numbers), images, begin, labels, batch=_BATCH
    )
    return found


def _compile(model: keras.Model, norm: str, loss: str) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    def ascent(
        images: Tensor,
        begin: Tensor,
        labels: Tensor,
        epsilon: Tensor,
        iterations: Tensor,
        to_the_end: Tensor,
    ) -> Tensor:
        def value_of(logits: Tensor) -> Tensor:
            if loss == "margin":
                return margin(logits, labels, 1.0)
            return log_odds_against(logits, labels)

        def move(step: Tensor, x: Tensor, gradient: Tensor, best: Best) -> Any:
            done = tf.cast(step, tf.float32) / tf.cast(iterations, tf.float32)
            stride = epsilon * _FIRST * (_LAST / _FIRST) ** done
            moved = project(x + stride * steepest(gradient, norm), images, epsilon, norm)
            rests = best.reached & ~to_the_end
            return (tf.where(rests[:, None, None, None], x, moved),)

        def going(step: Tensor, best: Best) -> Tensor:
            return (step < iterations) & (to_the_end | ~tf.reduce_all(best.reached))

        look = seen_at(logits_of, value_of, labels, tf.constant(1.0))
        _, best, _ = ascend(look, project(begin, images, epsilon, norm), move, going)
        return best.x

    images = image_type(model)
    types = [images, images, tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)]
    types += [tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.bool)]
    return compiled(ascent, *types)
