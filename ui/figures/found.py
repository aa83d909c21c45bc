"""A photograph with what was found on it: a box and a number for each digit."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.arrays import FloatArray
from core.data.sheet import Box, Sheet
from ui.figures.palette import Palette, rgb
from ui.figures.tiles import Picture

_LONGEST = 616  # pixels of the picture's longer side, twice those of the screen
_LETTERS = 28
_MARGIN = 6  # between ink and box


def found(gray: FloatArray, sheet: Sheet, chosen: int | None, palette: Palette) -> Picture:
    """The picture float32 [h, w] in 0 to 255 with numbered boxes: RGB uint8.

    chosen: the digit that is read, outlined in violet; None: all of them are. What was left out has
    a thin box without a number.
    """
    bright = np.asarray(np.rint(gray * (255 / max(1.0, float(gray.max())))), np.uint8)
    scale = _LONGEST / max(bright.shape)
    size = tuple(round(scale * side) for side in bright.shape[::-1])
    image = Image.fromarray(bright).resize(size, Image.Resampling.BILINEAR).convert("RGB")
    draw = ImageDraw.Draw(image)
    for box in sheet.left_out:
        color = palette.pointer if chosen is None else palette.other
        draw.rectangle(_outline(box, scale, size), outline=color, width=2)
    for number, box in enumerate(sheet.digits):
        taken = chosen in (number, None)
        color = palette.pointer if taken else palette.other
        outline = _outline(box, scale, size)
        draw.rectangle(outline, outline=color, width=5 if taken else 3)
        if len(sheet.digits) > 1:
            _label(draw, outline, str(number + 1), color)
    return np.asarray(image)


def _outline(box: Box, scale: float, size: tuple[int, ...]) -> tuple[float, float, float, float]:
    top, left, bottom, right = (scale * side for side in box)
    width, height = size
    return (
        max(0, left - _MARGIN),
        max(0, top - _MARGIN),
        min(width - 1, right + _MARGIN),
        min(height - 1, bottom + _MARGIN),
    )


def _label(
    draw: ImageDraw.ImageDraw, outline: tuple[float, float, float, float], text: str, color: str
) -> None:
    """The number on a patch of its color, in the box's upper left corner."""
    font = ImageFont.load_default(_LETTERS)
    left, top, *_ = outline
    patch = draw.textbbox((left + 8, top + 4), text, font)
    draw.rectangle((left, top, patch[2] + 8, patch[3] + 8), fill=color)
    is_light = rgb(color) @ (0.299, 0.587, 0.114) > 140
    draw.text((left + 8, top + 4), text, "#111A29" if is_light else "#FFFFFF", font)
