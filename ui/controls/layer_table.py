"""The layer table and the drawn architecture."""

from typing import TYPE_CHECKING, Literal

import pandas as pd
import streamlit as st

from ui.figures.architecture import draw_architecture
from ui.figures.palette import Palette

if TYPE_CHECKING:
    from core.network.classifier import Classifier
    from core.network.model import LayerInfo


def table_of(classifier: "Classifier") -> "list[LayerInfo]":
    """The layer table of the classifier's own model."""
    from core.network.model import layer_table

    return layer_table(classifier.model)


def drawing(rows: "list[LayerInfo]", palette: Palette, *, key: str = "drawing") -> None:
    """The drawn architecture under a computed finding."""
    parameters = sum(row.parameters for row in rows)
    largest = max(rows, key=lambda row: row.parameters)
    share = largest.parameters / parameters
    work = sum(row.multiply_adds for row in rows)
    st.markdown(
        f"**{parameters:,} parameters, {share:.0%} of them in {largest.name}** "
        f":gray[· {work / 1e6:.2f} million multiply-adds an image]"
    )
    with st.container(key=f"{key}-scroll"), st.grid(1, min_column_width=700, wrap=False):
        st.plotly_chart(
            draw_architecture(rows, palette),
            config={"displayModeBar": False},
            key=key,
            alt="The layers from the image to the logits, drawn to one scale",
        )
    st.caption(
        "Above: parameters. Below: channels @ height × width, or units. Sides are to scale, "
        "depth and bars compressed. Point at a layer for its numbers."
    )


def frame(rows: "list[LayerInfo]") -> pd.DataFrame:
    """The layer table as a data frame."""
    return pd.DataFrame(
        {
            "layer": [row.name for row in rows],
            "kind": [row.title for row in rows],
            "output": [" × ".join(map(str, row.output_shape)) for row in rows],
            "units": [row.units for row in rows],
            "weights": [row.weights for row in rows],
            "biases": [row.biases for row in rows],
            "statistics": [row.statistics for row in rows],
            "parameters": [row.parameters for row in rows],
            "multiply-adds": [row.multiply_adds for row in rows],
            "receptive field": [f"{row.receptive_field} × {row.receptive_field}" for row in rows],
        }
    )


def show_frame(table: pd.DataFrame, height: "int | Literal['content']") -> None:
    """The layer table on the screen, with thousands set apart."""
    numbers = table.select_dtypes("number").columns
    st.dataframe(
        table,
        hide_index=True,
        height=height,
        column_config={
            name: st.column_config.NumberColumn(name, format="localized") for name in numbers
        },
        alt="Layer by layer: output shape, units, weights, biases, multiply-adds, receptive field",
    )
