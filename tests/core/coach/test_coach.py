"""Every rule of the coach: where it speaks, where it keeps silent, and that its fix helps."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.catalog import ATTACKS, attack
from core.attacks.generated import generate_from_noise
from core.attacks.goals import Untargeted
from core.coach.rules import INK_HIGH, INK_MEAN, RULES, advise
from core.coach.situation import Advice, Situation
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory
from core.statistics.rate import Rate
from tests.sizes import CLASSES, SIDE


def way(logit: FloatArray, *, label: int = 3, ink: float = 0.0, change: float = 0.0) -> Trajectory:
    """One image whose logit of `label` takes a course; all others stay at 0."""
    logits = np.zeros((len(logit), 1, CLASSES), np.float32)
    logits[:, 0, label] = logit
    images = np.zeros((len(logit), 1, SIDE, SIDE, 1), np.float32)
    images[:] = ink / SIDE**2
    images[-1, 0, 5, 5, 0] = change
    return Trajectory(images, np.arange(len(logit)), logits, {})


RISING = way(np.linspace(-9, -1, 100, dtype=np.float32))
SETTLED = way(np.minimum(np.linspace(-9, 60, 100, dtype=np.float32), 8))
SURE = way(np.linspace(0, 40, 100, dtype=np.float32))
STUCK = way(np.full(100, -5, np.float32))
LEAPING = way(np.where(np.arange(101) % 2, 5.0, 4.0).astype(np.float32))

CASES: dict[str, tuple[Situation, dict[str, Any], Situation]] = {
    "nothing may change": (
        Situation({"epsilon": 0.0, "norm": "l2"}), {"epsilon": 2.0},
        Situation({"epsilon": 0.1, "norm": "l2"}),
    ),
    "target is there": (
        Situation({}, goal=9, read=9), {"target": 0}, Situation({}, goal=9, read=4),
    ),
    "misread before": (
        Situation({}, true=4, read=9), {"goal": "Targeted"}, Situation({}, true=4, read=4),
    ),
    "cannot reach the edge": (
        Situation({"step_size": 0.01, "iterations": 10, "epsilon": 0.3}, attack="PGD"),
        {"step_size": 0.075},
        Situation({"step_size": 0.03, "iterations": 10, "epsilon": 0.3}, attack="PGD"),
    ),
    "steps across the ball": (
        Situation({"step_size": 0.2, "iterations": 10, "epsilon": 0.2}, attack="BIM"),
        {"step_size": 0.05},
        Situation({"step_size": 0.2, "iterations": 1, "epsilon": 0.2}, attack="BIM"),
    ),
    "gray is inside": (
        Situation({"epsilon": 0.5, "norm": "linf"}), {"epsilon": 0.3},
        Situation({"epsilon": 0.5, "norm": "l2"}),
    ),
    "gradient has vanished": (
        Situation({"objective": "cross-entropy"}, trajectory=SURE, goal=3), {"objective": "logit"},
        Situation({"objective": "logit"}, trajectory=SURE, goal=3),
    ),
    "larger than real": (
        Situation({"epsilon": 0.3}, trajectory=way(np.ones(3, np.float32), change=1.0), goal=3,
                  nearest_real=0.9),
        {"epsilon": 0.15},
        Situation({"epsilon": 0.3}, trajectory=way(np.ones(3, np.float32), change=1.0), goal=3,
                  nearest_real=1.1),
    ),
    "one step fails": (
        Situation({}, attack="FGSM", trajectory=STUCK, goal=3), {"attack": "PGD"},
        Situation({}, attack="FGSM", trajectory=SURE, goal=3),
    ),
    "start again": (
        Situation({"restarts": 1}, attack="PGD", trajectory=STUCK, goal=3), {"restarts": 5},
        Situation({"restarts": 1, "random_start": False}, attack="PGD", trajectory=STUCK, goal=3),
    ),
    "more queries": (
        Situation({"queries": 1_000}, trajectory=STUCK, goal=3), {"queries": 5_000},
        Situation({"queries": 1_000}, trajectory=SURE, goal=3),
    ),
    "still rising": (
        Situation({"iterations": 100}, trajectory=RISING, goal=3), {"iterations": 200},
        Situation({"iterations": 100}, trajectory=STUCK, goal=3),
    ),
    "leaps": (
        Situation({"learning_rate": 0.05}, trajectory=LEAPING, goal=3), {"learning_rate": 0.01},
        Situation({"learning_rate": 0.05}, trajectory=SURE, goal=3),
    ),
    "held too tight": (
        Situation({"beta": 5.0, "iterations": 100}, trajectory=STUCK, goal=3), {"beta": 0.5},
        Situation({"beta": 5.0, "iterations": 100}, trajectory=SURE, goal=3),
    ),
    "not held": (Situation({"beta": 0.0}), {"beta": 1.0}, Situation({"beta": 0.5})),
    "not minimal": (
        Situation({"confidence": 5.0}), {"confidence": 0.0}, Situation({"confidence": 0.0}),
    ),
    "too few searches": (
        Situation({"binary_search_steps": 1}), {"binary_search_steps": 5},
        Situation({"binary_search_steps": 5}),
    ),
    "much ink": (
        Situation({"penalty": 0.01}, trajectory=way(np.ones(2, np.float32), ink=200)),
        {"penalty": 0.03},
        Situation({"penalty": 0.01}, trajectory=way(np.ones(2, np.float32), ink=100)),
    ),
    "blank": (
        Situation({"penalty": 0.3}, trajectory=way(np.ones(2, np.float32), change=0.5)),
        {"penalty": 0.1},
        Situation({"penalty": 0.3}, trajectory=way(np.ones(2, np.float32))),
    ),
    "wide interval": (
        Situation({}, success=Rate(10, 20)), {"images": 200}, Situation({}, success=Rate(100, 200)),
    ),
    "long done": (
        Situation({"iterations": 400}, trajectory=SETTLED, goal=3), {"iterations": 110},
        Situation({"iterations": 400}, trajectory=SURE, goal=3),
    ),
}  # fmt: skip


def named(situation: Situation, rule: str) -> Advice | None:
    return next((each for each in advise(situation) if each.rule == rule), None)


def test_every_rule_has_a_case() -> None:
    assert len(CASES) == len(RULES) >= 13
    assert {rule.__name__.replace("_", " ") for rule in RULES} == set(CASES)


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_speaks_where_it_should_and_nowhere_else(rule: str) -> None:
    speaks, fix, silent = CASES[rule]
    advice = named(speaks, rule)
    assert advice is not None
    assert advice.fix == fix
    assert advice.sentence.endswith(".")
    assert advice.reason.endswith(".")
    assert named(silent, rule) is None
    assert named(Situation({}), rule) is None, "it keeps silent where nothing is known"


@pytest.mark.parametrize(
    "rule",
    ["nothing may change", "cannot reach the edge", "steps across the ball", "gray is inside",
     "gradient has vanished", "not held", "not minimal", "too few searches"],
)  # fmt: skip
def test_after_the_fix_the_rule_is_content(rule: str) -> None:
    speaks, fix, _ = CASES[rule]
    assert named(replace(speaks, settings={**speaks.settings, **fix}), rule) is None


@pytest.mark.parametrize("name", list(ATTACKS))
def test_no_attack_leaves_the_coach_at_a_loss(name: str) -> None:
    """A change beyond all real images, targeted and failed, with each attack's own settings."""
    far = way(np.full(30, -5, np.float32), change=1.0)
    now = Situation(
        attack(name).defaults(), name, far, goal=3, read=7, nearest_real=0.1,
    )  # fmt: skip
    for advice in advise(now):
        assert set(advice.fix) <= {*attack(name).defaults(), "attack"}


def test_the_ink_of_real_digits_is_measured(mnist: Dataset) -> None:
    ink = to_float(mnist.test.images).sum(axis=(1, 2, 3))
    assert pytest.approx(ink.mean(), abs=0.1) == INK_MEAN
    assert pytest.approx(np.quantile(ink, 0.95), abs=0.1) == INK_HIGH


def test_a_default_attack_that_works_needs_no_advice(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:1]), mnist.test.labels[:1].astype(np.int64)
    pgd = attack("PGD")
    result = pgd(model_1, images, Untargeted(labels), record=True)
    now = Situation(
        pgd.defaults(), "PGD", result.trajectory, true=int(labels[0]), read=int(labels[0])
    )
    assert advise(now) == []


def test_cross_entropy_from_noise_is_told_to_take_the_logit(model_1: Classifier) -> None:
    rate = {"learning_rate": 0.01, "iterations": 200}
    found = generate_from_noise(model_1, np.array([3]), objective="cross-entropy", **rate)  # type: ignore[arg-type]
    settings = {"objective": "cross-entropy", **rate}
    assert named(Situation(settings, trajectory=found, goal=3), "gradient has vanished") is not None
