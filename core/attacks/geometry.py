"""Balls around an image: where a change may go, and which way is steepest."""

import math
from dataclasses import dataclass

import numpy as np

from core.arrays import COLORS, FloatArray, Tensor, check_images, largest_l2
from core.backend import tf
from core.checks import check_choice, check_range, check_seed, check_whole
from core.data.spec import MAX_SIDE
from core.keyed_noise import of_images

NORMS = ("linf", "l2")
FARTHEST = largest_l2((MAX_SIDE, MAX_SIDE, COLORS))  # of all images that there may be
_TINY = 1e-12


def largest(norm: str, shape: tuple[int, ...]) -> float:
    """What no change of an image of that shape is longer than."""
    return 1.0 if norm == "linf" else largest_l2(shape)


@dataclass(frozen=True)
class Ball:
    """Where a change may go: at most `epsilon` far, from 0, in one of NORMS.

    In the norm's unit, where a full pixel is 1. Raises ValueError on other values.
    """

    epsilon: float
    norm: str

    def __post_init__(self) -> None:
        check_range("Epsilon", self.epsilon, 0, FARTHEST)
        check_choice("The norm", self.norm, NORMS)


def random_start(images: FloatArray, ball: Ball, *, seed: int, restart: int = 0) -> FloatArray:
    """A random point of the ball around each image, clipped to [0, 1]: float32 as they are.

    Uniform in the ball by `seed`, the number of the restart, and the image's own pixels.
    """
    seed = check_seed(seed)
    restart = check_whole("The number of the restart", restart, 0, 1_000)
    check_images(images)
    shape = images.shape[1:]
    check_range("Epsilon", ball.epsilon, 0, largest_l2(shape))
    draws = of_images(images, seed, "start").at(restart)
    if ball.norm == "linf":
        change = ball.epsilon * (2 * draws.uniform(*shape) - 1)
    else:
        change = draws.at(0).normal(*shape)
        change /= np.sqrt((change**2).sum(axis=(1, 2, 3), keepdims=True)) + _TINY
        change *= ball.epsilon * draws.at(1).uniform(1, 1, 1) ** (1 / math.prod(shape))
    moved: FloatArray = np.clip(images + change, 0, 1).astype(np.float32)
    return moved


def steepest(gradient: Tensor, norm: str) -> Tensor:
    """In graphs: the direction of length 1 in `norm` along which a linear function rises most.

    A gradient of 0 has none, and gives 0.
    """
    if norm == "linf":
        return tf.sign(gradient)
    largest = tf.reduce_max(tf.abs(gradient), axis=(1, 2, 3), keepdims=True)
    gradient = tf.math.divide_no_nan(gradient, largest)  # squares of 1e-20 would be 0
    return tf.math.divide_no_nan(gradient, _length(gradient))


def project(images: Tensor, center: Tensor, epsilon: Tensor, norm: str) -> Tensor:
    """In graphs: the nearest images in the ball around `center`, then in the box [0, 1].

    The box moves no pixel further from a center inside it, so both hold at the end.
    """
    change = images - center
    if norm == "linf":
        change = tf.clip_by_value(change, -epsilon, epsilon)
    else:
        change *= tf.minimum(1.0, epsilon / (_length(change) + _TINY))
    return tf.clip_by_value(center + change, 0.0, 1.0)


def _length(change: Tensor) -> Tensor:
    return tf.sqrt(tf.reduce_sum(change**2, axis=(1, 2, 3), keepdims=True))
