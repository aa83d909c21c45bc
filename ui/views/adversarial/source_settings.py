"""What the view Toward a source sets, and what it computes of that."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.attacks.generated import OBJECTIVES, STARTS, move_toward
from core.attacks.goals import Targeted
from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from core.optimization.engine import OPTIMIZERS, Trajectory
from core.report.settings import E8, E8_SOURCE_CLASS
from ui import text
from ui.controls import bound, shared
from ui.controls.class_picker import some_classes
from ui.controls.report import as_in_the_report
from ui.visitor import compute, images, state
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

_STEPS = tuple(float(f"{digit}e{power}") for power in range(-2, 2) for digit in (1, 2, 5))
BETAS = (0.0, *_STEPS, 100.0)
ROW = _STEPS[2:]


@dataclass(frozen=True)
class SourceSettings:
    """What the controls say, as `move_toward` takes it."""

    beta: float
    start: str
    learning_rate: float
    iterations: int
    objective: str
    optimizer: str
    mean: float
    stddev: float
    seed: int

    @property
    def words(self) -> str:
        """β, start and steps, for captions."""
        steps = shared.step_words(
            self.objective, self.optimizer, self.learning_rate, self.iterations
        )
        start = "the source" if self.start == "source" else "noise"
        return f"β = {self.beta:g}, from {start}, {steps}"


@dataclass(frozen=True, eq=False)
class SourceEnds:
    """Last images float32 [n, …] with their logits [n, classes] and L2 from the source [n]."""

    images: FloatArray
    logits: FloatArray
    l2: FloatArray


REPORTED = SourceSettings(  # the report does not say where its way begins
    **E8.settings,
    start=STARTS[0],
    objective=OBJECTIVES[0],
    optimizer=OPTIMIZERS[0],
    mean=0.5,
    stddev=0.05,
    seed=0,
)
_REPORT = {
    "to": list(E8.classes),
    "to_beta": REPORTED.beta,
    "to_start": REPORTED.start,
    "to_rate": REPORTED.learning_rate,
    "to_steps": REPORTED.iterations,
    "to_cost": REPORTED.objective,
    "to_by": REPORTED.optimizer,
    "to_mean": REPORTED.mean,
    "to_std": REPORTED.stddev,
    "to_seed": REPORTED.seed,
}


def controls(spec: DatasetSpec) -> tuple[list[int], SourceSettings]:
    """Draw them; the targets to play, and the settings."""
    st.markdown("**Settings**")
    targets = some_classes(
        "Targets",
        spec,
        default=E8.classes,
        key="to",
        help="The source is the image in the header. All "
        f"{text.in_words(len(spec.classes))} targets are computed together; these are played.",
    )
    beta = bound.select_slider(
        "β: stay near the source",
        BETAS,
        REPORTED.beta,
        format_func=lambda value: f"{value:g}",
        key="to_beta",
        help="What is maximized is the target's logit − β · ‖x − source‖².",
    )
    start = bound.segmented_control(
        "Start from",
        STARTS,
        default=REPORTED.start,
        format_func=str.capitalize,
        required=True,
        key="to_start",
        width="stretch",
    )
    learning_rate = shared.learning_rate_slider("to_rate", REPORTED.learning_rate)
    iterations = shared.iterations_slider("to_steps", REPORTED.iterations)
    with st.popover("More", icon=":material/tune:", width="stretch"):
        optimizer = shared.optimizer_select("to_by")
        objective = bound.selectbox("Objective", OBJECTIVES, key="to_cost")
        mean = bound.slider("Mean of the noise", 0.0, 1.0, REPORTED.mean, 0.05, key="to_mean")
        stddev = bound.slider(
            "Its standard deviation", 0.0, 0.5, REPORTED.stddev, 0.01, key="to_std"
        )
        seed = shared.seed_input("to_seed")
    as_in_the_report(
        "to-as-reported",
        _as_reported,
        "E8: β = 1, 1e-3, 400 iterations; a 2 as the source, targets 3, 6 and 8.",
    )
    return targets, SourceSettings(
        beta, start, learning_rate, iterations, objective, optimizer, mean, stddev, seed
    )


def _as_reported() -> None:
    st.session_state.update(_REPORT)
    if images.chosen().label != E8_SOURCE_CLASS:
        images.choose(state.FIRST_IMAGE)


@cached
def trajectory_of(
    classifier: Classifier, source: ChosenImage, settings: SourceSettings
) -> Trajectory:
    """The source moved toward all classes."""
    count = len(classifier.spec.classes)
    what = f"{text.in_words(count).capitalize()} targets"
    with compute.inline(what, count * settings.iterations, classifier):
        return move_toward(
            classifier,
            source.floats.repeat(count, axis=0),
            Targeted(np.arange(count)),
            keep_every=shared.keep_every(settings.iterations),
            **asdict(settings),
        )


def lengths_from(changed: FloatArray, source: ChosenImage) -> FloatArray:
    """L2 of the change from the source: float [n]."""
    length: FloatArray = np.sqrt(((changed - source.floats) ** 2).sum(axis=(1, 2, 3)))
    return length


def by_beta(
    classifier: Classifier, source: ChosenImage, target: int, settings: SourceSettings
) -> SourceEnds:
    """The source moved toward one target with each β of `ROW`, whatever β the settings have."""
    plain = replace(settings, beta=0.0)
    return _by_beta(target, plain, classifier, source)


@cached
def _by_beta(
    target: int, settings: SourceSettings, classifier: Classifier, source: ChosenImage
) -> SourceEnds:
    with compute.inline("The row of β", len(ROW) * settings.iterations, classifier):
        last = np.concatenate(
            [
                move_toward(
                    classifier,
                    source.floats,
                    Targeted(np.array([target])),
                    keep_every=settings.iterations,
                    **{**asdict(settings), "beta": beta},
                ).result
                for beta in ROW
            ]
        )
    return SourceEnds(last, classifier.logits(last), lengths_from(last, source))
