"""The parts of the layers page: the table, an image on its way, and experiment E4."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data.spec import MNIST
from core.network.architecture import MODEL_1
from ui import text
from ui.controls import layer_table
from ui.controls.downloads import download
from ui.figures import tiles
from ui.figures.palette import Palette
from ui.show import picture
from ui.visitor import compute
from ui.visitor.choice import Choice

if TYPE_CHECKING:
    from core.network.classifier import Classifier
    from core.network.model import LayerInfo


def table(rows: "list[LayerInfo]") -> None:
    """The layer table."""
    widest = max(rows, key=lambda row: row.multiply_adds)
    total = sum(row.multiply_adds for row in rows)
    st.markdown(
        f"**{widest.name} does {widest.multiply_adds / total:.0%} of the work** "
        ":gray[· every number is read from the model's own layers]"
    )
    layer_table.show_frame(layer_table.frame(rows), height="content")
    st.caption(
        "Weights and biases are trained (in batch normalization: scales and offsets); statistics "
        "are its moving means and variances. The receptive field is the square of input pixels "
        "that one output sees."
    )


def through(classifier: "Classifier", choice: Choice, palette: Palette) -> None:
    """How strongly the chosen image drives every layer that has maps or units."""
    from core.zoo.walkthrough import walk_through

    shown = walk_through(classifier, choice.image.pixels)
    read = text.literal(classifier.spec.classes[int(shown.probabilities.argmax())])
    st.markdown(
        f"**{choice.image.title} on its way** "
        f":gray[· {text.literal(choice.image.kind)}, read as {read}]"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width="content", gap=None):
            picture(tiles.image(shown.image / 255, 84, palette), width=84, alt="The image")
            st.caption("image")
        for name, values in shown.stages.items():
            if values.ndim != 3:
                continue
            with st.container(width="content", gap=None):
                largest = max(float(values.max()), 1e-6)
                mean = values.mean(axis=2) / largest * 3
                picture(tiles.image(mean, 84, palette), width=84, alt=f"Mean map of {name}")
                st.caption(name)
    shapes = "strokes" if classifier.spec == MNIST else "shapes"
    st.caption(
        "The mean over a layer's channels, on a scale from 0 to a third of its largest value: "
        f"each pooling halves the picture, and the {shapes} stay where they were."
    )


def reported_beside_computed() -> None:
    """Experiment E4, always for the report's Model 1."""
    from core.report.claims import compare_dimensions

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
        download("Table", layer_table.frame(rows).to_csv(index=False), "layers.csv")
