"""The MNIST database, checked once and read-only.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (1998); CC BY-SA 3.0.
"""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.arrays import CLASSES, SIDE, ByteArray
from core.data.archive import read_npz

ASSETS = Path(__file__).parents[2] / "assets"
MNIST_FILE = ASSETS / "mnist.npz"

_SHAPES = {
    "x_train": (60_000, SIDE, SIDE),
    "y_train": (60_000,),
    "x_test": (10_000, SIDE, SIDE),
    "y_test": (10_000,),
}
_MOST_BYTES = 60_000_000  # unpacked: MNIST has 55


class DataError(Exception):
    """The data file is missing or damaged; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Split:
    """Images uint8 [n, 28, 28], 0 is background and 255 ink, with labels uint8 [n]; read-only."""

    images: ByteArray
    labels: ByteArray

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "Split":
        """The first `count` images, a view."""
        return Split(self.images[:count], self.labels[:count])


@dataclass(frozen=True)
class Dataset:
    """Training and test images."""

    train: Split
    test: Split

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all four arrays, computed when it is first asked for."""
        digest = hashlib.sha256()
        for split in (self.train, self.test):
            digest.update(split.images.tobytes())
            digest.update(split.labels.tobytes())
        return digest.hexdigest()


@functools.cache
def load_mnist() -> Dataset:
    """MNIST, read once per process. Raises DataError with one sentence if the file is unusable."""
    return read_mnist(MNIST_FILE)


@functools.cache
def load_test_labels() -> ByteArray:
    """The 10,000 test labels alone, a hundred times faster than everything; DataError likewise."""
    return _read(MNIST_FILE, ("y_test",))["y_test"]


def read_mnist(path: Path) -> Dataset:
    """The database in an .npz file with the keys x_train, y_train, x_test, y_test, checked."""
    arrays = _read(path, tuple(_SHAPES))
    return Dataset(
        train=Split(arrays["x_train"], arrays["y_train"]),
        test=Split(arrays["x_test"], arrays["y_test"]),
    )


def _read(path: Path, keys: tuple[str, ...]) -> dict[str, ByteArray]:
    try:
        arrays = read_npz(path, most_bytes=_MOST_BYTES, only=keys)
        for key, array in arrays.items():
            _check(key, array)
    except FileNotFoundError:
        raise DataError(f"{path.name} is missing: restore it from the repository.") from None
    except ValueError as error:
        raise DataError(
            f"{path.name} is damaged ({error}): restore it from the repository."
        ) from None
    return arrays


def _check(key: str, array: ByteArray) -> None:
    shape = _SHAPES[key]
    if array.dtype != np.uint8 or array.shape != shape:
        raise ValueError(f"{key} is {array.dtype} {array.shape}, not uint8 {shape}")
    if key.startswith("y") and array.max() >= CLASSES:
        raise ValueError(f"{key} holds the label {array.max()}, above {CLASSES - 1}")
