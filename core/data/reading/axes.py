"""The axes of images in a file: which counts them, which are rows, columns and colors."""

import numpy as np

from core.arrays import COLORS
from core.data.reading.contents import Array
from core.data.reading.findings import DataFinding

_SMOOTH = 200  # images that tell whether colors lie in planes


def upright(images: Array, count: int) -> tuple[Array, DataFinding]:
    """`images` as [count, rows, columns], or [count, rows, columns, 3] of colors, and how.

    Raises ValueError with one sentence where no axis counts them, or the rest is no image.
    """
    found = list(images.shape)
    if count not in images.shape:
        raise ValueError(
            f"The images are {found} and the labels {count:,}: give one label for each."
        )
    if images.shape[0] != count:
        images = np.moveaxis(images, images.shape.index(count), 0)
        where = "the last axis counts them" if found[-1] == count else "another axis counts them"
    else:
        where = "the first axis counts them"
    images, how = _rows_and_columns(images)
    return images, DataFinding("Axes", f"{found}: {where}, {how}.")


def _rows_and_columns(images: Array) -> tuple[Array, str]:
    while images.ndim > 2 and images.shape[-1] == 1:
        images = images[..., 0]
    while images.ndim > 3 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim == 2:
        return _of_flat(images)
    if images.ndim == 3:
        return images, f"then {images.shape[1]} rows of {images.shape[2]} pixels, gray"
    if images.ndim == 4 and images.shape[-1] == COLORS:
        return images, "then rows, columns and three colors"
    if images.ndim == 4 and images.shape[1] == COLORS:
        return np.moveaxis(images, 1, -1), "then three colors, each a plane of rows and columns"
    if images.ndim == 4 and images.shape[-1] == 4:
        return images[
            ..., :COLORS
        ], "then rows, columns and three colors; their transparency is left out"
    raise ValueError(
        f"An image has the axes {list(images.shape[1:])}: give gray ones or three colors."
    )


def _of_flat(images: Array) -> tuple[Array, str]:
    pixels = images.shape[1]
    side = round(pixels**0.5)
    if side * side == pixels:
        return images.reshape(-1, side, side), f"{pixels} flat pixels are {side} rows of {side}"
    side = round((pixels / COLORS) ** 0.5)
    if COLORS * side * side != pixels:
        raise ValueError(f"An image has {pixels} pixels, which fill no square: give square images.")
    planes = np.moveaxis(images.reshape(-1, COLORS, side, side), 1, -1)
    woven = images.reshape(-1, side, side, COLORS)
    if _roughness(planes) <= _roughness(woven):
        return (
            planes,
            f"{pixels} flat numbers are three planes of {side} × {side} (they are smooth so)",
        )
    return (
        woven,
        f"{pixels} flat numbers are {side} × {side} pixels of three colors (they are smooth so)",
    )


def _roughness(images: Array) -> float:
    """The mean step from a pixel to its neighbors: small where the layout is right."""
    some = images[:_SMOOTH].astype(np.float64)
    return float(np.abs(np.diff(some, axis=1)).mean() + np.abs(np.diff(some, axis=2)).mean())
