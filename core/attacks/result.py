"""What an attack returns, checked anew: an attack's own word for its success is not taken."""

import functools
from dataclasses import dataclass, field

import numpy as np

from core.attacks.goals import Goal
from core.checks import check_range
from core.classifier import Classifier
from core.data import BoolArray, FloatArray, IntArray, check_images
from core.rate import Rate

_INK_STEP = 1e-6  # a pixel that moved less has not moved


@dataclass(frozen=True, eq=False)
class AttackResult:
    """Adversarial images beside their originals, both float32 [n, 28, 28, 1] in [0, 1].

    succeeded bool [n]: the goal is reached by what is returned, in a forward pass of its own.
    right_before bool [n]: the goal was not reached by the original.
    """

    name: str
    originals: FloatArray
    adversarial: FloatArray
    goal: Goal
    succeeded: BoolArray
    right_before: BoolArray
    parameters: dict[str, float | str] = field(default_factory=dict)

    @functools.cached_property
    def change(self) -> FloatArray:
        """Adversarial minus original: float32 [n, 28, 28, 1]."""
        change: FloatArray = self.adversarial - self.originals
        return change

    @property
    def l0(self) -> IntArray:
        """How many pixels have changed: int64 [n]."""
        count: IntArray = (np.abs(self.change) > _INK_STEP).sum(axis=(1, 2, 3))
        return count

    @property
    def l2(self) -> FloatArray:
        """The Euclidean length of the change: float32 [n]."""
        length: FloatArray = np.sqrt((self.change**2).sum(axis=(1, 2, 3)))
        return length

    @property
    def linf(self) -> FloatArray:
        """The largest change of a pixel: float32 [n]."""
        largest: FloatArray = np.abs(self.change).max(axis=(1, 2, 3))
        return largest

    @property
    def success(self) -> Rate:
        """Among the images whose original did not reach the goal, those that now do."""
        counted = self.right_before
        return Rate(int((self.succeeded & counted).sum()), int(counted.sum()))

    @property
    def standing(self) -> Rate:
        """Among all images, those not at the goal: robust accuracy, if it is untargeted."""
        return Rate(int((~self.succeeded).sum()), len(self.succeeded))


def result_of(
    classifier: Classifier,
    name: str,
    originals: FloatArray,
    adversarial: FloatArray,
    goal: Goal,
    **parameters: float | str,
) -> AttackResult:
    """The result of an attack, its success recomputed. Raises ValueError on images out of range."""
    check_images(adversarial)
    return AttackResult(
        name=name,
        originals=originals,
        adversarial=adversarial,
        goal=goal,
        succeeded=goal.reached(classifier.logits(adversarial)),
        right_before=~goal.reached(classifier.logits(originals)),
        parameters=parameters,
    )


def check_attack(images: FloatArray, goal: Goal, epsilon: float) -> None:
    """Raise ValueError unless images, goal and radius fit each other."""
    check_images(images)
    if len(goal.classes) != len(images):
        raise ValueError(
            f"The goal is for {len(goal.classes)} images, and there are {len(images)}: "
            "give a class for each."
        )
    check_range("Epsilon", epsilon, 0, 28)
