"""What is chosen for a training and the design of its network: controls → frozen settings."""

from typing import Any

import streamlit as st

from core.data.spec import MNIST, DatasetSpec
from core.network.architecture import Architecture, ConvBlock
from core.network.stages.convolution import Conv2D
from core.network.stages.max_pooling import MaxPooling
from core.network.stages.passing import Flatten
from core.training.settings import FGSM, OFF, PGD, TrainingSettings
from ui.visitor import images, link, own_sets
from ui.visitor.parameters import Text

REPORT = TrainingSettings()
ATTACKS = {"Off": OFF, "FGSM": FGSM, "PGD": PGD}  # as in the URL
MAX_BLOCKS = 3
SET, IMAGES, EPSILON = "set", "images", "at_eps"
SETS = Text(own_sets.admit, "the key of a data set")

# Widget keys, which are also the names in the URL, with the report's values.
DESIGN = {
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
TRAINING = {
    "lr": REPORT.learning_rate,
    "epochs": REPORT.epochs,
    "batch": REPORT.batch_size,
    "optimizer": REPORT.optimizer,
    "decay": REPORT.weight_decay,
    "smoothing": REPORT.label_smoothing,
    "shift": REPORT.shift,
    "rotation": REPORT.rotation,
    IMAGES: REPORT.training_images,
    "seed": REPORT.seed,
}
ATTACK = {
    "at": "Off",
    EPSILON: REPORT.attack_epsilon,
    "at_steps": REPORT.attack_steps,
    "at_step": REPORT.attack_step,
    "at_clean": 0,  # per cent
    "at_scores": REPORT.robust_scores,
}


def spec() -> DatasetSpec:
    """The data set to train on: the one that is set, or else that of the header's model."""
    here = own_sets.here()
    key = link.ahead(SET, SETS) or st.session_state.get(SET, images.spec().key)
    return here[key].spec if key in here else MNIST


def settings() -> TrainingSettings:
    """What the sliders say. ValueError with one sentence if core does not accept it."""
    value = {key: st.session_state.get(key, default) for key, default in TRAINING.items()}
    return TrainingSettings(
        learning_rate=float(value["lr"]),
        epochs=int(value["epochs"]),
        batch_size=int(value["batch"]),
        optimizer=str(value["optimizer"]),
        weight_decay=float(value["decay"]),
        label_smoothing=float(value["smoothing"]),
        shift=int(value["shift"]),
        rotation=float(value["rotation"]),
        training_images=images_an_epoch(),
        seed=int(value["seed"]),
        **_attack(),
    )


def images_an_epoch() -> int:
    """How many training images an epoch takes."""
    most = spec().training_images
    return min(most, int(st.session_state.get(IMAGES, most)))


def epsilon() -> float:
    """ε of the attack in training, and of the one that measures."""
    return float(st.session_state.get(EPSILON, ATTACK[EPSILON]))


def _attack() -> dict[str, Any]:
    """The attack while training; where there is none, what its sliders say does not matter."""
    value = {key: st.session_state.get(key, default) for key, default in ATTACK.items()}
    attack, scores = ATTACKS[str(value["at"])], bool(value["at_scores"])
    within = {"attack_epsilon": epsilon()}
    if attack == OFF:
        return {"robust_scores": True, **within} if scores else {}
    attacked = {
        "attack": attack,
        **within,
        "attack_step": float(value["at_step"]),
        "clean_share": float(value["at_clean"]) / 100,
    }
    return attacked | ({"attack_steps": int(value["at_steps"])} if attack == PGD else {})


def architecture() -> Architecture:
    """What the design sliders say. ValueError with one sentence if core does not accept it."""
    value = {key: st.session_state.get(key, default) for key, default in DESIGN.items()}
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
        **of_images(),
    )


def of_images() -> dict[str, Any]:
    """What of an architecture follows from the images."""
    own = spec()
    return {"classes": len(own.classes), "input_shape": own.shape}
