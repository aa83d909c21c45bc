"""Images, maps and kernels as sharp pixel pictures."""

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


def colored(images: NDArray[np.floating], palette: Palette) -> Picture:
    """Images [..., h, w, channels] in [0, 1] for the eye: RGB uint8 [..., h, w, 3].

    Gray from paper to ink; red, green and blue as they are.
    """
    if images.shape[-1] == 1:
        return ink(images[..., 0], palette)
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def change(values: NDArray[np.floating], limit: float, palette: Palette) -> Picture:
    """Changes [..., h, w, channels] in [−limit, limit]: RGB uint8 [..., h, w, 3]."""
    return signed(strongest(values), limit, palette)


def strongest(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """For each pixel the value of the channel with the largest magnitude, with its sign.

    [..., h, w, channels] becomes [..., h, w].
    """
    largest = np.abs(values).argmax(axis=-1, keepdims=True)
    found: NDArray[np.floating] = np.take_along_axis(values, largest, axis=-1)[..., 0]
    return found


def enlarge(picture: Picture, scale: int) -> Picture:
    """Every pixel becomes a square of `scale` × `scale`."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def image(values: NDArray[np.floating], width: int, palette: Palette) -> Picture:
    """An image in [0, 1] for `width` CSS pixels, at twice that for sharp screens.

    [side, side], or with 1 or 3 channels behind.
    """
    pixels = values[..., np.newaxis] if values.ndim == 2 else values
    return enlarge(colored(pixels, palette), scale_of(width, len(values)))


def scale_of(width: int, side: int) -> int:
    """By how much `side` pixels are enlarged for about `width` CSS pixels on sharp screens."""
    return max(1, 2 * width // side)


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
