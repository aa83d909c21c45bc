"""Pixel pictures and charts on the page."""

import base64
import io
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st
from PIL import Image

from ui import text
from ui.figures.tiles import Picture

if TYPE_CHECKING:
    from ui.figures.charts import Chart


def picture(pixels: Picture | str, *, width: "int | Literal['stretch']", alt: str) -> None:
    """Show RGB uint8 [h, w, 3], exactly, or what `encoded` made of it, `width` CSS pixels wide."""
    st.image(pixels if isinstance(pixels, str) else encoded(pixels), width=width, alt=alt)


def encoded(pixels: Picture) -> str:
    """RGB uint8 [h, w, 3] as the address of a PNG that holds itself.

    PNG, because Streamlit's own choice for arrays is JPEG; and inside the page rather than a file
    of the server, because a live view replaces its pictures before the browser has asked for them.
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def draw(chart: "Chart", *, key: str, alt: str, **options: Any) -> None:
    """Show a chart; `options` go to Streamlit."""
    specification = {**chart.specification, "datasets": {"table": chart.table}}
    st.vega_lite_chart(spec=specification, key=key, alt=alt, **options)


def error_box(sentence: object) -> None:
    """Say what went wrong; what the sentence quotes, from a link or a file, is shown as it is."""
    st.error(text.literal(sentence), icon=":material/error:")
