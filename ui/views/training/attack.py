"""The attack while training (E13): its controls, and the report's proposal."""

import streamlit as st

from core.data.spec import MNIST
from core.report.settings import E13
from core.training.settings import FGSM_STEP
from ui.controls import bound
from ui.views.training import chosen


def attack() -> None:
    """E13: whether the batches are attacked while training, how far, and the rest in a popover."""
    name = bound.segmented_control(
        "Attack the batches",
        list(chosen.ATTACKS),
        default=chosen.ATTACK["at"],
        key="at",
        required=True,
        width="stretch",
        on_change=_take_step,
        help="Adversarial training: each batch is attacked on the weights of that moment, from a "
        "random start, and the network learns from what comes out. FGSM takes one step, PGD "
        "several, each of which costs about as much as the training step itself.",
    )
    off = name == "Off"
    bound.slider(
        "ε of the attack",
        0.0,
        0.5,
        chosen.ATTACK[chosen.EPSILON],
        0.01,
        key=chosen.EPSILON,
        help="The most that a pixel may change (L∞), in training and where the accuracy under "
        "attack is measured.",
    )
    with st.popover("The attack", icon=":material/bolt:", width="stretch"):
        _details(name, off)


def _details(name: str, off: bool) -> None:
    bound.slider(
        "Steps of PGD",
        1,
        10,
        chosen.ATTACK["at_steps"],
        key="at_steps",
        disabled=name != "PGD",
    )
    bound.slider(
        "Step, in units of ε",
        0.1,
        2.0,
        chosen.ATTACK["at_step"],
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
        chosen.ATTACK["at_clean"],
        5,
        format="%d %%",
        key="at_clean",
        disabled=off,
        help="The rest of each batch is attacked.",
    )
    bound.toggle(
        "Measure robust accuracy without attacking",
        chosen.ATTACK["at_scores"],
        key="at_scores",
        disabled=not off,
        help="The control: how a network stands under the same attack that was never trained "
        "against it.",
    )
    if chosen.spec() != MNIST:
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
    steps = {"FGSM": FGSM_STEP, "PGD": chosen.REPORT.attack_step}
    if step := steps.get(st.session_state["at"]):
        st.session_state["at_step"] = step


def _as_proposed() -> None:
    """E13 on Model 1, small enough to be watched."""
    st.session_state.update(
        {
            **chosen.TRAINING,
            **chosen.DESIGN,
            **chosen.ATTACK,
            "lr": E13.settings["learning_rate"],
            "epochs": E13.settings["epochs"],
            "at": str(E13.settings["attack"]).upper(),
            chosen.EPSILON: E13.settings["epsilon"],
            "at_steps": E13.settings["attack_steps"],
            "at_step": E13.settings["attack_step"],
            "at_clean": 0,
        }
    )
