"""One attack on some images of a grid, judged by every row that it serves."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.black_box import square
from core.attacks.few_pixels import random_pixels
from core.attacks.goals import Untargeted
from core.attacks.loss_surface import without_gradient
from core.attacks.noise_control import noise_at_edge
from core.checks import (
    as_written,
    check_choice,
    check_pixels,
    check_range,
    check_seed,
    check_whole,
)
from core.data.spec import MAX_SIDE, DatasetSpec
from core.defenses.adaptive import (
    ALL_NORMS,
    SEARCH,
    SEARCH_DRAWS,
    adaptive,
    lasting,
    other_draws,
    views,
)
from core.network.classifier import Classifier

ADAPTIVE, BLACK_BOX, TRANSFER, STATIC = "adaptive", "black box", "transfer", "static"
NOISE, CLEAN = "noise", "clean"
_COST = 20.0  # of an attack that asks the network often, where judging costs 1
_TOLERANCE = 1e-4  # of a norm


@dataclass(frozen=True)
class Budget:
    """What every attack of a grid may do; epsilon counts pixels if the norm is "l0"."""

    norm: str = "linf"
    epsilon: float = 0.3
    iterations: int = 40
    queries: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("The norm", self.norm, ALL_NORMS)
        if self.norm == "l0":
            check_pixels(self.epsilon, 2, MAX_SIDE**2 // 2)
        else:
            check_range("Epsilon", self.epsilon, 0, MAX_SIDE)
        check_seed(self.seed)
        object.__setattr__(self, "epsilon", as_written(self.epsilon))
        check_whole("The number of iterations", self.iterations, 1, 2_000)
        check_whole("The number of queries", self.queries, 1, 10_000)

    def check(self, spec: DatasetSpec) -> None:
        """Raise ValueError where epsilon is more than what images of `spec` have."""
        if self.norm == "l0":
            check_pixels(self.epsilon, 2, spec.side**2 // 2)
        else:
            check_range("Epsilon", self.epsilon, 0, spec.largest_l2)


@dataclass(frozen=True, eq=False)
class Row:
    """A network, with or without a defense, under the name it has on screen."""

    key: str
    title: str
    classifier: Classifier


@dataclass(frozen=True, eq=False)
class Attempt:
    """An attack that is made once, and the cells that it serves: a row and a column each.

    kind: CLEAN, NOISE, BLACK_BOX, or ADAPTIVE, which follows the gradient of `on`.
    """

    kind: str
    on: Classifier
    cells: tuple[tuple[Row, str], ...]

    @property
    def judges(self) -> dict[str, Classifier]:
        """The classifiers that answer to it, by the key of their row."""
        return {row.key: row.classifier for row, _ in self.cells}

    @property
    def cost(self) -> float:
        """Of an image, roughly, where one answer of a row is 1."""
        return len(self.judges) + (_COST if self.kind in (ADAPTIVE, BLACK_BOX) else 0.0)


@dataclass(frozen=True, eq=False)
class Tried:
    """An attempt on n images: adversarial float32 [n, h, w, c] and the seconds to make them.

    after: by row int64 [n], its answers; judging: by row the seconds they took; flat: by row under
    an adaptive attack, bool [m], which of the images looked at have no gradient.
    """

    adversarial: FloatArray
    seconds: float
    after: Mapping[str, IntArray]
    judging: Mapping[str, float]
    flat: Mapping[str, BoolArray]


def tried(
    attempt: Attempt, images: FloatArray, labels: IntArray, budget: Budget, looked: int
) -> Tried:
    """An attempt on images float32 [n, h, w, c] of classes int [n], `looked` at for a gradient.

    What has left the ball is no attack, and stays as it was.
    """
    begun = time.perf_counter()
    adversarial = _made(attempt, images, labels, budget)
    kept = inside(adversarial, images, budget.epsilon, budget.norm)
    if not kept.all():
        adversarial = np.where(kept[:, None, None, None], adversarial, images)
    made = time.perf_counter() - begun
    after, judging = {}, {}
    for key, classifier in attempt.judges.items():
        begun = time.perf_counter()
        after[key] = classifier.predict(adversarial)
        judging[key] = time.perf_counter() - begun
    some = images[:looked], labels[:looked]
    flat = {
        row.key: without_gradient(views(row.classifier), *some)
        for row, column in attempt.cells
        if column == ADAPTIVE
    }
    return Tried(adversarial, made, after, judging, flat)


def _made(attempt: Attempt, images: FloatArray, labels: IntArray, b: Budget) -> FloatArray:
    """What an attacker with the knowledge of an attempt makes of some of the images."""
    if attempt.kind == CLEAN:
        return images
    if attempt.kind == NOISE:
        return noise_at_edge(images, b.epsilon, b.norm, seed=b.seed)
    goal = Untargeted(labels)
    if attempt.kind == BLACK_BOX:
        return _searched(attempt.on, images, goal, b)
    return adaptive(
        attempt.on, images, goal,
        epsilon=b.epsilon, norm=b.norm, iterations=b.iterations, seed=b.seed,
    ).adversarial  # fmt: skip


def _searched(
    classifier: Classifier, images: FloatArray, goal: Untargeted, b: Budget
) -> FloatArray:
    """By asking for logits alone; of a random defense with draws that are not the row's."""
    lasts = lasting(classifier, goal)
    classifier = other_draws(classifier, SEARCH, draws=SEARCH_DRAWS)
    if b.norm == "l0":
        return random_pixels(
            classifier, images, lasts, pixels=int(b.epsilon), queries=b.queries, seed=b.seed
        ).adversarial
    return square(
        classifier, images, lasts,
        epsilon=b.epsilon, norm=b.norm, queries=b.queries, seed=b.seed,
    ).adversarial  # fmt: skip


def inside(adversarial: FloatArray, images: FloatArray, epsilon: float, norm: str) -> BoolArray:
    """Which images lie in the ball around the others, up to 1e-4, and in [0, 1]: bool [n]."""
    check_choice("The norm", norm, ALL_NORMS)
    side, _, channels = images.shape[1:]
    check_range("Epsilon", epsilon, 0, side**2)
    change = (adversarial - images).reshape(len(images), side**2 * channels)
    if norm == "l0":  # counts a pixel once, whichever of its channels changed
        change = np.abs(change).reshape(len(images), side**2, channels).max(axis=2)
    order = {"linf": np.inf, "l2": 2, "l0": 0}[norm]
    kept: BoolArray = np.linalg.norm(change, order, axis=1) <= epsilon + _TOLERANCE
    kept &= ((adversarial >= 0) & (adversarial <= 1)).all(axis=(1, 2, 3))  # NaN is not
    return kept
