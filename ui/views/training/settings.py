"""The settings of a training, and the networks of the report."""

from dataclasses import replace

import streamlit as st

from core.data.spec import MNIST
from core.network.architecture import MODEL_1, MODEL_2
from core.training.settings import OPTIMIZERS
from ui import text
from ui.controls import bound
from ui.controls.report import as_in_the_report
from ui.views.training import chosen
from ui.views.training.attack import attack
from ui.visitor import images, link, own_sets

LEARNING_RATES = tuple(
    float(f"{mantissa}e{exponent}") for exponent in range(-5, 2) for mantissa in (1, 2, 5)
)[:-2]
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 5e-4, 1e-3, 1e-2, 1e-1, 1.0)
_OPTIMIZER_NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
}


def _data_set() -> None:
    """The set to learn from: of those that ship, and those that the visitor has brought."""
    here, own = own_sets.here(), images.spec().key
    default = own if own in here else MNIST.key
    reading = link.read(chosen.SET, chosen.SETS)
    asked = reading.taken[0] if reading and reading.taken else st.session_state.get(chosen.SET)
    st.session_state[chosen.SET] = asked if asked in here else default
    link.taken_instead(chosen.SET, own_sets.title(st.session_state[chosen.SET]))
    key = st.selectbox(
        "Data set",
        list(here),
        format_func=own_sets.title,
        key=chosen.SET,
        help="Bring your own on the page Data.",
    )
    link.write(chosen.SET, None if key == default else (key,))


def settings_sliders() -> None:
    """At most six controls, the rest behind *More*, and the report's preset."""
    _data_set()
    _network_preset()
    bound.select_slider(
        "Learning rate",
        LEARNING_RATES,
        chosen.TRAINING["lr"],
        format_func=text.learning_rate,
        key="lr",
    )
    bound.slider("Epochs", 1, 30, chosen.TRAINING["epochs"], key="epochs")
    bound.segmented_control(
        "Batch",
        [32, 64, 128],
        default=chosen.TRAINING["batch"],
        key="batch",
        required=True,
        width="stretch",
    )
    attack()
    with st.popover("More", icon=":material/tune:", width="stretch"):
        _more()
    if chosen.spec() == MNIST:
        as_in_the_report(
            "as-reported",
            _as_reported,
            "E1: Model 1, Adam, 5e-4, 10 epochs, batches of 64, all 60,000 images.",
            width="stretch",
        )


def _more() -> None:
    bound.selectbox(
        "Optimizer",
        OPTIMIZERS,
        format_func=_OPTIMIZER_NAMES.__getitem__,
        key="optimizer",
    )
    total = chosen.spec().training_images
    step = 1_000 if total >= 2_000 else max(1, total // 10)
    if st.session_state.get(chosen.IMAGES, 0) > total:  # of the data set before
        st.session_state[chosen.IMAGES] = total
    bound.slider(
        "Training images",
        step,
        total,
        total,
        step,
        key=chosen.IMAGES,
        help=f"The first so many of the {total:,}.",
    )
    _regularization()
    bound.number_input(
        "Seed",
        0,
        2**31 - 1,
        chosen.TRAINING["seed"],
        key="seed",
        help="Same settings and seed, same curve on the same machine.",
    )


def _regularization() -> None:
    bound.select_slider(
        "Weight decay",
        WEIGHT_DECAYS,
        chosen.TRAINING["decay"],
        format_func=text.learning_rate,
        key="decay",
        help="On kernels: an L2 penalty in the gradient; with AdamW, apart from it.",
    )
    bound.slider(
        "Label smoothing",
        0.0,
        0.3,
        chosen.TRAINING["smoothing"],
        0.01,
        key="smoothing",
        help="The share of the target that is spread over all "
        f"{text.in_words(len(chosen.spec().classes))} classes.",
    )
    bound.slider("Random shift, pixels", 0, 4, chosen.TRAINING["shift"], key="shift")
    bound.slider(
        "Random rotation, degrees",
        0.0,
        30.0,
        chosen.TRAINING["rotation"],
        1.0,
        key="rotation",
    )


def _network_preset() -> None:
    architecture = chosen.architecture()
    models = {"Model 1": MODEL_1, "Model 2": MODEL_2}
    names = {replace(model, **chosen.of_images()): name for name, model in models.items()}
    st.session_state["_network"] = names.get(architecture)
    st.segmented_control(
        "Network",
        ["Model 1", "Model 2"],
        key="_network",
        on_change=_take_network,
        width="stretch",
        help="Model 2 is Model 1 with batch normalization. Or design your own below.",
    )
    if architecture not in names:
        st.caption("Your own design, below.")


def _take_network() -> None:
    name = st.session_state["_network"]
    if name is not None:
        st.session_state.update({**chosen.DESIGN, "bn": name == "Model 2"})


def _as_reported() -> None:
    st.session_state.update({**chosen.TRAINING, **chosen.DESIGN, **chosen.ATTACK})
