"""What the view Standard attacks sets: controls made of the catalog, and what is computed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.attacks.catalog import Attack, attack
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.noise_control import changed_by_noise
from core.attacks.result import AttackResult
from core.catalog import Value
from core.data.spec import MNIST, DatasetSpec
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from ui import text
from ui.controls import attack_settings, bound, coach, setting_controls
from ui.controls.class_picker import one_class
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

ANY, TARGETED = "Any other", "Targeted"
DRAWS = 100
_UNLABELED = " An own digit has no label: there it is any other than what the network reads."
_PREFIX = "a"
_VISIBLE = 6
_INLINE = {  # while a visitor waits: three seconds at most, roughly
    "iterations": 300,
    "restarts": 5,
    "binary_search_steps": 8,
    "queries": 2_000,
    "population": 200,
    "generations": 100,
}


@dataclass(frozen=True)
class AttackAsked:
    """An attack, the class that is wanted (None: any other), and the attack's settings."""

    attack: str
    target: int | None
    settings: tuple[tuple[str, Value], ...]

    def __post_init__(self) -> None:
        settled = attack(self.attack).settled(dict(self.settings))
        object.__setattr__(self, "settings", tuple(settled.items()))

    @property
    def words(self) -> str:
        """The settings, for captions."""
        return setting_controls.words(attack(self.attack), dict(self.settings))

    def goal(self, images: Sequence[ChosenImage], classifier: Classifier) -> Goal:
        """For each image; the answer stands in for the label that an own digit lacks."""
        if self.target is not None:
            return Targeted(np.full(len(images), self.target))
        return Untargeted(np.array([true_class(image, classifier) for image in images]))

    @property
    def work(self) -> int:
        """Gradients or answers that one image takes, roughly."""
        return attack(self.attack).work(dict(self.settings))


def true_class(image: ChosenImage, classifier: Classifier) -> int:
    """The label; of an own digit, what the network reads."""
    return int(classifier.predict(image.floats)[0]) if image.label is None else image.label


def another(spec: DatasetSpec, target: int | None) -> str:
    """“another digit” or “a 3”: what an image shall become."""
    return f"another {spec.noun}" if target is None else text.a(text.literal(spec.classes[target]))


def controls(spec: DatasetSpec) -> AttackAsked:
    """Draw them: attack, goal and the attack's own settings."""
    st.markdown("**Settings**")
    chosen = attack_settings.attack_select(_PREFIX)
    goal = bound.segmented_control(
        "Goal",
        (ANY, TARGETED),
        default=ANY,
        required=True,
        key="a_goal",
        width="stretch",
        help="Any other class than the true one, or one that you choose."
        + (_UNLABELED if spec == MNIST else ""),
    )
    target = None
    if goal == TARGETED:
        target = one_class("Target", spec, default=3, key="a_target")
    visible = _VISIBLE - (2 if target is None else 3)
    settings = attack_settings.controls(chosen, _PREFIX, visible, _INLINE)
    attack_settings.defaults_button(chosen, _PREFIX)
    return AttackAsked(chosen.name, target, tuple(settings.items()))


def nearest(chosen: Attack) -> dict[str, coach.Nearest]:
    """What the controls take of what the coach says."""
    return attack_settings.nearest(chosen, _PREFIX, _INLINE)


def keys(chosen: Attack) -> dict[str, str]:
    """The keys of what the coach may set for an attack, by the name of what each sets.

    Not the learning rate: a search that begins anew for each constant has to fall now and then.
    """
    own = {**attack_settings.keys(chosen, _PREFIX), "goal": "a_goal", "target": "a_target"}
    return {name: key for name, key in own.items() if name != "learning_rate"}


@dataclass(frozen=True, eq=False)
class AttackMade:
    """The attack on one image, with its trajectory, and how often noise of its L2 does the same.

    noise_control: None where nothing was changed.
    """

    result: AttackResult
    noise_control: Rate | None


@cached
def attacked(classifier: Classifier, image: ChosenImage, asked: AttackAsked) -> AttackMade:
    """The attack on one image, recorded."""
    result = _run(classifier, (image,), asked, record=True)
    length = float(result.l2[0])
    if not length:
        return AttackMade(result, None)
    return AttackMade(result, changed_by_noise(classifier, image.floats, length, draws=DRAWS))


@cached
def attacked_others(
    classifier: Classifier, images: tuple[ChosenImage, ...], asked: AttackAsked
) -> AttackResult:
    """The same attack on other images, without trajectories."""
    return _run(classifier, images, asked, record=False)


def _run(
    classifier: Classifier, images: tuple[ChosenImage, ...], asked: AttackAsked, *, record: bool
) -> AttackResult:
    pixels = np.concatenate([image.floats for image in images])
    goal = asked.goal(images, classifier)
    with compute.inline(asked.attack, len(images) * (asked.work + DRAWS * record), classifier):
        return attack(asked.attack)(classifier, pixels, goal, dict(asked.settings), record=record)
