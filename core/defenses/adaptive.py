"""The attack that knows the defense: through its stand-ins and draws, on two losses, each norm."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from core.attacks.apgd import apgd
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.attacks.sparse import saliency_map
from core.backend import keras
from core.checks import check_choice, check_range
from core.classifier import Classifier
from core.data import SIDE, FloatArray
from core.defenses.defended import ATTACKER_DRAWS, DefendedClassifier

ALL_NORMS = (*NORMS, "l0")
MAX_PIXELS = SIDE * SIDE // 2
_APART = 10  # between seeds: each part of a defense takes the next one
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
    judge = other_draws(classifier, 2 * seed + 1)
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
    own = other_draws(classifier, 2 * seed)
    if isinstance(own, DefendedClassifier) and own.straight_through:
        for stand_in in _STAND_INS:
            if stand_in == own.stand_in:
                yield own
            else:
                yield own.compiled(f"through {stand_in}", partial(_through, own, stand_in))
    else:
        yield own


def _through(classifier: DefendedClassifier, stand_in: str, _: keras.Model) -> Classifier:
    return classifier.with_stand_in(stand_in)


def other_draws(classifier: Classifier, number: int, *, draws: int = ATTACKER_DRAWS) -> Classifier:
    """An attacker's copy of a random defense, number 0, 1, …: its draws are not the classifier's.

    draws: over which each answer is averaged. What draws nothing is returned as it is. The copy is
    made once and kept with the classifier, because it has graphs of its own.
    """
    if not isinstance(classifier, DefendedClassifier) or not classifier.random:
        return classifier
    seed = classifier.seed + _APART * (number + 1)
    copy: Classifier = classifier.compiled(
        f"draws {number} {draws}", lambda _: classifier.with_seed(seed, draws=draws)
    )
    return copy


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
