"""A signed map of pixels with its scale."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from ui import theme
from ui.figures import tiles
from ui.show import picture


def signed_map(values: FloatArray, end: float, *, alt: str) -> None:
    """A map [side, side] with its scale bar below, from −end over 0 to +end."""
    palette = theme.palette()
    pixels = tiles.signed(values, end, palette)
    picture(tiles.enlarge(pixels, tiles.scale_of(252, len(values))), width="stretch", alt=alt)
    bar = np.linspace(-end, end, 252)[None]
    picture(
        tiles.enlarge(tiles.signed(bar, end, palette), 2).repeat(5, axis=0),
        width="stretch",
        alt=f"Scale from −{end:g} to +{end:g}",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", gap=None):
        for number in (f"−{end:g}", "0", f"+{end:g}"):
            st.caption(number, width="content")
