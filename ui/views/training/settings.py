"""The settings of a training and the design of its network: sliders → core's frozen settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.data.spec import MNIST, DatasetSpec
from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.stages.convolution import Conv2D
from core.network.stages.max_pooling import MaxPooling
from core.network.stages.passing import Flatten
from core.network.stages.table import BLOCKS, ENDINGS, POOLINGS
from core.report.settings import E13
from core.training.settings import FGSM, FGSM_STEP, OFF, OPTIMIZERS, PGD, TrainingSettings
from ui import text, theme
from ui.controls import bound, layer_table
from ui.controls.columns import result_and_settings
from ui.controls.report import as_in_the_report
from ui.show import error_box
from ui.visitor import compute, images, link, own_sets
from ui.visitor.parameters import Text

LEARNING_RATES = tuple(
    float(f"{mantissa}e{exponent}") for exponent in range(-5, 2) for mantissa in (1, 2, 5)
)[:-2]
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 5e-4, 1e-3, 1e-2, 1e-1, 1.0)
_REPORT = TrainingSettings()
_OPTIMIZER_NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
}
_ATTACKS = {"Off": OFF, "FGSM": FGSM, "PGD": PGD}  # as in the URL
_MAX_BLOCKS = 3
_SET = "set"
_SETS = Text(own_sets.admit, "the key of a data set")

# Widget keys, which are also the names in the URL, with the report's values.
_DESIGN = {
    "blocks": 2,
    "filters1": 32,
    "filters2": 32,
    "filters3": 32,
    "kernel": 3,
    "block": Conv2D.key,
    "pool": MaxPooling.key,
    "end": Flatten.key,
    "hidden": 500,
    "bn": False,
    "dropout": 0.0,
}
_TRAINING = {
    "lr": _REPORT.learning_rate,
    "epochs": _REPORT.epochs,
    "batch": _REPORT.batch_size,
    "optimizer": _REPORT.optimizer,
    "decay": _REPORT.weight_decay,
    "smoothing": _REPORT.label_smoothing,
    "shift": _REPORT.shift,
    "rotation": _REPORT.rotation,
    "images": _REPORT.training_images,
    "seed": _REPORT.seed,
}
_ATTACK = {
    "at": "Off",
    "at_eps": _REPORT.attack_epsilon,
    "at_steps": _REPORT.attack_steps,
    "at_step": _REPORT.attack_step,
    "at_clean": 0,  # per cent
    "at_scores": _REPORT.robust_scores,
}


def chosen_spec() -> DatasetSpec:
    """The data set to train on: the one that is set, or else that of the header's model."""
    here = own_sets.here()
    key = link.ahead(_SET, _SETS) or st.session_state.get(_SET, images.spec().key)
    return here[key].spec if key in here else MNIST


def chosen_settings() -> TrainingSettings:
    """What the sliders say. ValueError with one sentence if core does not accept it."""
    value = {key: st.session_state.get(key, default) for key, default in _TRAINING.items()}
    return TrainingSettings(
        learning_rate=float(value["lr"]),
        epochs=int(value["epochs"]),
        batch_size=int(value["batch"]),
        optimizer=str(value["optimizer"]),
        weight_decay=float(value["decay"]),
        label_smoothing=float(value["smoothing"]),
        shift=int(value["shift"]),
        rotation=float(value["rotation"]),
        training_images=chosen_images(),
        seed=int(value["seed"]),
        **_chosen_attack(),
    )


def chosen_images() -> int:
    """How many training images an epoch takes."""
    most = chosen_spec().training_images
    return min(most, int(st.session_state.get("images", most)))


def chosen_epsilon() -> float:
    """ε of the attack in training, and of the one that measures."""
    return float(st.session_state.get("at_eps", _ATTACK["at_eps"]))


def _chosen_attack() -> dict[str, Any]:
    """The attack while training; where there is none, what its sliders say does not matter."""
    value = {key: st.session_state.get(key, default) for key, default in _ATTACK.items()}
    attack, scores = _ATTACKS[str(value["at"])], bool(value["at_scores"])
    epsilon = {"attack_epsilon": chosen_epsilon()}
    if attack == OFF:
        return {"robust_scores": True, **epsilon} if scores else {}
    settings = {
        "attack": attack,
        **epsilon,
        "attack_step": float(value["at_step"]),
        "clean_share": float(value["at_clean"]) / 100,
    }
    return settings | ({"attack_steps": int(value["at_steps"])} if attack == PGD else {})


def chosen_architecture() -> Architecture:
    """What the design sliders say. ValueError with one sentence if core does not accept it."""
    value = {key: st.session_state.get(key, default) for key, default in _DESIGN.items()}
    blocks = tuple(
        ConvBlock(
            int(value[f"filters{number}"]),
            int(value["kernel"]),
            kind=str(value["block"]) if number > 1 else Conv2D.key,
            pooling_kind=str(value["pool"]),
        )
        for number in range(1, int(value["blocks"]) + 1)
    )
    return Architecture(
        blocks=blocks,
        hidden_units=(int(value["hidden"]),),
        batch_normalization=bool(value["bn"]),
        dropout=float(value["dropout"]),
        ending=str(value["end"]),
        **_of_images(),
    )


def _of_images() -> dict[str, Any]:
    """What of an architecture follows from the images."""
    spec = chosen_spec()
    return {"classes": len(spec.classes), "input_shape": spec.shape}


def _data_set() -> None:
    """The set to learn from: of those that ship, and those that the visitor has brought."""
    here, own = own_sets.here(), images.spec().key
    default = own if own in here else MNIST.key
    reading = link.read(_SET, _SETS)
    asked = reading.taken[0] if reading and reading.taken else st.session_state.get(_SET)
    st.session_state[_SET] = asked if asked in here else default
    link.taken_instead(_SET, own_sets.title(st.session_state[_SET]))
    chosen = st.selectbox(
        "Data set",
        list(here),
        format_func=own_sets.title,
        key=_SET,
        help="Bring your own on the page Data.",
    )
    link.write(_SET, None if chosen == default else (chosen,))


def settings_sliders() -> None:
    """At most six controls, the rest behind *More*, and the report's preset."""
    _data_set()
    _network_preset()
    bound.select_slider(
        "Learning rate",
        LEARNING_RATES,
        _TRAINING["lr"],
        format_func=text.learning_rate,
        key="lr",
    )
    bound.slider("Epochs", 1, 30, _TRAINING["epochs"], key="epochs")
    bound.segmented_control(
        "Batch",
        [32, 64, 128],
        default=_TRAINING["batch"],
        key="batch",
        required=True,
        width="stretch",
    )
    _attack()
    with st.popover("More", icon=":material/tune:", width="stretch"):
        _more()
    if chosen_spec() == MNIST:
        as_in_the_report(
            "as-reported",
            _as_reported,
            "E1: Model 1, Adam, 5e-4, 10 epochs, batches of 64, all 60,000 images.",
            width="stretch",
        )


def _attack() -> None:
    """E13: whether the batches are attacked while training, how far, and the rest in a popover."""
    attack = bound.segmented_control(
        "Attack the batches",
        list(_ATTACKS),
        default=_ATTACK["at"],
        key="at",
        required=True,
        width="stretch",
        on_change=_take_step,
        help="Adversarial training: each batch is attacked on the weights of that moment, from a "
        "random start, and the network learns from what comes out. FGSM takes one step, PGD "
        "several, each of which costs about as much as the training step itself.",
    )
    off = attack == "Off"
    bound.slider(
        "ε of the attack",
        0.0,
        0.5,
        _ATTACK["at_eps"],
        0.01,
        key="at_eps",
        help="The most that a pixel may change (L∞), in training and where the accuracy under "
        "attack is measured.",
    )
    with st.popover("The attack", icon=":material/bolt:", width="stretch"):
        _attack_details(attack, off)


def _attack_details(attack: str, off: bool) -> None:
    bound.slider(
        "Steps of PGD",
        1,
        10,
        _ATTACK["at_steps"],
        key="at_steps",
        disabled=attack != "PGD",
    )
    bound.slider(
        "Step, in units of ε",
        0.1,
        2.0,
        _ATTACK["at_step"],
        0.05,
        key="at_step",
        disabled=off,
        help="1.25 is usual for FGSM with a random start; larger ones invite catastrophic "
        "overfitting.",
    )
    bound.slider(
        "Clean images in a batch",
        0,
        90,
        _ATTACK["at_clean"],
        5,
        format="%d %%",
        key="at_clean",
        disabled=off,
        help="The rest of each batch is attacked.",
    )
    bound.toggle(
        "Measure robust accuracy without attacking",
        _ATTACK["at_scores"],
        key="at_scores",
        disabled=not off,
        help="The control: how a network stands under the same attack that was never trained "
        "against it.",
    )
    if chosen_spec() != MNIST:
        return
    st.button(
        "Adversarial training (E13)",
        key="as-e13",
        type="tertiary",
        icon=":material/history_edu:",
        on_click=_as_proposed,
        help=f"The report proposes to “{E13.reported}”. Here: Model 1 against PGD with "
        f"{E13.settings['attack_steps']} steps at ε = {E13.settings['epsilon']:g}, "
        f"{E13.settings['epochs']} epochs.",
    )


def _take_step() -> None:
    """The usual step of the attack that was chosen."""
    steps = {"FGSM": FGSM_STEP, "PGD": _REPORT.attack_step}
    if step := steps.get(st.session_state["at"]):
        st.session_state["at_step"] = step


def _as_proposed() -> None:
    """E13 on Model 1, small enough to be watched."""
    st.session_state.update(
        {
            **_TRAINING,
            **_DESIGN,
            **_ATTACK,
            "lr": E13.settings["learning_rate"],
            "epochs": E13.settings["epochs"],
            "at": str(E13.settings["attack"]).upper(),
            "at_eps": E13.settings["epsilon"],
            "at_steps": E13.settings["attack_steps"],
            "at_step": E13.settings["attack_step"],
            "at_clean": 0,
        }
    )


def design() -> None:
    """The network's sliders beside its drawing, or a sentence if it cannot be built."""
    picture, sliders = result_and_settings()
    with sliders, st.container(border=True, key="design"):
        st.markdown("**Design the network**")
        blocks = bound.slider("Convolutions", 1, _MAX_BLOCKS, _DESIGN["blocks"], key="blocks")
        for number in range(1, _MAX_BLOCKS + 1):
            bound.slider(
                f"Filters in conv{number}",
                4,
                64,
                _DESIGN[f"filters{number}"],
                4,
                key=f"filters{number}",
                disabled=number > blocks,
            )
        bound.slider("Kernel size", 1, 7, _DESIGN["kernel"], 2, key="kernel", format="%d px")
        _kinds(blocks)
        bound.slider("Hidden units", 10, 1000, _DESIGN["hidden"], 10, key="hidden")
        bound.toggle("Batch normalization", _DESIGN["bn"], key="bn")
        bound.slider("Dropout", 0.0, 0.8, _DESIGN["dropout"], 0.05, key="dropout")
    with picture, st.container(border=True, height="stretch"):
        try:
            architecture = chosen_architecture()
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
        default=_DESIGN[key],
        format_func=lambda kind: kinds[kind].label,
        key=key,
        required=True,
        width="stretch",
        **look,
    )


def _more() -> None:
    bound.selectbox(
        "Optimizer",
        OPTIMIZERS,
        format_func=_OPTIMIZER_NAMES.__getitem__,
        key="optimizer",
    )
    total = chosen_spec().training_images
    step = 1_000 if total >= 2_000 else max(1, total // 10)
    if st.session_state.get("images", 0) > total:  # of the data set before
        st.session_state["images"] = total
    bound.slider(
        "Training images",
        step,
        total,
        total,
        step,
        key="images",
        help=f"The first so many of the {total:,}.",
    )
    _regularization()
    bound.number_input(
        "Seed",
        0,
        2**31 - 1,
        _TRAINING["seed"],
        key="seed",
        help="Same settings and seed, same curve on the same machine.",
    )


def _regularization() -> None:
    bound.select_slider(
        "Weight decay",
        WEIGHT_DECAYS,
        _TRAINING["decay"],
        format_func=text.learning_rate,
        key="decay",
        help="On kernels: an L2 penalty in the gradient; with AdamW, apart from it.",
    )
    bound.slider(
        "Label smoothing",
        0.0,
        0.3,
        _TRAINING["smoothing"],
        0.01,
        key="smoothing",
        help="The share of the target that is spread over all "
        f"{text.in_words(len(chosen_spec().classes))} classes.",
    )
    bound.slider("Random shift, pixels", 0, 4, _TRAINING["shift"], key="shift")
    bound.slider(
        "Random rotation, degrees",
        0.0,
        30.0,
        _TRAINING["rotation"],
        1.0,
        key="rotation",
    )


def _network_preset() -> None:
    architecture = chosen_architecture()
    models = {"Model 1": MODEL_1, "Model 2": MODEL_2}
    names = {replace(model, **_of_images()): name for name, model in models.items()}
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
    chosen = st.session_state["_network"]
    if chosen is not None:
        st.session_state.update({**_DESIGN, "bn": chosen == "Model 2"})


def _as_reported() -> None:
    st.session_state.update({**_TRAINING, **_DESIGN, **_ATTACK})
