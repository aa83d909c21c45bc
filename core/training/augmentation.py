"""Random moves of images inside the graph, and the seeds of everything random in it."""

from typing import Any

import numpy as np

from core.arrays import COLORS, Tensor
from core.backend import tf


def stateless_seed(seed: Tensor, *salt: int) -> Tensor:
    """A stateless seed for one use in one step; `salt` tells the uses apart, each below 8."""
    number, step = seed
    return tf.stack([number, step * 64 + sum(s * 8**i for i, s in enumerate(salt))])


def scaled(images: Tensor) -> Tensor:
    """In graphs: float32 images [n, side, side, channels] in [0, 1] of uint8, as `to_float`."""
    pixels = tf.cast(images, tf.float32)
    return (pixels if images.shape[-1] == COLORS else pixels[..., tf.newaxis]) / 255.0


def augment(images: Tensor, seed: Tensor, scalars: Any) -> Tensor:
    """Images turned by up to ± rotation degrees and shifted by up to ± shift pixels, bilinear."""
    shift, rotation = scalars["shift"], scalars["rotation"] * (np.pi / 180)

    def moved() -> Any:
        count = tf.shape(images)[0]
        draws = tf.random.stateless_uniform([3, count], stateless_seed(seed, 0, 1), -1.0, 1.0)
        cos, sin = tf.cos(draws[0] * rotation), tf.sin(draws[0] * rotation)
        side = images.shape[1]
        center = (side - 1) / 2
        dx, dy = tf.round(draws[1] * (shift + 0.5)), tf.round(draws[2] * (shift + 0.5))
        dx, dy = tf.clip_by_value(dx, -shift, shift), tf.clip_by_value(dy, -shift, shift)
        zero = tf.zeros_like(cos)
        transforms = tf.stack(
            [
                cos, -sin, center - cos * (center + dx) + sin * (center + dy),
                sin, cos, center - sin * (center + dx) - cos * (center + dy),
                zero, zero,
            ],
            axis=1,
        )  # fmt: skip
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images, transforms=transforms, output_shape=[side, side], fill_value=0.0,
            interpolation="BILINEAR", fill_mode="CONSTANT",
        )  # fmt: skip

    return tf.cond((shift > 0) | (rotation > 0), moved, lambda: images)
