"""Random numbers for random defenses: keyed by a seed and by the image itself.

A defense that draws this way answers an image the same whenever and in whatever batch it is asked,
and draws anew as soon as a pixel changes by 1/8192, so that every step of an attack meets other
draws. Below that it does not look: a filter in front may round otherwise in another batch.
"""

from typing import Any

import numpy as np

from core.backend import tf
from core.data import SIDE

_ODD = np.random.default_rng(0).integers(0, 2**31, SIDE * SIDE, dtype=np.uint32) * 2 + 1
_LEVELS = 8192  # of a pixel value, that draws tell apart
_GOLDEN = np.uint32(0x9E3779B9)  # 2³² over the golden ratio: consecutive multiples lie far apart


def uniform(images: Any, count: int, seed: int, draws: int = 1) -> Any:
    """In graphs: numbers in (0, 1), float32 [n, count], for images float32 [n, 28, 28, 1].

    `draws` rows in a row that hold the same image get different numbers.
    """
    pixels = tf.stop_gradient(tf.reshape(images, [-1, SIDE * SIDE]))
    words = tf.cast(tf.cast(tf.round(pixels * _LEVELS), tf.int32), tf.uint32)
    draw = tf.cast(tf.range(tf.shape(images)[0]) % draws, tf.uint32)
    image = tf.reduce_sum(_mixed(words) * _ODD, axis=1)
    image = _mixed(_mixed(image + np.uint32(seed)) + draw * _GOLDEN)
    counter = _mixed(tf.cast(tf.range(1, count + 1), tf.uint32) * _GOLDEN)
    bits = _mixed(tf.bitwise.bitwise_xor(image[:, None], counter[None]))
    return (tf.cast(bits // np.uint32(256), tf.float32) + 0.5) / 2**24


def normal(images: Any, count: int, seed: int, draws: int = 1) -> Any:
    """In graphs: standard normal numbers, float32 [n, count]. Box and Muller (1958)."""
    numbers = uniform(images, 2 * count, seed, draws)
    radius = tf.sqrt(-2 * tf.math.log(numbers[:, :count]))
    return radius * tf.cos(2 * np.pi * numbers[:, count:])


def _mixed(words: Any) -> Any:
    """Every bit of a uint32 depends on all bits; the finalizer of MurmurHash3 (Appleby 2011)."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        words = tf.bitwise.bitwise_xor(words, tf.bitwise.right_shift(words, np.uint32(shift)))
        words = words * np.uint32(factor)
    return tf.bitwise.bitwise_xor(words, tf.bitwise.right_shift(words, np.uint32(16)))
