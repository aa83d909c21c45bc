"""What the view Smallest perturbation sets, and what it computes of one image."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.attacks.catalog import attack
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.noise_control import changed_by_noise
from core.attacks.plane import Plane, plane
from core.attacks.smallest import BISECTED, METHODS, Smallest, path, smallest
from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from ui.controls import bound, shared
from ui.controls.class_picker import one_class
from ui.controls.setting_controls import NORM_NAMES
from ui.views.adversarial.standard_settings import ANY, DRAWS, TARGETED, true_class
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

COUNTS = (50, 100, 200, 500)
_STEPS = 20
_PLANE = 41**2  # images of the plane around it
_BALLS = 16  # that a bisection tries, roughly
_DEFAULTS = {
    "s_method": METHODS[0],
    "s_norm": "linf",
    "s_goal": ANY,
    "s_steps": _STEPS,
    "s_images": 200,
    "s_seed": 0,
}


@dataclass(frozen=True)
class SmallestAsked:
    """How the smallest change is searched for, and which class is wanted (None: any other)."""

    method: str
    norm: str
    target: int | None
    iterations: int

    @property
    def words(self) -> str:
        """Method and norm, for captions."""
        if self.method not in BISECTED:
            return f"{self.method}, L2"
        steps = f", {self.iterations} iterations" if self.method == "PGD" else ""
        return f"{self.method}{steps}, ε bisected in {NORM_NAMES[self.norm]}"

    @property
    def measured_in(self) -> str:
        """“L∞” or “L2”."""
        return NORM_NAMES[self.norm if self.method in BISECTED else "l2"]

    @property
    def work(self) -> int:
        """Looks at the network that one image takes, roughly."""
        if self.method not in BISECTED:
            return attack(self.method).work({})
        return _BALLS * attack(self.method).work({"iterations": self.iterations})

    def goal(self, image: ChosenImage, classifier: Classifier) -> Goal:
        """The answer stands in for the label that an own digit lacks."""
        if self.target is not None:
            return Targeted(np.array([self.target]))
        return Untargeted(np.array([true_class(image, classifier)]))


def controls(spec: DatasetSpec) -> tuple[SmallestAsked, int, int]:
    """Draw them; what is asked, the random direction's seed, and how many images to measure."""
    st.markdown("**Settings**")
    method = bound.selectbox("Attack", METHODS, key="s_method")
    st.caption(
        "The ball’s radius ε is bisected."
        if method in BISECTED
        else "It looks for the smallest L2 by itself.",
        help=f"{attack(method).summary} {attack(method).source}",
    )
    norm = "l2"
    if method in BISECTED:
        norm = bound.segmented_control(
            "Norm",
            list(NORM_NAMES),
            default="linf",
            format_func=NORM_NAMES.__getitem__,
            required=True,
            key="s_norm",
            width="stretch",
        )
    goal = bound.segmented_control(
        "Goal",
        (ANY, TARGETED),
        default=ANY,
        required=True,
        key="s_goal",
        width="stretch",
        help="Any other class than the true one, or one that you choose.",
    )
    target = None
    if goal == TARGETED:
        target = one_class("Target", spec, default=3, key="s_target")
    iterations = _STEPS
    if method == "PGD":
        iterations = bound.slider("Iterations", 2, 100, _STEPS, 1, key="s_steps")
    with st.popover("More", icon=":material/tune:", width="stretch"):
        seed = bound.number_input("Seed of the random direction", 0, 999, 0, 1, key="s_seed")
        images = shared.count_slider(
            spec, COUNTS, key="s_images", help="The first test images.",
            label="Images of the histogram",
        )  # fmt: skip
    st.button(
        "Defaults",
        key="s-defaults",
        type="tertiary",
        icon=":material/restart_alt:",
        on_click=_restore,
        help="PGD with 20 iterations, bisected in L∞, toward any other class.",
    )
    return SmallestAsked(method, norm, target, iterations), seed, images


def _restore() -> None:
    st.session_state.update(_DEFAULTS)


@dataclass(frozen=True, eq=False)
class Found:
    """What was found for one image; plane and noise_control are None where nothing was changed.

    read: the classes before and after. noise_control: how often a random direction of the same L2
    changes the answer.
    """

    smallest: Smallest
    read: tuple[int, int]
    plane: Plane | None
    noise_control: Rate | None


@cached
def found_for(classifier: Classifier, image: ChosenImage, asked: SmallestAsked, seed: int) -> Found:
    """The smallest change of one image, the plane around it, and the control."""
    pixels, goal = image.floats, asked.goal(image, classifier)
    with compute.inline("The smallest change", asked.work + DRAWS + _PLANE, classifier):
        found = smallest(
            classifier,
            pixels,
            goal,
            method=asked.method,
            norm=asked.norm,
            iterations=asked.iterations,
        )
        before, after = (int(classifier.predict(each)[0]) for each in (pixels, found.adversarial))
        if not found.found[0]:
            return Found(found, (before, after), None, None)
        steps = path(classifier, found, goal, method=asked.method, iterations=asked.iterations)
        seen = plane(classifier, pixels, found.adversarial, path=steps, seed=seed)
        noise_control = changed_by_noise(
            classifier, pixels, float(found.l2[0]), draws=DRAWS, seed=seed
        )
    return Found(found, (before, after), seen, noise_control)
