"""The pad to draw on. What the browser sends back is checked like any other file."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from core.arrays import ByteArray
from ui.components import colors, component
from ui.figures.palette import Palette

SIDE = 280
_PREFIX = "data:image/png;base64,"
_MAX_CHARACTERS = 200_000  # a pad full of scribble has 40,000
_pad = component("digit_pad", isolated=False)


@dataclass(frozen=True, eq=False)
class Drawing:
    """The pad's ink uint8 [280, 280], 255 is ink; the pad's own count of what it has sent."""

    ink: ByteArray
    number: int = 0


EMPTY = Drawing(np.zeros((SIDE, SIDE), np.uint8))


def digit_pad(drawing: Drawing, palette: Palette, *, key: str) -> None:
    """Show the pad; it sends its next picture of a stroke when `drawing` was its last."""
    _pad(
        data={"colors": colors(palette), "number": drawing.number},
        key=key,
        on_drawing_change=lambda: None,
    )


def drawing(key: str) -> Drawing:
    """What the pad `key` has sent; an empty drawing before. Raises ValueError on anything else."""
    sent = st.session_state.get(key, {}).get("drawing")
    return EMPTY if sent is None else read(sent)


def read(sent: object) -> Drawing:
    """The drawing in what a browser sent. Raises ValueError with one sentence."""
    number, png = (sent.get("number"), sent.get("png")) if isinstance(sent, Mapping) else (0, 0)
    if not isinstance(number, int) or not isinstance(png, str) or abs(number) > 2**53:
        raise ValueError("The pad sent no drawing: clear it and draw again.")
    return Drawing(_pixels(png) if png else EMPTY.ink, number)


def _pixels(png: str) -> ByteArray:
    try:
        if not png.startswith(_PREFIX) or len(png) > _MAX_CHARACTERS:
            raise ValueError
        data = base64.b64decode(png[len(_PREFIX) :], validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != (SIDE, SIDE):
                raise ValueError
            return np.asarray(image.convert("L"))
    except Exception:  # Pillow meets broken files with a dozen kinds of error
        raise ValueError("The drawing cannot be read: clear the pad and draw again.") from None
