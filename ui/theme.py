"""The palette of the theme that the visitor looks at."""

import streamlit as st

from ui.figures.palette import DARK, LIGHT, Palette


def palette() -> Palette:
    """Light or dark; light where the browser has not said yet."""
    return DARK if st.context.theme.type == "dark" else LIGHT
