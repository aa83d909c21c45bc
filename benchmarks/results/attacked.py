"""What fools them."""

import functools
from typing import Any

import numpy as np

from benchmarks.results.tree import here, others, picked, test_images

ATTACKS: dict[str, dict[str, Any]] = {
    "FGSM": {},
    "PGD": {"iterations": 20, "restarts": 2},
    "Momentum": {},
    "APGD": {"iterations": 20, "loss": "targeted_dlr", "norm": "l2", "epsilon": 2.0},
    "DeepFool": {"iterations": 10},
    "DDN": {"iterations": 20},
    "Carlini–Wagner": {"binary_search_steps": 2, "iterations": 20},
    "JSMA": {"pixels": 20},
    "One pixel": {"pixels": 5, "population": 20, "generations": 5},
    "Square": {"queries": 50},
    "Worst case": {"iterations": 10, "queries": 20, "epsilon": 0.15},
}


def _from_noise() -> Any:
    model = here.load_once("model-1")
    made = here.generate_from_noise(model, np.arange(10), iterations=60, keep_every=20, seed=4)
    return picked(made, "images steps logits terms")


def _toward_a_source() -> Any:
    model, (images, labels) = here.load_once("model-1"), test_images(6)
    goals = {"away": here.Untargeted(labels), "toward": here.Targeted(others(labels))}
    ways = {"source": {}, "noise": {"start": "noise", "seed": 2, "objective": "cross-entropy"}}
    return {
        (goal, way): picked(
            here.move_toward(model, images, goals[goal], iterations=60, keep_every=20, **ways[way]),
            "images logits terms",
        )
        for goal in goals
        for way in ways
    }


def _one_noise() -> Any:
    model, (images, labels) = here.load_once("model-1"), test_images(6)
    goal = here.Targeted(np.full_like(labels, 3))
    made = here.additive_noise(model, images, goal, iterations=60, keep_every=20)
    return picked(made, "images noise logits terms")


def _attack(name: str) -> Any:
    model, (images, labels) = here.load_once("model-1"), test_images(4)
    goals = {"away": here.Untargeted(labels), "toward": here.Targeted(others(labels))}
    return {
        kind: picked(here.attack(name)(model, images, goal, ATTACKS[name]), "adversarial succeeded")
        for kind, goal in goals.items()
    }


def _smallest() -> Any:
    model, (images, labels) = here.load_once("model-1"), test_images(4)
    return {
        (method, norm): picked(
            here.smallest(
                model, images, here.Untargeted(labels), method=method, norm=norm, iterations=10
            ),
            "adversarial radius ball failed",
        )
        for method, norm in (("PGD", "linf"), ("FGSM", "l2"), ("DDN", "l2"))
    }


RESULTS = {
    "From noise": _from_noise,
    "Toward a source": _toward_a_source,
    "One noise": _one_noise,
    **{name: functools.partial(_attack, name) for name in ATTACKS},
    "Smallest changes": _smallest,
}
