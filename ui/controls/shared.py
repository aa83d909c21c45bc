"""What the views of the adversarial page have in common."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from core.optimization.engine import OPTIMIZERS
from core.report.claims import Claim
from ui import text, theme
from ui.controls import bound
from ui.controls.downloads import download
from ui.figures import tiles
from ui.files import npz
from ui.show import picture
from ui.visitor import compute

LEARNING_RATES = tuple(
    float(f"{digit}e{power}") for power in range(-4, 0) for digit in (1, 2, 5)
)  # fmt: skip
MAX_ITERATIONS = 2_000
MAX_FRAMES = 400  # kept of each image: ten images take 13 MB
TILE = 84
PAIR = 84  # of each of three pictures side by side
_OPTIMIZER_NAMES = {"adam": "Adam", "sgd": "SGD with momentum"}


def iterations_slider(key: str, default: int) -> int:
    """How many steps, up to what the engine takes."""
    chosen: int = bound.slider("Iterations", 10, MAX_ITERATIONS, default, 10, key=key)
    return chosen


def learning_rate_slider(key: str, default: float) -> float:
    """The step's length on a logarithmic scale."""
    chosen: float = bound.select_slider(
        "Learning rate",
        LEARNING_RATES,
        default,
        format_func=text.learning_rate,
        key=key,
        help="Adam moves each pixel by about so much in each iteration, where a full pixel is 1.",
    )
    return chosen


def count_slider(
    spec: DatasetSpec, counts: Sequence[int], *, key: str, help: str, label: str = "Test images"
) -> int:
    """How many test images, of as many as there are; 200 at first."""
    offered = [count for count in counts if count <= spec.test_images] or [spec.test_images]
    if st.session_state.get(key, offered[0]) not in offered:  # of the data set before
        del st.session_state[key]
    chosen: int = bound.select_slider(
        label, offered, min(200, offered[-1]), format_func="{:,}".format, key=key, help=help
    )
    return chosen


def step_words(objective: str, optimizer: str, learning_rate: float, iterations: int) -> str:
    """Objective and steps, for captions."""
    return (
        f"{objective}, {_OPTIMIZER_NAMES[optimizer]} {text.learning_rate(learning_rate)}, "
        f"{iterations:,} iterations"
    )


def optimizer_select(key: str) -> str:
    """Adam or SGD."""
    chosen: str = bound.selectbox(
        "Optimizer",
        OPTIMIZERS,
        format_func=_OPTIMIZER_NAMES.__getitem__,
        key=key,
    )
    return chosen


def seed_input(key: str) -> int:
    """The seed of the noise."""
    chosen: int = bound.number_input("Seed", 0, 9_999, 0, 1, key=key)
    return chosen


def keep_every(iterations: int) -> int:
    """The distance of recorded steps that keeps a trajectory within `MAX_FRAMES`."""
    return -(-iterations // MAX_FRAMES)


def other_network(classifier: Classifier) -> Classifier | None:
    """A shipped network that is not this one and reads the same data set, if there is one."""
    cards = compute.shipped_cards().items()
    others = (compute.classifier(key) for key, card in cards if card.spec == classifier.spec)
    return next((each for each in others if each.version != classifier.version), None)


def tile_row(images: FloatArray, captions: Sequence[str], alts: Sequence[str]) -> None:
    """Images [n, …] in [0, 1], each with a caption of its own, in rows."""
    palette = theme.palette()
    with st.grid(min_column_width=TILE, gap="xsmall"):
        for image, caption, alt in zip(images, captions, alts, strict=True):
            with st.container(gap="xxsmall"):
                picture(tiles.image(image, TILE, palette), width=TILE, alt=alt)
                st.caption(caption)


def pairs(
    originals: FloatArray,
    adversarial: FloatArray,
    captions: Sequence[str],
    alts: Sequence[str],
) -> None:
    """Original, adversarial and signed change (−1 to +1) of images [n, …], captioned."""
    palette = theme.palette()
    with st.grid(min_column_width=3 * PAIR + 16, gap="small"):
        for before, after, caption, alt in zip(originals, adversarial, captions, alts, strict=True):
            three = np.stack(
                [
                    tiles.colored(before, palette),
                    tiles.colored(after, palette),
                    tiles.change(after - before, 1.0, palette),
                ]
            )
            with st.container(gap="xxsmall"):
                sheet = tiles.mosaic(
                    three, palette, columns=3, scale=tiles.scale_of(PAIR, len(before))
                )
                picture(sheet, width=sheet.shape[1] // 2, alt=alt)
                st.caption(caption)


def claims(found: Sequence[Claim]) -> None:
    """Each claim of the report, and what a measurement says of it."""
    for claim in found:
        icon, verdict = {
            True: (":green[:material/check_circle:]", "confirmed"),
            False: (":red[:material/error:]", "not confirmed"),
            None: (":orange[:material/help:]", "not measurable as such"),
        }[claim.confirmed]
        st.markdown(f"{icon} “{claim.words}” is **{verdict}**: {claim.measured}")


def settings_download(settings: Mapping[str, Any], images: FloatArray, name: str) -> None:
    """What was set, and what came of it for all classes."""
    count = text.in_words(len(images))
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Settings",
            lambda: json.dumps(dict(settings), indent=1),
            f"{name}.json",
            key=f"{name}-settings",
            help="Model, image and every setting, as JSON.",
        )
        download(
            f"All {count}",
            lambda: npz({"images": images, "classes": np.arange(len(images))}),
            f"{name}-ten.npz",
            key=f"{name}-ten",
            help=f"The last images of all {count} classes, as NumPy arrays.",
        )
