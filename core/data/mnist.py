"""The MNIST database, checked once and read-only.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (1998); CC BY-SA 3.0.
"""

import functools
from pathlib import Path

import numpy as np

from core.arrays import ByteArray
from core.data.archive import read_npz
from core.data.dataset import DataError, Dataset, Split
from core.data.spec import MNIST

ASSETS = Path(__file__).parents[2] / "assets"
MNIST_FILE = ASSETS / "mnist.npz"

_SHAPES = {
    "x_train": (MNIST.training_images, *MNIST.byte_shape),
    "y_train": (MNIST.training_images,),
    "x_test": (MNIST.test_images, *MNIST.byte_shape),
    "y_test": (MNIST.test_images,),
}
_MOST_BYTES = 60_000_000  # unpacked: MNIST has 55


@functools.cache
def load_mnist() -> Dataset:
    """MNIST, read once per process. Raises DataError with one sentence if the file is unusable."""
    return Dataset(train=_split(MNIST_FILE, "train"), test=load_test())


@functools.cache
def load_test() -> Split:
    """The 10,000 test images, a seventh of the memory of everything; DataError likewise."""
    return _split(MNIST_FILE, "test")


@functools.cache
def load_test_labels() -> ByteArray:
    """The 10,000 test labels alone, a hundred times faster than everything; DataError likewise."""
    return _read(MNIST_FILE, ("y_test",))["y_test"]


def read_mnist(path: Path) -> Dataset:
    """The database in an .npz file with the keys x_train, y_train, x_test, y_test, checked."""
    return Dataset(train=_split(path, "train"), test=_split(path, "test"))


def _split(path: Path, part: str) -> Split:
    arrays = _read(path, (f"x_{part}", f"y_{part}"))
    return Split(arrays[f"x_{part}"], arrays[f"y_{part}"])


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
    if key.startswith("y") and array.max() >= (count := len(MNIST.classes)):
        raise ValueError(f"{key} holds the label {array.max()}, above {count - 1}")
