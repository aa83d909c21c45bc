"""Every attack with its settings, in one place: pages, scores and benchmarks read this list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.gradient import fgsm, momentum, pgd
from core.attacks.result import AttackResult
from core.classifier import Classifier
from core.data import FloatArray

Value = float | int | str | bool


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
    """An attack: its function, what it is in one sentence, its source, and its settings.

    bounded: it stays in a ball of radius epsilon; the others look for a small change.
    """

    name: str
    run: Callable[..., AttackResult]
    summary: str
    source: str
    settings: tuple[Setting, ...]

    @property
    def bounded(self) -> bool:
        """Whether it stays in a ball of radius epsilon; the others look for a small change."""
        return any(setting.name == "epsilon" for setting in self.settings)

    def defaults(self) -> dict[str, Value]:
        """Each setting's default by name."""
        return {setting.name: setting.default for setting in self.settings}

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


EPSILON = Setting("epsilon", "ε", 0.3, 0.0, 1.0, 0.01, help="The radius of the ball.")
NORM = Setting("norm", "Norm", "linf", choices=NORMS)

ATTACKS = (
    Attack(
        "FGSM",
        fgsm,
        "One step to the edge of the ball.",
        "Goodfellow, Shlens and Szegedy (2014), arXiv:1412.6572",
        (EPSILON, NORM),
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
