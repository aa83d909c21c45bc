"""Images that occur twice, exactly or nearly, within a part and between training and test."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.arrays import ByteArray, IntArray

_COARSE = 8  # cells a side that near images share
_STEP = 32  # levels of a cell
_NEAR = 4.0  # levels, in the mean, that near images differ by at most


@dataclass(frozen=True, eq=False)
class Duplicates:
    """pairs int64 [k, 2]: an image, and the first that it is equal to, or nearly so."""

    pairs: IntArray

    def __len__(self) -> int:
        return len(self.pairs)


def fingerprints(images: ByteArray) -> list[bytes]:
    """A digest of each image uint8 [n, …]: equal where images are."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def equal_within(images: ByteArray) -> Duplicates:
    """Each image uint8 [n, …] that is equal to an earlier one, with the first of these."""
    prints = fingerprints(images)
    return _pairs(prints, prints, lambda one, other: other < one)


def equal_among(images: ByteArray, others: ByteArray) -> Duplicates:
    """Each of `images` that is equal to one of `others`, with the first of these."""
    return _pairs(fingerprints(images), fingerprints(others), lambda one, other: True)


def near_within(images: ByteArray) -> Duplicates:
    """Each image that is nearly, not exactly, an earlier one.

    Nearly: the same coarse picture of 8 × 8 cells in steps of 32 levels, and at most 4 levels apart
    in the mean. Pairs whose cells fall on both sides of a step are not found.
    """
    cells, near = _coarse(images), _nearness(images, images)
    return _pairs(cells, cells, lambda one, other: other < one and near(one, other))


def near_among(images: ByteArray, others: ByteArray) -> Duplicates:
    """Each of `images` that is nearly, in the same sense, one of `others`."""
    return _pairs(_coarse(images), _coarse(others), _nearness(images, others))


def _nearness(images: ByteArray, others: ByteArray) -> Callable[[int, int], bool]:
    def near(one: int, other: int) -> bool:
        difference = np.abs(images[one].astype(np.int16) - others[other])
        return 0 < float(difference.mean()) <= _NEAR

    return near


def _coarse(images: ByteArray) -> list[bytes]:
    edges = np.linspace(0, images.shape[1], _COARSE + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.int64), edges, 1), edges, 2)
    size = images.shape[1] / _COARSE
    cells = (sums / size**2 / _STEP).astype(np.uint8)
    return [cell.tobytes() for cell in cells]


def _pairs(keys: list[bytes], others: list[bytes], agree: Callable[[int, int], bool]) -> Duplicates:
    """Each row with the first other one of the same key, if they agree."""
    first: dict[bytes, int] = {}
    for row, key in enumerate(others):
        first.setdefault(key, row)
    met = ((row, first[key]) for row, key in enumerate(keys) if key in first)
    pairs = [(row, other) for row, other in met if agree(row, other)]
    return Duplicates(np.array(pairs, np.int64).reshape(-1, 2))
