"""The MNIST database, checked once and read-only, and the way between bytes and floats.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits" (1998); CC BY-SA 3.0.
"""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.archive import read_npz

ASSETS = Path(__file__).parent.parent / "assets"
MNIST_FILE = ASSETS / "mnist.npz"
SIDE = 28
CLASSES = 10

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

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


def to_float(images: ByteArray) -> FloatArray:
    """Images float32 [n, 28, 28, 1] in [0, 1] of uint8 [n, 28, 28]."""
    return images[..., np.newaxis].astype(np.float32) / np.float32(255)


def to_bytes(images: FloatArray) -> ByteArray:
    """The inverse, rounded to 256 levels: uint8 of values in [0, 1], any shape."""
    return np.rint(images * 255).astype(np.uint8)


def check_images(images: FloatArray) -> None:
    """Raise ValueError unless `images` is float32 [n, 28, 28, 1] with every value in [0, 1]."""
    if not isinstance(images, np.ndarray):
        raise ValueError(
            f"Images are {type(images).__name__}, not a NumPy array: give float32 [n, 28, 28, 1]."
        )
    if images.dtype != np.float32 or images.ndim != 4 or images.shape[1:] != (SIDE, SIDE, 1):
        raise ValueError(
            f"Images are {images.dtype} {list(images.shape)}, not float32 [n, 28, 28, 1]: "
            "convert bytes with core.data.to_float."
        )
    if images.size and not (images.min() >= 0 and images.max() <= 1):  # also false for NaN
        raise ValueError(
            f"Pixels run from {images.min():.3g} to {images.max():.3g}, outside [0, 1]: "
            "clip them first."
        )


def check_image(image: FloatArray) -> None:
    """Raise ValueError unless `image` is one image float32 [1, 28, 28, 1] in [0, 1]."""
    check_images(image)
    if len(image) != 1:
        raise ValueError(f"There are {len(image)} images, not one: give one of them.")


def check_classes(classes: NDArray[np.integer[Any]], count: int) -> IntArray:
    """`classes` as int64 [count]. Raises ValueError unless each is a whole number from 0 to 9."""
    classes = np.asarray(classes)
    if classes.shape != (count,) or classes.dtype.kind not in "iu":
        raise ValueError(
            f"{count} images have classes {classes.dtype} {list(classes.shape)}: "
            "give one whole number for each."
        )
    if wrong := [int(label) for label in classes if not 0 <= label < CLASSES]:
        raise ValueError(
            f"The class is {wrong[0]}, outside 0 to {CLASSES - 1}: choose a value inside."
        )
    return classes.astype(np.int64)
