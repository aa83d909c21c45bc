"""Every attack with its settings, in one place: pages, scores and benchmarks read this list."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import CLASSES, FloatArray
from core.attacks.apgd import LOSSES, apgd
from core.attacks.black_box import square
from core.attacks.ensemble import worst_case
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.gradient import fgsm, momentum, pgd
from core.attacks.minimal import carlini_wagner, ddn, deepfool
from core.attacks.result import AttackResult
from core.attacks.sparse import one_pixel, saliency_map
from core.checks import as_written
from core.network.classifier import Classifier

Value = float | int | str | bool
_FREE = {  # settings that change how far or which way, and not how long
    "epsilon", "norm", "step_size", "random_start", "seed", "decay", "overshoot", "gamma",
    "initial_constant", "learning_rate", "confidence", "theta",
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """A number (low to high), one of `choices`, or a switch (a bool default), with its default."""

    name: str
    label: str
    default: Value
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class Attack:
    """An attack: its function, what it is in one sentence, its source, its settings, its cost.

    looks: how many gradients or answers one image takes, of the settings that this depends on by
    name. Raises ValueError if a setting is neither one of these nor known to cost nothing.
    """

    name: str
    run: Callable[..., AttackResult]
    summary: str
    source: str
    settings: tuple[Setting, ...]
    looks: Callable[..., int]

    def __post_init__(self) -> None:
        costly = set(inspect.signature(self.looks).parameters)
        names = {setting.name for setting in self.settings}
        if unknown := (names - _FREE - costly) | (costly - names):
            raise ValueError(
                f"{self.name} does not say what {', '.join(sorted(unknown))} costs: "
                "let `looks` take it, or name it among what is free."
            )

    def work(self, settings: Mapping[str, Value]) -> int:
        """How many gradients or answers one image takes with `settings`, at most and roughly."""
        every = {**self.defaults(), **settings}
        return self.looks(
            **{name: every[name] for name in inspect.signature(self.looks).parameters}
        )

    @property
    def follows_a_gradient(self) -> bool:
        """Whether it follows one; the others ask for logits only."""
        return self.name not in ("One pixel", "Square")

    @property
    def bounded(self) -> bool:
        """Whether it stays in a ball of radius epsilon; the others look for a small change."""
        return any(setting.name == "epsilon" for setting in self.settings)

    def defaults(self) -> dict[str, Value]:
        """Each setting's default by name."""
        return {setting.name: setting.default for setting in self.settings}

    def settled(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """`settings` with every fraction as it is written: so one title is one computation.

        For whoever keeps or shows a result under them. Raises ValueError on a setting that the
        attack has not.
        """
        if unknown := set(settings) - set(self.defaults()):
            raise ValueError(
                f"{self.name} has no setting {', '.join(sorted(unknown))}: "
                f"choose of {', '.join(self.defaults())}."
            )
        return {
            name: as_written(value) if isinstance(value, float | np.floating) else value
            for name, value in settings.items()
        }

    def __call__(
        self,
        classifier: Classifier,
        images: FloatArray,
        goal: Goal,
        settings: Mapping[str, Value] | None = None,
        *,
        record: bool = False,
    ) -> AttackResult:
        """The result with `settings` in place of the defaults; its trajectory if `record`."""
        return self.run(
            classifier, images, goal, **{**self.defaults(), **(settings or {})}, record=record
        )


def _apgd_looks(iterations: int, restarts: int, loss: str) -> int:
    return iterations * restarts * (CLASSES - 1 if loss == "targeted_dlr" else 1)


EPSILON = Setting("epsilon", "ε", 0.3, 0.0, 1.0, 0.01, help="The radius of the ball.")
NORM = Setting("norm", "Norm", "linf", choices=NORMS)

ATTACKS = (
    Attack(
        "FGSM",
        fgsm,
        "One step to the edge of the ball.",
        "Goodfellow, Shlens and Szegedy (2014), arXiv:1412.6572",
        (EPSILON, NORM),
        lambda: 1,
    ),
    Attack(
        "PGD",
        pgd,
        "Many small steps, each followed by a projection on the ball.",
        "Madry et al. (2017), arXiv:1706.06083",
        (
            EPSILON,
            NORM,
            Setting("step_size", "Step size", 0.01, 0.001, 1.0, 0.001),
            Setting("iterations", "Iterations", 40, 1, 200, 1),
            Setting("random_start", "Random start", True),
            Setting("restarts", "Restarts", 1, 1, 20, 1),
            Setting("seed", "Seed", 0, 0, 999, 1),
        ),
        lambda iterations, restarts: iterations * restarts,
    ),
    Attack(
        "Momentum",
        momentum,
        "Steps along an average of past gradients.",
        "Dong et al. (2017), arXiv:1710.06081",
        (
            EPSILON,
            NORM,
            Setting("step_size", "Step size", 0.03, 0.001, 1.0, 0.001),
            Setting("iterations", "Iterations", 10, 1, 200, 1),
            Setting("decay", "Decay", 1.0, 0.0, 1.0, 0.05),
        ),
        lambda iterations: iterations,
    ),
    Attack(
        "APGD",
        apgd,
        "Steps that halve themselves where the loss no longer rises.",
        "Croce and Hein (2020), arXiv:2003.01690",
        (
            EPSILON,
            NORM,
            Setting("iterations", "Iterations", 100, 1, 500, 1),
            Setting("restarts", "Restarts", 1, 1, 20, 1),
            Setting("loss", "Loss", "cross_entropy", choices=LOSSES),
            Setting("seed", "Seed", 0, 0, 999, 1),
        ),
        _apgd_looks,
    ),
    Attack(
        "DeepFool",
        deepfool,
        "Again and again to the nearest boundary of the linearized network.",
        "Moosavi-Dezfooli, Fawzi and Frossard (2015), arXiv:1511.04599",
        (
            Setting("iterations", "Iterations", 50, 1, 200, 1),
            Setting("overshoot", "Overshoot", 0.02, 0.0, 1.0, 0.01),
        ),
        lambda iterations: CLASSES * iterations,
    ),
    Attack(
        "DDN",
        ddn,
        "Steps on a sphere that shrinks where the goal is reached, and else grows.",
        "Rony et al. (2019), arXiv:1811.09600",
        (
            Setting("iterations", "Iterations", 100, 1, 500, 1),
            Setting("gamma", "γ", 0.05, 0.0, 0.5, 0.01, help="By which share the sphere changes."),
        ),
        lambda iterations: iterations,
    ),
    Attack(
        "Carlini–Wagner",
        carlini_wagner,
        "The squared distance and the missing margin, minimized together; the weight is searched.",
        "Carlini and Wagner (2016), arXiv:1608.04644",
        (
            Setting("binary_search_steps", "Binary-search steps", 5, 1, 10, 1),
            Setting("iterations", "Iterations", 100, 1, 500, 1),
            Setting("initial_constant", "Initial constant", 1.0, 0.001, 100.0, 0.001),
            Setting("learning_rate", "Learning rate", 0.1, 0.001, 1.0, 0.001),
            Setting("confidence", "Confidence", 0.0, 0.0, 50.0, 0.5),
        ),
        lambda binary_search_steps, iterations: binary_search_steps * iterations,
    ),
    Attack(
        "JSMA",
        saliency_map,
        "Pairs of pixels, one after the other, that lift a logit and lower the others.",
        "Papernot et al. (2015), arXiv:1511.07528",
        (
            Setting("theta", "Change of a pixel", 1.0, -1.0, 1.0, 0.05),
            Setting("pixels", "Pixels at most", 114, 2, 784, 2),
        ),
        lambda pixels: pixels,
    ),
    Attack(
        "One pixel",
        one_pixel,
        "The place and value of a few pixels, found by evolution from the logits alone.",
        "Su, Vargas and Sakurai (2017), arXiv:1710.08864",
        (
            Setting("pixels", "Pixels", 1, 1, 5, 1),
            Setting("population", "Population", 100, 10, 400, 10),
            Setting("generations", "Generations", 30, 1, 200, 1),
            Setting("seed", "Seed", 0, 0, 999, 1),
        ),
        lambda pixels, population, generations: population * (generations + 1),
    ),
    Attack(
        "Square",
        square,
        "Random squares, kept where they help; it asks for logits only.",
        "Andriushchenko et al. (2019), arXiv:1912.00049",
        (
            EPSILON,
            NORM,
            Setting("queries", "Queries", 1_000, 10, 10_000, 10),
            Setting("seed", "Seed", 0, 0, 999, 1),
        ),
        lambda queries: queries,
    ),
    Attack(
        "Worst case",
        worst_case,
        "APGD on two losses, then Square, each on the images that still stand.",
        "Croce and Hein (2020), arXiv:2003.01690",
        (
            EPSILON,
            NORM,
            Setting("iterations", "Iterations", 100, 1, 500, 1),
            Setting("queries", "Queries", 1_000, 10, 10_000, 10),
            Setting("seed", "Seed", 0, 0, 999, 1),
        ),
        lambda iterations, queries: CLASSES * iterations + queries,
    ),
)


def attack(name: str) -> Attack:
    """The attack called `name`. Raises ValueError on another name."""
    for each in ATTACKS:
        if each.name == name:
            return each
    raise ValueError(
        f"There is no attack {name!r}: choose of {', '.join(each.name for each in ATTACKS)}."
    )
