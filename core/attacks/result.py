"""What an attack returns, checked anew: an attack's own word for its success is not taken."""

import functools
from dataclasses import dataclass, field

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes, check_images
from core.attacks.goals import Goal
from core.checks import check_range, check_whole
from core.network.classifier import Classifier
from core.optimization.engine import MAX_FRAMES, Trajectory, trajectory_of
from core.optimization.objectives import cross_entropy
from core.statistics.rate import Rate

_INK_STEP = 1e-6  # a pixel that moved less has not moved


@dataclass(frozen=True, eq=False)
class AttackResult:
    """Adversarial images beside their originals, both float32 [n, h, w, c] in [0, 1].

    succeeded bool [n]: the goal is reached by what is returned, in a forward pass of its own.
    right_before bool [n]: the goal was not reached by the original.
    trajectory: from the originals to what is returned, if it was asked for.
    """

    name: str
    originals: FloatArray
    adversarial: FloatArray
    goal: Goal
    succeeded: BoolArray
    right_before: BoolArray
    parameters: dict[str, float | str] = field(default_factory=dict)
    trajectory: Trajectory | None = None

    @functools.cached_property
    def change(self) -> FloatArray:
        """Adversarial minus original: float32 [n, h, w, c]."""
        change: FloatArray = self.adversarial - self.originals
        return change

    @property
    def l0(self) -> IntArray:
        """How many pixels have changed, in any channel: int64 [n]."""
        count: IntArray = (np.abs(self.change) > _INK_STEP).any(axis=3).sum(axis=(1, 2))
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
        return Rate.of(self.succeeded[self.right_before])

    @property
    def standing(self) -> Rate:
        """Among all images, those not at the goal: robust accuracy, if it is untargeted."""
        return Rate.of(~self.succeeded)


def result_of(
    classifier: Classifier,
    name: str,
    originals: FloatArray,
    adversarial: FloatArray,
    goal: Goal,
    *,
    frames: FloatArray | None = None,
    steps: IntArray | None = None,
    **parameters: float | str,
) -> AttackResult:
    """The result of an attack, its success recomputed. Raises ValueError on images out of range.

    frames float32 [k, n, h, w, c]: the images after each recorded step, if a trajectory is
    wanted. It begins with the originals, and in place of the last frame it has what is returned.
    steps int [k]: the numbers of those steps, 1 to k if not given.
    """
    check_images(adversarial, classifier.spec.shape)
    trajectory = None
    if frames is not None and len(originals):
        check_whole(
            "The number of recorded images", (len(frames) + 1) * len(originals), 1, MAX_FRAMES
        )
        steps = np.arange(1, len(frames) + 1) if steps is None else steps
        images = np.concatenate([originals[None], frames[:-1], adversarial[None]])
        trajectory = trajectory_of(
            classifier, cross_entropy(goal.classes), np.append(0, steps), images
        )
    return AttackResult(
        name=name,
        originals=originals,
        adversarial=adversarial,
        goal=goal,
        succeeded=goal.reached(classifier.logits(adversarial)),
        right_before=~goal.reached(classifier.logits(originals)),
        parameters=parameters,
        trajectory=trajectory,
    )


def check_attack(
    classifier: Classifier, images: FloatArray, goal: Goal, epsilon: float = 0.0
) -> None:
    """Raise ValueError unless images, goal and radius fit the classifier and each other."""
    spec = classifier.spec
    check_images(images, spec.shape)
    if len(goal.classes) != len(images):
        raise ValueError(
            f"The goal is for {len(goal.classes)} images, and there are {len(images)}: "
            "give a class for each."
        )
    check_classes(goal.classes, len(images), len(spec.classes))
    check_range("Epsilon", epsilon, 0, spec.largest_l2)
