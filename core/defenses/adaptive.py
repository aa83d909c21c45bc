"""The attack that knows the defense: through its stand-ins and draws, on two losses, each norm."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from core.attacks.apgd import apgd
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.attacks.sparse import saliency_map
from core.checks import check_choice, check_range
from core.classifier import Classifier
from core.data import SIDE, FloatArray
from core.defenses.defended import ATTACKER_DRAWS, DefendedClassifier

ALL_NORMS = (*NORMS, "l0")
MAX_PIXELS = SIDE * SIDE // 2
_STAND_INS = ("identity", "smooth")
_LOSSES = ("cross_entropy", "dlr")

Member = Callable[[FloatArray, Goal], AttackResult]


def adaptive(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    iterations: int = 40,
    seed: int = 0,
) -> AttackResult:
    """The strongest gradient attack here that knows the defense, scored on the defense itself.

    A cascade over what still stands: APGD on the cross-entropy and on a margin ("linf", "l2"), or
    JSMA ("l0", where epsilon counts pixels), through each stand-in of a part without a gradient.
    Random parts are attacked and judged with draws of the attacker's own; `succeeded` is of the
    classifier's, which no step has seen. Of an image that stands, the attempt that came closest.
    images float32 [n, 28, 28, 1] in [0, 1]; iterations 1 to 2,000 of each member. It takes a
    classifier without a defense, too. Raises ValueError on other values. Athalye, Carlini and
    Wagner (2018), arXiv:1802.00420; Tramèr et al. (2020), arXiv:2002.08347.
    """
    _check(images, goal, epsilon, norm)
    judge = _with_own_draws(classifier, 2 * seed + 1)
    found = images.copy()
    logits = judge.logits(images)
    standing, closest = np.flatnonzero(~goal.reached(logits)), goal.margin(logits)
    for member in _members(classifier, epsilon, norm, iterations, seed):
        rows = standing
        if not len(rows):
            break
        attempt = member(images[rows], goal.take(rows)).adversarial
        logits = judge.logits(attempt)
        margin = goal.take(rows).margin(logits)
        closer = margin > closest[rows]
        found[rows[closer]], closest[rows[closer]] = attempt[closer], margin[closer]
        standing = rows[~goal.take(rows).reached(logits)]
    return result_of(
        classifier, "Adaptive", images, found, goal,
        epsilon=epsilon, norm=norm, iterations=iterations, seed=seed,
    )  # fmt: skip


def views(classifier: Classifier, *, seed: int = 0) -> Iterator[Classifier]:
    """The classifiers whose gradients an attacker follows: one for each useful stand-in.

    A random defense draws by a seed that is not the classifier's own.
    """
    own = _with_own_draws(classifier, 2 * seed)
    if isinstance(own, DefendedClassifier) and own.straight_through:
        yield from (own.with_stand_in(stand_in) for stand_in in _STAND_INS)
    else:
        yield own


def _with_own_draws(classifier: Classifier, number: int) -> Classifier:
    """The attacker's copy of a random defense, with draws by a seed beside the classifier's."""
    if isinstance(classifier, DefendedClassifier) and classifier.random:
        seed = classifier.seed + 1_000 + 10 * number
        return classifier.with_seed(seed, draws=ATTACKER_DRAWS)
    return classifier


def _members(
    classifier: Classifier, epsilon: float, norm: str, iterations: int, seed: int
) -> Iterator[Member]:
    """The attacks in the order of the cascade; a later view is built only when it is needed."""
    for view in views(classifier, seed=seed):
        if norm == "l0":
            for theta in (1.0, -1.0):
                yield partial(saliency_map, view, theta=theta, pixels=int(epsilon))
        else:
            for loss in _LOSSES:
                yield partial(
                    apgd, view,
                    epsilon=epsilon, norm=norm, iterations=iterations, loss=loss, seed=seed,
                )  # fmt: skip


def _check(images: FloatArray, goal: Goal, epsilon: float, norm: str) -> None:
    check_choice("The norm", norm, ALL_NORMS)
    check_attack(images, goal, 0 if norm == "l0" else epsilon)
    if norm == "l0":
        check_range("The number of pixels", epsilon, 2, MAX_PIXELS)
