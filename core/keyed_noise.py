"""Random numbers keyed by a seed, a purpose and the image itself, in graphs and in NumPy.

What draws this way answers an image the same whenever and in whatever batch it is asked, and equal
images share one fate. It draws anew as soon as a pixel changes by 1/8192, so that every step of an
attack meets other draws of a random defense. Below that it does not look: a filter in front may
round otherwise in another batch.
"""

import functools
import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from core.arrays import FloatArray, IntArray, Tensor, check_images
from core.backend import tf
from core.checks import MAX_SEED, check_seed, check_whole

DoubleArray = NDArray[np.float64]
Keys = NDArray[np.uint64]

_LEVELS = 8192  # of a pixel value, that draws tell apart
# 2³² and 2⁶⁴ over the golden ratio: consecutive multiples lie far apart.
_GOLDEN, _GOLDEN_64 = np.uint32(0x9E3779B9), np.uint64(0x9E3779B97F4A7C15)
_APART = np.uint64(0xD1342543DE82EF95)  # between numbered keys: another step than between words
_ONE = np.uint64(1)


@dataclass(frozen=True, eq=False)
class Draws:
    """Random numbers for n images, or other things, of which each has a key: uint64 [n].

    A row's numbers follow from its key alone, to the last bit: the generator SplitMix64 of Steele,
    Lea and Flood (2014), doi:10.1145/2660193.2660195, one for each row.
    """

    keys: Keys

    def at(self, number: int | IntArray) -> "Draws":
        """Others for the restart, the step or the draw of that number, one or one for each row."""
        numbers = np.atleast_1d(number).astype(np.uint64)
        return Draws(_finalized(self.keys + (numbers + _ONE) * _APART))

    def take(self, rows: IntArray) -> "Draws":
        """Those of some of the rows."""
        return Draws(self.keys[rows])

    def uniform(self, *shape: int) -> DoubleArray:
        """In (0, 1): float64 [n, *shape]."""
        counter = np.arange(1, math.prod(shape) + 1, dtype=np.uint64) * _GOLDEN_64
        bits = _finalized(self.keys[:, None] + counter)
        bits >>= np.uint64(12)
        numbers: DoubleArray = (bits.astype(np.float64) + 0.5) * 2.0**-52
        return numbers.reshape(len(self.keys), *shape)

    def normal(self, *shape: int) -> DoubleArray:
        """Of mean 0 and variance 1: float64 [n, *shape]."""
        numbers: DoubleArray = ndtri(self.uniform(*shape))
        return numbers

    def signs(self, *shape: int) -> FloatArray:
        """1 or −1: float32 [n, *shape]."""
        return np.where(self.uniform(*shape) < 0.5, np.float32(-1), np.float32(1))

    def below(self, end: int) -> IntArray:
        """A whole number from 0 to end − 1 for each row: int64 [n]; end 1 to 2³¹ − 1."""
        end = check_whole("The end", end, 1, MAX_SEED)
        return np.floor(self.uniform() * end).astype(np.int64)

    def order(self, count: int) -> IntArray:
        """0 to count − 1 in random order for each row: int64 [n, count]."""
        order: IntArray = self.uniform(count).argsort(axis=1)
        return order


def of_images(images: FloatArray, seed: int, purpose: str, draws: int = 1) -> Draws:
    """Draws for images float32 [n, …] in [0, 1], by the seed and what they are for.

    Equal images have equal ones; but `draws` rows in a row that hold the same image have others.
    """
    check_images(images)
    seed = check_seed(seed)
    draws = check_whole("The number of draws", draws, 1, 10_000)
    pixels = images.reshape(len(images), math.prod(images.shape[1:]))
    levels = np.rint(pixels * np.float32(_LEVELS)).astype(np.int64).view(np.uint64)
    each = Draws(_finalized(levels @ _odd_64(pixels.shape[1]) + _hashed(seed, purpose)))
    return each.at(np.arange(len(images)) % draws)


def of_numbers(numbers: IntArray, seed: int, purpose: str) -> Draws:
    """A draw for each of whole numbers int [n], for what is made out of nothing."""
    return Draws(np.full(len(numbers), _hashed(seed, purpose))).at(numbers)


def other_seed(seed: int, purpose: str, number: int) -> int:
    """A seed in 0 to 2³¹ − 1 for part or run `number` of many, other than those of any other seed.

    Number 0 has the seed itself.
    """
    seed = check_seed(seed)
    number = check_whole("The number of the part or run", number, 0, MAX_SEED)
    return int(_hashed(seed, f"{purpose} {number}") >> np.uint64(33)) if number else seed


@functools.cache
def _odd(count: int) -> NDArray[np.uint32]:
    """An odd factor for each value of an image: uint32 [count]."""
    drawn = np.random.default_rng(0).integers(0, 2**31, count, dtype=np.uint32)
    return drawn * np.uint32(2) + np.uint32(1)


@functools.cache
def _odd_64(count: int) -> Keys:
    """The same in uint64 [count]."""
    drawn = np.random.default_rng(0).integers(0, 2**63, count, dtype=np.uint64)
    return drawn * np.uint64(2) + _ONE


def _hashed(seed: int, purpose: str) -> np.uint64:
    digest = hashlib.sha256(f"{seed} {purpose}".encode()).digest()
    return np.uint64(int.from_bytes(digest[:8], "little"))


def _finalized(words: Keys) -> Keys:
    """Every bit of a uint64 depends on all bits; in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    return words


def uniform(images: Tensor, count: int, seed: int, draws: int = 1) -> Tensor:
    """In graphs: numbers in (0, 1), float32 [n, count], for images [n, side, side, channels].

    `draws` rows in a row that hold the same image get different numbers.
    """
    size = math.prod(images.shape[1:])
    pixels = tf.stop_gradient(tf.reshape(images, [-1, size]))
    words = tf.cast(tf.cast(tf.round(pixels * _LEVELS), tf.int32), tf.uint32)
    draw = tf.cast(tf.range(tf.shape(images)[0]) % draws, tf.uint32)
    image = tf.reduce_sum(_mixed(words) * _odd(size), axis=1)
    image = _mixed(_mixed(image + np.uint32(seed)) + draw * _GOLDEN)
    counter = _mixed(tf.cast(tf.range(1, count + 1), tf.uint32) * _GOLDEN)
    bits = _mixed(tf.bitwise.bitwise_xor(image[:, None], counter[None]))
    return (tf.cast(bits // np.uint32(256), tf.float32) + 0.5) / 2**24


def normal(images: Tensor, count: int, seed: int, draws: int = 1) -> Tensor:
    """In graphs: standard normal numbers, float32 [n, count]. Box and Muller (1958)."""
    numbers = uniform(images, 2 * count, seed, draws)
    radius = tf.sqrt(-2 * tf.math.log(numbers[:, :count]))
    return radius * tf.cos(2 * np.pi * numbers[:, count:])


def _mixed(words: Tensor) -> Tensor:
    """Every bit of a uint32 depends on all bits; the finalizer of MurmurHash3 (Appleby 2011)."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        words = tf.bitwise.bitwise_xor(words, tf.bitwise.right_shift(words, np.uint32(shift)))
        words = words * np.uint32(factor)
    return tf.bitwise.bitwise_xor(words, tf.bitwise.right_shift(words, np.uint32(16)))
