"""The design of the network to be trained: its controls beside its drawing."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.network.stages.table import BLOCKS, ENDINGS, POOLINGS
from ui import theme
from ui.controls import bound, layer_table
from ui.controls.columns import result_and_settings
from ui.show import error_box
from ui.views.training import chosen
from ui.visitor import compute


def design() -> None:
    """The network's sliders beside its drawing, or a sentence if it cannot be built."""
    picture, sliders = result_and_settings()
    with sliders, st.container(border=True, key="design"):
        st.markdown("**Design the network**")
        blocks = bound.slider(
            "Convolutions", 1, chosen.MAX_BLOCKS, chosen.DESIGN["blocks"], key="blocks"
        )
        for number in range(1, chosen.MAX_BLOCKS + 1):
            bound.slider(
                f"Filters in conv{number}",
                4,
                64,
                chosen.DESIGN[f"filters{number}"],
                4,
                key=f"filters{number}",
                disabled=number > blocks,
            )
        bound.slider("Kernel size", 1, 7, chosen.DESIGN["kernel"], 2, key="kernel", format="%d px")
        _kinds(blocks)
        bound.slider("Hidden units", 10, 1000, chosen.DESIGN["hidden"], 10, key="hidden")
        bound.toggle("Batch normalization", chosen.DESIGN["bn"], key="bn")
        bound.slider("Dropout", 0.0, 0.8, chosen.DESIGN["dropout"], 0.05, key="dropout")
    with picture, st.container(border=True, height="stretch"):
        try:
            architecture = chosen.architecture()
        except ValueError as error:
            error_box(error)
            return
        rows = compute.layers(architecture)
        layer_table.drawing(rows, theme.palette(), key="design-drawing")
        layer_table.show_frame(
            layer_table.frame(rows).drop(columns=["units", "statistics"]), height=360
        )


def _kinds(blocks: int) -> None:
    """What stands where Model 1 has its second convolution, max pooling and flattening."""
    _kind(
        "From conv2 on",
        BLOCKS,
        "block",
        disabled=blocks == 1,
        help="Residual: two convolutions, to which a shortcut (a convolution of 1 × 1) "
        "adds what they read.",
    )
    _kind("Pooling", POOLINGS, "pool", help="Of 2 × 2 pixels behind each ReLU.")
    _kind(
        "Maps to units",
        ENDINGS,
        "end",
        help="Flatten hands on every number of the last maps, Average the mean of each map.",
    )


def _kind(label: str, kinds: Mapping[str, Any], key: str, **look: Any) -> None:
    bound.segmented_control(
        label,
        list(kinds),
        default=chosen.DESIGN[key],
        format_func=lambda kind: kinds[kind].label,
        key=key,
        required=True,
        width="stretch",
        **look,
    )
