"""What the view From noise sets, and what it computes of that."""

from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st

from core.attacks.generated import OBJECTIVES, generate_from_noise
from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from core.optimization.engine import OPTIMIZERS, Trajectory
from core.report.settings import E7
from ui import text
from ui.controls import bound, shared
from ui.controls.class_picker import some_classes
from ui.controls.report import as_in_the_report
from ui.visitor import compute
from ui.visitor.cache import cached


@dataclass(frozen=True)
class NoiseSettings:
    """What the controls say, as `generate_from_noise` takes it."""

    mean: float
    stddev: float
    learning_rate: float
    iterations: int
    objective: str
    optimizer: str
    seed: int

    @property
    def words(self) -> str:
        """Start, objective and steps, for captions."""
        steps = shared.step_words(
            self.objective, self.optimizer, self.learning_rate, self.iterations
        )
        return f"start N({self.mean:g}, {self.stddev:g}²), {steps}"


REPORTED = NoiseSettings(**E7.settings, optimizer=OPTIMIZERS[0], seed=0)
_REPORT = {
    "noise_show": list(E7.classes),
    "noise_mean": REPORTED.mean,
    "noise_std": REPORTED.stddev,
    "noise_rate": REPORTED.learning_rate,
    "noise_steps": REPORTED.iterations,
    "noise_cost": REPORTED.objective,
    "noise_by": REPORTED.optimizer,
    "noise_seed": REPORTED.seed,
}


def controls(spec: DatasetSpec) -> tuple[list[int], NoiseSettings]:
    """Draw them; the classes to show, and the settings."""
    st.markdown("**Settings**")
    count = text.in_words(len(spec.classes))
    shown = some_classes(
        "Classes to show",
        spec,
        default=E7.classes,
        key="noise_show",
        help=f"All {count} are computed together; these are played and drawn.",
    )
    mean = bound.slider("Mean of the start", 0.0, 1.0, REPORTED.mean, 0.05, key="noise_mean")
    stddev = bound.slider(
        "Its standard deviation",
        0.0,
        0.5,
        REPORTED.stddev,
        0.01,
        key="noise_std",
    )
    learning_rate = shared.learning_rate_slider("noise_rate", REPORTED.learning_rate)
    iterations = shared.iterations_slider("noise_steps", REPORTED.iterations)
    objective = bound.segmented_control(
        "Objective",
        OBJECTIVES,
        default=REPORTED.objective,
        format_func={"logit": "Logit", "cross-entropy": "Cross-entropy"}.__getitem__,
        required=True,
        key="noise_cost",
        width="stretch",
        help="The logit goes on rising when the probability is 1; the gradient of the "
        "cross-entropy vanishes there.",
    )
    with st.popover("More", icon=":material/tune:", width="stretch"):
        optimizer = shared.optimizer_select("noise_by")
        seed = shared.seed_input("noise_seed")
    as_in_the_report(
        "noise-as-reported",
        lambda: st.session_state.update(_REPORT),
        "E7: N(0.5, 0.05²), the logit, 5e-4, 200 iterations; classes 9, 0 and 5.",
    )
    return shown, NoiseSettings(mean, stddev, learning_rate, iterations, objective, optimizer, seed)


@cached
def trajectory_of(classifier: Classifier, settings: NoiseSettings) -> Trajectory:
    """Noise made into all classes."""
    count = len(classifier.spec.classes)
    what = f"The images of {text.in_words(count)} classes"
    with compute.inline(what, count * settings.iterations, classifier):
        return generate_from_noise(
            classifier,
            np.arange(count),
            keep_every=shared.keep_every(settings.iterations),
            **asdict(settings),
        )
