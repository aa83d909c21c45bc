"""Images and classes as arrays: their types, the way between bytes and floats, their checks."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLORS = 3  # channels of an image that is not gray; no side is that short

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.uint8]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Tensor = Any  # of a graph; TensorFlow carries no types that could be checked


def to_float(images: ByteArray) -> FloatArray:
    """Images float32 […, side, side, channels] in [0, 1] of uint8.

    Those are […, side, side] where they are gray, and […, side, side, 3] of colors.
    """
    pixels = images if images.shape[-1] == COLORS else images[..., np.newaxis]
    return pixels.astype(np.float32) / np.float32(255)


def to_bytes(images: FloatArray) -> ByteArray:
    """The inverse, rounded to 256 levels: uint8 of values in [0, 1], any shape."""
    return np.rint(images * 255).astype(np.uint8)


def byte_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of one image as bytes, of (side, side, channels): without the channels where it is gray."""
    return shape if shape[-1] == COLORS else shape[:2]


def check_images(images: FloatArray, shape: tuple[int, ...] | None = None) -> None:
    """Raise ValueError unless `images` is float32 [n, *shape] with every value in [0, 1].

    shape: (side, side, channels) of one; without it, any square of one or three channels.
    """
    wanted = f"float32 [n, {', '.join(map(str, shape or ('side', 'side', 'channels')))}]"
    if not isinstance(images, np.ndarray):
        raise ValueError(f"Images are {type(images).__name__}, not a NumPy array: give {wanted}.")
    if images.dtype != np.float32 or images.ndim != 4 or not _fits(images.shape[1:], shape):
        raise ValueError(
            f"Images are {images.dtype} {list(images.shape)}, not {wanted}: "
            "convert bytes with core.data.to_float."
        )
    if images.size and not (images.min() >= 0 and images.max() <= 1):  # also false for NaN
        raise ValueError(
            f"Pixels run from {images.min():.3g} to {images.max():.3g}, outside [0, 1]: "
            "clip them first."
        )


def _fits(own: tuple[int, ...], shape: tuple[int, ...] | None) -> bool:
    return own == shape if shape else own[0] == own[1] and own[2] in (1, COLORS)


def check_image(image: FloatArray, shape: tuple[int, ...] | None = None) -> None:
    """Raise ValueError unless `image` is one image float32 [1, *shape] in [0, 1]."""
    check_images(image, shape)
    if len(image) != 1:
        raise ValueError(f"There are {len(image)} images, not one: give one of them.")


def check_classes(
    classes: NDArray[np.integer[Any]], count: int, among: int | None = None
) -> IntArray:
    """`classes` as int64 [count]. Raises ValueError unless each is a whole number from 0.

    among: how many classes there are, which all are below.
    """
    classes = np.asarray(classes)
    if classes.shape != (count,) or classes.dtype.kind not in "iu":
        raise ValueError(
            f"{count} images have classes {classes.dtype} {list(classes.shape)}: "
            "give one whole number for each."
        )
    end = math.inf if among is None else among
    if wrong := [int(label) for label in classes if not 0 <= label < end]:
        outside = "below 0" if among is None else f"outside 0 to {among - 1}"
        raise ValueError(f"The class is {wrong[0]}, {outside}: choose a value inside.")
    return classes.astype(np.int64)


def largest_l2(shape: tuple[int, ...]) -> float:
    """The L2 from an image of that shape that is 0 everywhere to one that is 1 everywhere."""
    return math.sqrt(math.prod(shape))
