"""Every attack with its settings, in one place: pages, scores and benchmarks read this list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from core.arrays import FloatArray
from core.attacks.apgd import LOSSES, apgd
from core.attacks.black_box import square
from core.attacks.ensemble import worst_case
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.gradient import fgsm, momentum, pgd
from core.attacks.minimal import carlini_wagner, ddn, deepfool
from core.attacks.result import AttackResult
from core.attacks.sparse import one_pixel, saliency_map
from core.catalog import Dial, Entry, Value
from core.data.spec import MNIST
from core.network.classifier import Classifier

ANSWERS, GRADIENT, CROSS_ENTROPY = "answers", "gradient", "cross_entropy"
_FEWER_STEPS = {"iterations": Dial("Iterations", 1, 200, 1)}
_SHARED = {
    "epsilon": Dial("ε", 0.0, 1.0, 0.01, help="The radius of the ball.", free=True),
    "norm": Dial("Norm", choices=NORMS, free=True),
    "step_size": Dial("Step size", 0.001, 1.0, 0.001, free=True),
    "iterations": Dial("Iterations", 1, 500, 1),
    "restarts": Dial("Restarts", 1, 20, 1),
    "queries": Dial("Queries", 10, 10_000, 10),
    "seed": Dial("Seed", 0, 999, 1, free=True),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Attack(Entry):
    """An attack of the catalog; see `Entry`.

    follows: what it asks the network for: ANSWERS alone, a GRADIENT, or that of the CROSS_ENTROPY,
    unless a setting `loss` says another.
    """

    shared: ClassVar[Mapping[str, Dial]] = _SHARED
    beside: ClassVar[frozenset[str]] = frozenset({"classes"})

    follows: str = GRADIENT

    def __reduce__(self) -> tuple[object, ...]:
        """It travels to another process by its name."""
        return attack, (self.name,)

    @property
    def follows_a_gradient(self) -> bool:
        """Whether it follows one; the others ask for logits only."""
        return self.follows != ANSWERS

    def follows_cross_entropy(self, settings: Mapping[str, Value]) -> bool:
        """Whether with these settings it climbs the cross-entropy alone."""
        loss = {**self.defaults(), **settings}.get("loss", CROSS_ENTROPY)
        return self.follows == loss == CROSS_ENTROPY

    def work(self, settings: Mapping[str, Value], classes: int = len(MNIST.classes)) -> int:
        """As of `Entry`, on a network of so many classes."""
        return super().work({**settings, "classes": classes})

    @property
    def bounded(self) -> bool:
        """Whether it stays in a ball of radius epsilon; the others look for a small change."""
        return "epsilon" in self.defaults()

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
        result: AttackResult = self.run(classifier, images, goal, **(settings or {}), record=record)
        return result


def _apgd_looks(iterations: int, restarts: int, loss: str, classes: int) -> int:
    return iterations * restarts * (classes - 1 if loss == "targeted_dlr" else 1)


ATTACKS = {
    each.name: each
    for each in (
        Attack(
            name="FGSM",
            run=fgsm,
            summary="One step to the edge of the ball.",
            purpose="For a first look, and the cheapest to train against.",
            source="Goodfellow, Shlens and Szegedy (2014), arXiv:1412.6572",
            looks=lambda: 1,
            follows=CROSS_ENTROPY,
        ),
        Attack(
            name="PGD",
            run=pgd,
            summary="Many small steps, each followed by a projection on the ball.",
            purpose="For accuracy within a ball: what a defense is measured by first.",
            source="Madry et al. (2017), arXiv:1706.06083",
            dials={**_FEWER_STEPS, "random_start": Dial("Random start", free=True)},
            looks=lambda iterations, restarts: iterations * restarts,
            follows=CROSS_ENTROPY,
        ),
        Attack(
            name="Momentum",
            run=momentum,
            summary="Steps along an average of past gradients.",
            purpose="For changes that are to fool other networks, too.",
            source="Dong et al. (2017), arXiv:1710.06081",
            dials={**_FEWER_STEPS, "decay": Dial("Decay", 0.0, 1.0, 0.05, free=True)},
            looks=lambda iterations: iterations,
            follows=CROSS_ENTROPY,
        ),
        Attack(
            name="APGD",
            run=apgd,
            summary="Steps that halve themselves where the loss no longer rises.",
            purpose="For accuracy within a ball without a step size to choose.",
            source="Croce and Hein (2020), arXiv:2003.01690",
            dials={"loss": Dial("Loss", choices=LOSSES)},
            looks=_apgd_looks,
            follows=CROSS_ENTROPY,
        ),
        Attack(
            name="DeepFool",
            run=deepfool,
            summary="Again and again to the nearest boundary of the linearized network.",
            purpose="For a quick estimate of how near the nearest boundary is, in L2.",
            source="Moosavi-Dezfooli, Fawzi and Frossard (2015), arXiv:1511.04599",
            dials={**_FEWER_STEPS, "overshoot": Dial("Overshoot", 0.0, 1.0, 0.01, free=True)},
            looks=lambda iterations, classes: classes * iterations,
        ),
        Attack(
            name="DDN",
            run=ddn,
            summary="Steps on a sphere that shrinks where the goal is reached, and else grows.",
            purpose="For a small change in L2 at a small cost.",
            source="Rony et al. (2019), arXiv:1811.09600",
            dials={
                "gamma": Dial(
                    "γ", 0.0, 0.5, 0.01, help="By which share the sphere changes.", free=True
                )
            },
            looks=lambda iterations: iterations,
        ),
        Attack(
            name="Carlini–Wagner",
            run=carlini_wagner,
            summary="The squared distance and the missing margin, minimized together; the weight "
            "is searched.",
            purpose="For the smallest change in L2, where time is no object.",
            source="Carlini and Wagner (2016), arXiv:1608.04644",
            dials={
                "binary_search_steps": Dial("Binary-search steps", 1, 10, 1),
                "initial_constant": Dial("Initial constant", 0.001, 100.0, 0.001, free=True),
                "learning_rate": Dial("Learning rate", 0.001, 1.0, 0.001, free=True),
                "confidence": Dial("Confidence", 0.0, 50.0, 0.5, free=True),
            },
            looks=lambda binary_search_steps, iterations: binary_search_steps * iterations,
        ),
        Attack(
            name="JSMA",
            run=saliency_map,
            summary="Pairs of pixels, one after the other, that lift a logit and lower the others.",
            purpose="For a change of few pixels, each as large as it takes.",
            source="Papernot et al. (2015), arXiv:1511.07528",
            dials={
                "theta": Dial("Change of a pixel", -1.0, 1.0, 0.05, free=True),
                "pixels": Dial("Pixels at most", 2, MNIST.side**2, 2),
            },
            looks=lambda pixels: pixels,
        ),
        Attack(
            name="One pixel",
            run=one_pixel,
            summary="The place and value of a few pixels, found by evolution from the logits "
            "alone.",
            purpose="For what a handful of pixels can do, without any gradient.",
            source="Su, Vargas and Sakurai (2017), arXiv:1710.08864",
            dials={
                "pixels": Dial("Pixels", 1, 5, 1, free=True),
                "population": Dial("Population", 10, 400, 10),
                "generations": Dial("Generations", 1, 200, 1),
            },
            looks=lambda population, generations: population * (generations + 1),
            follows=ANSWERS,
        ),
        Attack(
            name="Square",
            run=square,
            summary="Random squares, kept where they help; it asks for logits only.",
            purpose="For networks whose gradient may mislead: it follows none.",
            source="Andriushchenko et al. (2019), arXiv:1912.00049",
            looks=lambda queries: queries,
            follows=ANSWERS,
        ),
        Attack(
            name="Worst case",
            run=worst_case,
            summary="APGD on two losses, then Square, each on the images that still stand.",
            purpose="For the number to report: what the strongest of several leaves standing.",
            source="Croce and Hein (2020), arXiv:2003.01690",
            looks=lambda iterations, queries, classes: classes * iterations + queries,
        ),
    )
}


def attack(name: str) -> Attack:
    """The attack called `name`. Raises ValueError on another name."""
    if name not in ATTACKS:
        raise ValueError(f"There is no attack {name!r}: choose of {', '.join(ATTACKS)}.")
    return ATTACKS[name]
