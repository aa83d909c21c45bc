"""Digits, maps and kernels as sharp pixel pictures."""

import math

import numpy as np
from numpy.typing import NDArray

from ui.figures.palette import Palette, colorize, rgb

Picture = NDArray[np.uint8]


def ink(values: NDArray[np.floating], palette: Palette) -> Picture:
    """Values in [0, 1] from paper to ink: RGB uint8 [..., 3]."""
    return colorize(values, (palette.paper, palette.ink))


def signed(values: NDArray[np.floating], limit: float, palette: Palette) -> Picture:
    """Values in [−limit, limit] from orange over paper to blue: RGB uint8 [..., 3]."""
    return colorize((values / limit + 1) / 2, palette.signed)


def enlarge(picture: Picture, scale: int) -> Picture:
    """Every pixel becomes a square of `scale` × `scale`."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def digit(image: NDArray[np.floating], width: int, palette: Palette) -> Picture:
    """An image [28, 28] in [0, 1] for `width` CSS pixels, at twice that for sharp screens."""
    return enlarge(ink(image, palette), max(1, 2 * width // image.shape[0]))


def mosaic(tiles: Picture, palette: Palette, *, columns: int, scale: int, gap: int = 8) -> Picture:
    """Tiles [n, h, w, 3] in rows of `columns`, enlarged, with a gap in pixels between them."""
    count, height, width = tiles.shape[:3]
    rows = math.ceil(count / columns)
    step_y, step_x = height * scale + gap, width * scale + gap
    sheet = np.empty((rows * step_y - gap, columns * step_x - gap, 3), np.uint8)
    sheet[:] = rgb(palette.background).astype(np.uint8)
    for number, tile in enumerate(tiles):
        y, x = number // columns * step_y, number % columns * step_x
        sheet[y : y + height * scale, x : x + width * scale] = enlarge(tile, scale)
    return sheet
