"""How small a change is enough: by bisection of a ball's radius, or by a minimal attack."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray
from core.attacks.catalog import attack
from core.attacks.geometry import NORMS, largest
from core.attacks.goals import Goal
from core.attacks.gradient import ascend_within
from core.attacks.result import AttackResult, check_attack
from core.catalog import Value
from core.checks import check_choice, check_range, check_whole
from core.network.classifier import Classifier

BISECTED = ("PGD", "FGSM")
MINIMAL = ("DeepFool", "DDN", "Carlini–Wagner")
METHODS = (*BISECTED, *MINIMAL)
_DOUBLINGS = 5  # of the first radius, up to the largest
_TOLERANCE = {"linf": 0.001, "l2": 0.01}

DoubleArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Smallest:
    """The nearest image at the goal that was found for each of n images.

    images, adversarial float32 [n, h, w, c] in [0, 1]: an image for which nothing was found, or
    which was at the goal before, stays. radius float64 [n]: the length in `norm` of what was
    changed; 0 where the goal was reached before, infinite where nothing was found. ball float64
    [n]: the radius that the attack was given, which it need not use up. failed float64 [n]: the
    largest radius at which the same attack was seen to fail, 0 where at none; NaN of a minimal
    attack, which does not say. All in the norm's unit, where a full pixel is 1.
    """

    images: FloatArray
    adversarial: FloatArray
    radius: DoubleArray
    ball: DoubleArray
    failed: DoubleArray
    norm: str

    @property
    def found(self) -> BoolArray:
        """Whether there was something to find, and it was found: bool [n]."""
        return np.isfinite(self.radius) & (self.radius > 0)

    @property
    def l2(self) -> FloatArray:
        """The Euclidean length of what was changed: float32 [n], whatever the norm is."""
        return _length(self.adversarial - self.images, "l2").astype(np.float32)


def smallest(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    method: str = "PGD",
    norm: str = "linf",
    iterations: int = 20,
) -> Smallest:
    """The nearest image at the goal by one of METHODS; see `bisect` for those of BISECTED.

    A method of MINIMAL works in L2 with its defaults, whatever the other two say. images float32
    [n, h, w, c] in [0, 1]. Raises ValueError on other values.
    """
    check_choice("The method", method, METHODS)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    if method in BISECTED:
        steps = 1 if method == "FGSM" else iterations
        return bisect(classifier, images, goal, norm=norm, iterations=steps)
    result: AttackResult = attack(method)(classifier, images, goal)
    length = np.where(result.succeeded, _length(result.change, "l2"), np.inf)
    found = np.where(result.succeeded[:, None, None, None], result.adversarial, images)
    return Smallest(images, found, length, length, np.full(len(images), np.nan), "l2")


def bisect(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    norm: str = "linf",
    iterations: int = 20,
    tolerance: float | None = None,
) -> Smallest:
    """The shortest change by which BIM (with one iteration FGSM) reaches the goal in a ball.

    All images at once, each with a ball of its own: doubled from 1/32 of the largest that is
    possible until the attack succeeds, then halved between success and failure until they differ
    by at most `tolerance`, 0.001 in L∞ and 0.01 in L2 unless it is given; only images that are not
    done go on. The box clips what a ball allows: of all balls that were tried the shortest change
    is returned, which need not be that of the smallest. A weak attack may also succeed in a ball
    smaller than one where it failed. images float32 [n, h, w, c] in [0, 1]. Raises ValueError on
    other values.
    """
    check_attack(classifier, images, goal)
    check_choice("The norm", norm, NORMS)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    tolerance = _TOLERANCE[norm] if tolerance is None else tolerance
    check_range("The tolerance", tolerance, 1e-5, 1)
    found, most = images.copy(), largest(norm, images.shape[1:])
    radius = np.where(goal.reached(classifier.logits(images)), 0, np.inf)
    ball, enough = radius.copy(), radius.copy()  # of what was found, and the smallest to succeed
    failed = np.zeros(len(images))
    trial = np.full(len(images), most / 2**_DOUBLINGS)
    rows = np.flatnonzero(radius > 0)
    while len(rows):
        goals = goal.take(rows)
        attempt = ascend_within(
            classifier, images[rows], goals, trial[rows], norm=norm, iterations=iterations
        )
        reached = goals.reached(classifier.logits(attempt))
        won, lost = rows[reached], rows[~reached]
        enough[won], failed[lost] = trial[won], trial[lost]
        length = _length(attempt - images[rows], norm)
        shorter = reached & (length < radius[rows])
        better = rows[shorter]
        found[better], radius[better], ball[better] = (
            attempt[shorter], length[shorter], trial[better]
        )  # fmt: skip
        trial = np.where(np.isfinite(enough), (failed + enough) / 2, 2 * failed)
        done = np.where(np.isfinite(enough), enough - failed <= tolerance, trial > most)
        rows = rows[~done[rows]]
    return Smallest(images, found, radius, ball, failed, norm)


def path(
    classifier: Classifier,
    found: Smallest,
    goal: Goal,
    *,
    method: str = "PGD",
    iterations: int = 20,
) -> FloatArray:
    """The steps from the first image to what was found for it: float32 [k, h, w, c].

    found: what `smallest` has returned for one image with the same goal, method and iterations.
    """
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    settings: dict[str, Value] = {}
    if method in BISECTED:
        radius = float(found.ball[0])
        settings = {"epsilon": radius, "norm": found.norm}
        if method == "PGD":
            step_size = min(1.0, 2.5 / iterations) * radius
            settings |= {"step_size": step_size, "iterations": iterations, "random_start": False}
    result: AttackResult = attack(method)(classifier, found.images, goal, settings, record=True)
    assert result.trajectory is not None
    steps: FloatArray = result.trajectory.images[:, 0]
    return steps


def _length(change: FloatArray, norm: str) -> DoubleArray:
    change = change.astype(np.float64)
    axes = (1, 2, 3)
    length: DoubleArray = (
        np.abs(change).max(axis=axes) if norm == "linf" else np.sqrt((change**2).sum(axis=axes))
    )
    return length
