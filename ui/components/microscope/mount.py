"""The neuron microscope on the page: mounted with its data, and what it says back."""

from collections.abc import Callable

import streamlit as st

from ui import theme
from ui.components import colors, component
from ui.components.microscope.package import Asked, ShownLayer, pack
from ui.show import error_box

_microscope = component("microscope")
_KEY = "microscope"


@st.fragment
def show(
    layers: list[ShownLayer],
    *,
    opened: str,
    counted: int,
    shared: bool,
    turn: int,
    on_layer: Callable[[str], None],
    on_draw: Callable[[], object],
) -> None:
    """Draw all layers, `opened` large until the visitor enlarges another: `on_layer` hears of it.

    on_draw: called each time, so that the link follows; counted: the test images on which the
    states of channels were looked at; turn: how often a layer was opened by the page, which the
    browser then follows.

    The browser does that alone. What it says later, which layer is large now or which kernels
    did not fit into the message, reruns no more than this.
    """
    on_draw()
    palette = theme.palette()
    settings = {
        "counted": counted,
        "shared": shared,
        "turn": turn,
        "colors": {**colors(palette), "quiet": palette.quiet_text},
    }
    try:
        data = pack(layers, settings, opened=opened, asked=asked())
    except ValueError as error:
        error_box(error)
        return
    _microscope(
        key=_KEY, data=data, on_asked_change=lambda: None, on_layer_change=lambda: _tell(on_layer)
    )


def asked() -> Asked:
    """Layer → channel that the browser has asked for, None for any; the latest first."""
    value = st.session_state.get(_KEY, {}).get("asked")
    pairs = value if isinstance(value, list) else []
    return {
        pair[0]: pair[1]
        for pair in pairs
        if isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and isinstance(pair[1], int | None)
    }


def _tell(on_layer: Callable[[str], None]) -> None:
    layer = st.session_state[_KEY].get("layer")
    if isinstance(layer, str):
        on_layer(layer)
