"""The attack that knows the defense: through its stand-ins and draws, on two losses, each norm."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.apgd import apgd
from core.attacks.cascade import Cascade
from core.attacks.geometry import NORMS
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.result import AttackResult, check_attack, result_of
from core.attacks.sparse import saliency_map
from core.backend import keras
from core.checks import check_choice, check_pixels, check_seed, check_whole
from core.defenses.defended import ATTACKER_DRAWS, MAX_DRAWS, DefendedClassifier
from core.defenses.latent_attack import latent_attack
from core.defenses.projection import Projection
from core.keyed_noise import other_seed
from core.network.classifier import Classifier

ALL_NORMS = (*NORMS, "l0")
VIEW, JUDGE, SEARCH = range(3)  # an attacker's copies of a random defense
SEARCH_DRAWS = 2  # for each query of a black box, which asks often
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
    JSMA ("l0", where epsilon counts pixels), through each stand-in of a part without a gradient;
    on a projection ("linf") among latent numbers last. A random defense is attacked and judged with
    draws of the attacker's own, all images by every member as far as it goes; `succeeded` is of the
    classifier's, which no step has seen. Of an image that stands, the attempt that came closest.
    images float32 [n, h, w, c] in [0, 1]; iterations 1 to 2,000 of each member. It takes a
    classifier without a defense, too. Raises ValueError on other values. Athalye, Carlini and
    Wagner (2018), arXiv:1802.00420; Tramèr et al. (2020), arXiv:2002.08347.
    """
    seed = check_seed(seed)
    _check(classifier, images, goal, epsilon, norm)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    judge, pursued = other_draws(classifier, JUDGE), lasting(classifier, goal)
    cascade = Cascade(images, pursued, judge.logits(images))
    for member in _members(classifier, epsilon, norm, iterations, seed):
        if not len(cascade.standing):
            break
        attempt = member(images[cascade.standing], cascade.goal).adversarial
        cascade.take(attempt, judge.logits(attempt))
    return result_of(
        classifier, "Adaptive", images, cascade.found, goal,
        epsilon=epsilon, norm=norm, iterations=iterations, seed=seed,
    )  # fmt: skip


def views(classifier: Classifier) -> Iterator[Classifier]:
    """The classifiers whose gradients an attacker follows: one for each useful stand-in.

    A random defense draws by a seed that is not the classifier's own.
    """
    own = other_draws(classifier, VIEW)
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
    """An attacker's copy of a random defense: VIEW, JUDGE or SEARCH; its draws are its own.

    draws: over which each answer is averaged. What draws nothing is returned as it is. The copy is
    made once and kept with the classifier, because it has graphs of its own.
    """
    number = check_whole("The number of the copy", number, VIEW, SEARCH)
    draws = check_whole("The number of draws", draws, 1, MAX_DRAWS)
    if not isinstance(classifier, DefendedClassifier) or not classifier.random:
        return classifier
    seed = other_seed(classifier.seed, "attacker's copy", number + 1)
    copy: Classifier = classifier.compiled(
        f"draws {number} {draws}", lambda _: classifier.with_seed(seed, draws=draws)
    )
    return copy


def is_random(classifier: Classifier) -> bool:
    """Whether a part of a defense draws."""
    return isinstance(classifier, DefendedClassifier) and classifier.random


def lasting(classifier: Classifier, goal: Goal) -> Goal:
    """What an attack on a copy of the classifier climbs: of a random defense, to the very end.

    The goal is then never reached. An image that a mean of draws barely misreads, or misreads from
    the start, is read right again by many single draws, so that no attack may stop there.
    """
    if not is_random(classifier):
        return goal
    return _Toward(goal.classes) if isinstance(goal, Targeted) else _Away(goal.labels)


class _Endless:
    def reached(self, logits: FloatArray) -> BoolArray:
        """Never: bool [n]."""
        return np.zeros(len(logits), bool)


class _Away(_Endless, Untargeted):
    def take(self, rows: IntArray) -> "_Away":
        """The goal for some of the images."""
        return _Away(self.labels[rows])


class _Toward(_Endless, Targeted):
    def take(self, rows: IntArray) -> "_Toward":
        """The goal for some of the images."""
        return _Toward(self.classes[rows])


def _members(
    classifier: Classifier, epsilon: float, norm: str, iterations: int, seed: int
) -> Iterator[Member]:
    """The attacks in the order of the cascade; a later view is built only when it is needed."""
    for view in views(classifier):
        if norm == "l0":
            for theta in (1.0, -1.0):
                yield partial(saliency_map, view, theta=theta, pixels=int(epsilon))
        else:
            for loss in _LOSSES:
                yield partial(
                    apgd, view,
                    epsilon=epsilon, norm=norm, iterations=iterations, loss=loss, seed=seed,
                )  # fmt: skip
    own = other_draws(classifier, VIEW)
    if norm == "linf" and isinstance(own, DefendedClassifier) and _projects(own):
        yield partial(latent_attack, own, epsilon=epsilon)


def _projects(classifier: DefendedClassifier) -> bool:
    return any(isinstance(part, Projection) for part in classifier.defense)


def _check(
    classifier: Classifier, images: FloatArray, goal: Goal, epsilon: float, norm: str
) -> None:
    check_choice("The norm", norm, ALL_NORMS)
    check_attack(classifier, images, goal, 0 if norm == "l0" else epsilon)
    if norm == "l0":
        check_pixels(epsilon, 2, classifier.spec.side**2 // 2)
