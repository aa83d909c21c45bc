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
    """pairs int64 [k, 2]: an image and an earlier one that is equal, or nearly so."""

    pairs: IntArray

    def __len__(self) -> int:
        return len(self.pairs)


def fingerprints(images: ByteArray) -> list[bytes]:
    """A digest of each image uint8 [n, …]: equal where images are."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def equal_pairs(images: ByteArray) -> Duplicates:
    """Each image that is equal to an earlier one, with the first of these."""
    return _repeated(fingerprints(images), lambda one, other: True)


def near_pairs(images: ByteArray) -> Duplicates:
    """Each image that is nearly, not exactly, an earlier one: the same coarse picture of 8 × 8
    cells in steps of 32 levels, and at most 4 levels apart in the mean. Pairs whose cells fall on
    both sides of a step are not found.
    """

    def near(one: int, other: int) -> bool:
        difference = np.abs(images[one].astype(np.int16) - images[other])
        return 0 < float(difference.mean()) <= _NEAR

    return _repeated(_coarse(images), near)


def overlap(images: ByteArray, others: ByteArray) -> int:
    """How many of `images` are exactly among `others`."""
    known = set(fingerprints(others))
    return sum(print_ in known for print_ in fingerprints(images))


def _coarse(images: ByteArray) -> list[bytes]:
    edges = np.linspace(0, images.shape[1], _COARSE + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.int64), edges, 1), edges, 2)
    size = images.shape[1] / _COARSE
    cells = (sums / size**2 / _STEP).astype(np.uint8)
    return [cell.tobytes() for cell in cells]


def _repeated(keys: list[bytes], agree: Callable[[int, int], bool]) -> Duplicates:
    first: dict[bytes, int] = {}
    pairs = []
    for row, key in enumerate(keys):
        earlier = first.setdefault(key, row)
        if earlier != row and agree(row, earlier):
            pairs.append((row, earlier))
    return Duplicates(np.array(pairs, np.int64).reshape(-1, 2))
