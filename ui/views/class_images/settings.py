"""The settings of the class images page."""

import numpy as np
import streamlit as st

from core.data.spec import DatasetSpec
from core.inspection.class_images import ImageSettings
from core.inspection.responses import HiddenLayer, hidden_layers
from core.network.classifier import Classifier
from core.report.settings import E10
from ui import text
from ui.controls import bound, shared
from ui.controls.report import as_in_the_report
from ui.views.class_images.wanted import CHANNEL, CLASS, UNIT, ImagesAsked, Start, Wanted
from ui.visitor.choice import Choice

ZERO, NOISE, IMAGE = "Zero", "Noise", "Image"
LARGE, SMALL = "Large", "Small"
WEIGHTS = (0.0, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3)
_FIRST_LAYER = "conv2"
_RATE, _STEPS = float(E10.settings["learning_rate"]), int(E10.settings["iterations"])
_REPORT = {
    "img_of": CLASS,
    "img_class": "all ten",
    "img_l2": ImageSettings.penalty,
    "img_start": ZERO,
    "img_way": LARGE,
    "img_tv": 0.0,
    "img_jitter": 0,
    "img_blur": 0.0,
    "img_rate": _RATE,
    "img_steps": _STEPS,
    "img_seed": 0,
}


def controls(classifier: Classifier, choice: Choice) -> ImagesAsked:
    """The sliders. Raises ValueError if core does not accept what they say."""
    st.markdown("**Settings**")
    kind = bound.selectbox("Excite", [CLASS, CHANNEL, UNIT], key="img_of")
    wanted = (
        _of_class(classifier.spec)
        if kind == CLASS
        else _of_layer(kind, hidden_layers(classifier.model), classifier.spec)
    )
    penalty = _weight(
        "L2 penalty λ",
        "img_l2",
        ImageSettings.penalty,
        "λ‖x‖² is subtracted: large pixels have a price. Useful from 0.003 to 0.3.",
    )
    start = bound.selectbox(
        "Start from",
        [ZERO, NOISE, IMAGE],
        key="img_start",
        help="A zero image, noise N(0.5, 0.05²) that is the same for all, or the header’s image.",
    )
    way = bound.segmented_control(
        f"Make the {wanted.quantity}",
        [LARGE, SMALL],
        default=LARGE,
        required=True,
        key="img_way",
        width="stretch",
    )
    with st.popover("More", icon=":material/tune:", width="stretch"):
        variation, jitter, blur = _disturbances()
        rate = shared.learning_rate_slider("img_rate", _RATE)
        iterations = shared.iterations_slider("img_steps", _STEPS)
        seed = shared.seed_input("img_seed")
    as_in_the_report("img-as-reported", _as_reported, _REPORT_HELP)
    return ImagesAsked(
        wanted,
        Start(start.lower(), choice.image if start == IMAGE else None),
        ImageSettings(penalty, variation, jitter, blur, way == SMALL, rate, iterations, seed),
    )


_REPORT_HELP = (
    f"E10: all ten classes from a zero image, L2 penalty, learning rate {_RATE:g}, {_STEPS} "
    f"iterations. The report does not say its λ: {ImageSettings.penalty:g} here."
)


def _as_reported() -> None:
    st.session_state.update(_REPORT)


def _disturbances() -> tuple[float, int, float]:
    """Total variation, jitter and blur."""
    variation = _weight(
        "Total variation",
        "img_tv",
        0.0,
        "Its weight is a price for differences between neighboring pixels.",
    )
    jitter: int = bound.slider(
        "Jitter",
        0,
        4,
        0,
        key="img_jitter",
        format="%d px",
        help="Each step sees the image shifted at random, by up to so much.",
    )
    blur: float = bound.slider(
        "Blur",
        0.0,
        1.0,
        0.0,
        0.1,
        key="img_blur",
        format="%.1f px",
        help="Behind each step the image is blurred by a Gaussian of so many pixels.",
    )
    return variation, jitter, blur


def _weight(label: str, key: str, default: float, help: str) -> float:
    """A weight on a logarithmic scale, and 0."""
    chosen: float = bound.select_slider(
        label, WEIGHTS, default, format_func="{:g}".format, key=key, help=help
    )
    return chosen


def _of_class(spec: DatasetSpec) -> Wanted:
    count, everything = len(spec.classes), f"all {text.in_words(len(spec.classes))}"
    options = [everything, *spec.classes]
    if st.session_state.get("img_class", everything) not in options:  # of the data set before
        del st.session_state["img_class"]
    label = bound.selectbox("Class", options, key="img_class")
    numbers = tuple(range(count)) if label == everything else (spec.classes.index(label),)
    return Wanted(CLASS, numbers, spec=spec)


def _of_layer(kind: str, found: list[HiddenLayer], spec: DatasetSpec) -> Wanted:
    """Any channel of maps, or any unit of any layer."""
    layers = {each.name: each for each in found if kind == UNIT or len(each.shape) == 3}
    names = list(layers)
    first = names.index(_FIRST_LAYER) if _FIRST_LAYER in names else 0
    layer = layers[
        bound.selectbox(
            "Layer",
            names,
            first,
            key="img_layer",
            help="conv and dense: before their ReLU, where a silent channel has a gradient, too.",
        )
    ]
    if len(layer.shape) == 1:
        return Wanted(UNIT, (_number("Unit", "img_unit", layer.channels),), layer, spec)
    channel = _number("Channel", "img_channel", layer.channels, slider=True)
    if kind == CHANNEL:
        return Wanted(CHANNEL, (channel,), layer, spec)
    place = st.columns(2)
    with place[0]:
        row = _number("Row", "img_row", layer.shape[0], layer.shape[0] // 2)
    with place[1]:
        column = _number("Column", "img_column", layer.shape[1], layer.shape[1] // 2)
    unit = int(np.ravel_multi_index((row, column, channel), layer.shape))
    return Wanted(UNIT, (unit,), layer, spec)


def _number(label: str, key: str, count: int, default: int = 0, *, slider: bool = False) -> int:
    """A whole number below `count`; what another layer allowed and this one does not falls back."""
    if int(st.session_state.get(key, 0)) >= count:
        st.session_state[key] = default
    draw = bound.slider if slider and count > 1 else bound.number_input
    chosen: int = draw(label, 0, count - 1, default, 1, key=key)
    return chosen


def open_channel(number: int) -> None:
    """Make a channel the one above."""
    st.session_state["img_channel"] = number
