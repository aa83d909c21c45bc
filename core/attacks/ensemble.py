"""The worst of several attacks, image by image: what one leaves standing goes on to the next."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from core.arrays import FloatArray
from core.attacks.apgd import apgd
from core.attacks.black_box import square
from core.attacks.cascade import Cascade
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.checks import check_choice, check_seed, check_whole
from core.network.classifier import Classifier

Member = Callable[[FloatArray, Goal], AttackResult]
MEMBERS = ("APGD, cross-entropy", "APGD, targeted DLR", "Square")


@dataclass(frozen=True, eq=False)
class WorstCase(AttackResult):
    """An AttackResult with, for each image, the member that reached its goal.

    broken_by: a name of MEMBERS, or "" of an image that still stands or was at the goal before.
    """

    broken_by: tuple[str, ...] = ()

    @property
    def broken(self) -> dict[str, int]:
        """How many images each member has brought to the goal, in the order of the cascade."""
        return {member: self.broken_by.count(member) for member in MEMBERS}


def worst_case(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    iterations: int = 100,
    queries: int = 1_000,
    seed: int = 0,
    record: bool = False,
) -> WorstCase:
    """APGD on the cross-entropy, then targeted DLR, then Square, each on what still stands.

    Like AutoAttack, but without its minimal attack. Of an image that none brings to the goal, the
    attempt that came closest. images float32 [n, h, w, c] in [0, 1]; epsilon in the norm's unit,
    where a full pixel is 1; iterations of both APGDs, queries of Square; record: whether the
    result has a trajectory, with one step for each member. Raises ValueError on values out of
    range. Croce and Hein (2020), arXiv:2003.01690.
    """
    seed = check_seed(seed)
    check_attack(classifier, images, goal, epsilon)
    check_choice("The norm", norm, NORMS)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    queries = check_whole("The number of queries", queries, 1, 10_000)
    frames, broken_by = [], np.full(len(images), "", dtype=object)
    cascade = Cascade(images, goal, classifier.logits(images))
    for name, member in _members(classifier, epsilon, norm, iterations, queries, seed).items():
        if len(rows := cascade.standing):
            attempt = member(images[rows], cascade.goal).adversarial
            broken_by[rows[cascade.take(attempt, classifier.logits(attempt))]] = name
        frames.append(cascade.found.copy())
    result = result_of(
        classifier, "Worst case", images, cascade.found, goal,
        frames=np.stack(frames) if record else None, epsilon=epsilon, norm=norm,
        iterations=iterations, queries=queries, seed=seed,
    )  # fmt: skip
    values = {each.name: getattr(result, each.name) for each in fields(result)}
    return WorstCase(**values, broken_by=tuple(broken_by))


def _members(
    classifier: Classifier, epsilon: float, norm: str, iterations: int, queries: int, seed: int
) -> dict[str, Member]:
    def ascent(loss: str) -> Member:
        return lambda images, goal: apgd(
            classifier, images, goal,
            epsilon=epsilon, norm=norm, iterations=iterations, loss=loss, seed=seed,
        )  # fmt: skip

    def search(images: FloatArray, goal: Goal) -> AttackResult:
        return square(
            classifier, images, goal, epsilon=epsilon, norm=norm, queries=queries, seed=seed
        )

    return dict(
        zip(MEMBERS, (ascent("cross_entropy"), ascent("targeted_dlr"), search), strict=True)
    )
