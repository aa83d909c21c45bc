"""Images and classes as arrays: their types, the way between bytes and floats, their checks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 28
CLASSES = 10
COLORS = 3  # channels of an image that is not gray; no side is that short

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def to_float(images: ByteArray) -> FloatArray:
    """Images float32 […, side, side, channels] in [0, 1] of uint8.

    Those are […, side, side] where they are gray, and […, side, side, 3] of colors.
    """
    pixels = images if images.shape[-1] == COLORS else images[..., np.newaxis]
    return pixels.astype(np.float32) / np.float32(255)


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
