"""The layer table, the drawn architecture and experiment E4, for the training page too."""

from typing import TYPE_CHECKING, Literal

import pandas as pd
import streamlit as st

from core.architecture import MODEL_1
from ui import compute
from ui.figures import tiles
from ui.figures.architecture import draw_architecture
from ui.figures.palette import Palette
from ui.header import Choice
from ui.show import picture

if TYPE_CHECKING:
    from core.classifier import Classifier
    from core.model import LayerInfo

_KINDS = {
    "InputLayer": "input",
    "Conv2D": "convolution",
    "BatchNormalization": "batch normalization",
    "ReLU": "ReLU",
    "MaxPooling2D": "max pooling",
    "Flatten": "flatten",
    "Dense": "dense",
    "Dropout": "dropout",
}


def table_of(classifier: "Classifier") -> "list[LayerInfo]":
    """The layer table of the classifier's own model."""
    from core.model import layer_table

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
            "kind": [_KINDS.get(row.kind, row.kind) for row in rows],
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


def table(rows: "list[LayerInfo]") -> None:
    """The layer table."""
    widest = max(rows, key=lambda row: row.multiply_adds)
    total = sum(row.multiply_adds for row in rows)
    st.markdown(
        f"**{widest.name} does {widest.multiply_adds / total:.0%} of the work** "
        ":gray[· every number is read from the model's own layers]"
    )
    show_frame(frame(rows), height="content")
    st.caption(
        "Weights and biases are trained (in batch normalization: scales and offsets); statistics "
        "are its moving means and variances. The receptive field is the square of input pixels "
        "that one output sees."
    )


def through(classifier: "Classifier", choice: Choice, palette: Palette) -> None:
    """How strongly the chosen image drives every layer that has maps or units."""
    from core.walkthrough import walk_through

    shown = walk_through(classifier, choice.image.pixels)
    st.markdown(
        f"**{choice.image.title} on its way** "
        f":gray[· {choice.image.kind}, read as {int(shown.probabilities.argmax())}]"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="content", gap=None):
            picture(tiles.digit(shown.image / 255, 84, palette), width=84, alt="The image")
            st.caption("image")
        for name, values in shown.stages.items():
            if values.ndim != 3:
                continue
            with st.container(width="content", gap=None):
                largest = max(float(values.max()), 1e-6)
                mean = values.mean(axis=2) / largest * 3
                picture(tiles.digit(mean, 84, palette), width=84, alt=f"Mean map of {name}")
                st.caption(name)
    st.caption(
        "The mean over a layer's channels, on a scale from 0 to a third of its largest value: "
        "each pooling halves the picture, and the strokes stay where they were."
    )


def reported_beside_computed() -> None:
    """Experiment E4, always for the report's Model 1."""
    from core.experiments import compare_dimensions

    lines = compare_dimensions(compute.layers(MODEL_1))
    wrong = [line for line in lines if line.reported != line.computed]
    st.markdown(
        f"**{len(wrong)} of the report's {len(lines)} counts differ from the model** "
        ":gray[· experiment E4, Model 1]"
    )
    with st.grid(1, min_column_width=640, wrap=False):
        st.table(
            pd.DataFrame(
                {
                    "": ["=" if line.reported == line.computed else "≠" for line in lines],
                    "What": [line.what for line in lines],
                    "Reported": [f"{line.reported:,}" for line in lines],
                    "Computed": [f"{line.computed:,}" for line in lines],
                    "Why": [line.reason for line in lines],
                }
            ),
            hide_index=True,
            alt="The report's counts beside those computed from the model",
        )


def downloads(rows: "list[LayerInfo]") -> None:
    """The table as CSV."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Table",
            frame(rows).to_csv(index=False),
            "layers.csv",
            "text/csv",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
        )
