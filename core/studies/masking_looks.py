"""What the checks for masking look at: attacks and gradients, each on some images by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.black_box import square
from core.attacks.goals import Untargeted
from core.attacks.gradient import fgsm, pgd
from core.attacks.loss_surface import (
    difference_cosines,
    input_gradients,
    rises,
    runner_up,
    surfaces,
)
from core.attacks.noise_control import noise_at_edge
from core.defenses.adaptive import JUDGE, SEARCH, SEARCH_DRAWS, VIEW, lasting, other_draws
from core.keyed_noise import other_seed
from core.network.classifier import Classifier
from core.studies.grid import inside

NOISE_DRAWS = 20
_STEP = 2.5  # radii that an attack may go altogether, as Madry et al. (2017) choose it
Seen = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Look:
    """One thing to look at: a key of `LOOKS`, and of a white box how it is made."""

    kind: str
    epsilon: float = 0.0
    iterations: int = 0
    run: int = 0


@dataclass(frozen=True, eq=False)
class Suspect:
    """The classifier that is checked, and how; see `MaskingStudy`."""

    classifier: Classifier
    source: Classifier | None
    epsilon: float
    queries: int
    seed: int

    @property
    def gradient(self) -> Classifier:
        """Whose gradient is followed."""
        return other_draws(self.classifier, VIEW)

    @property
    def judge(self) -> Classifier:
        """Who says what is broken."""
        return other_draws(self.classifier, JUDGE)


def looked(look: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    """What is seen of images float32 [n, h, w, c] of classes int [n]: arrays, one row for each.

    Of an attack: broken, whether it misleads, by a random defense the judge's mean of draws;
    within, whether it stays within epsilon; ahead, how far it is in the attacker's own view.
    """
    return LOOKS[look.kind](look, at, images, labels)


def _attempt(
    at: Suspect, originals: FloatArray, labels: IntArray, attacked: FloatArray
) -> dict[str, NDArray[Any]]:
    goal = lasting(at.classifier, Untargeted(labels))
    broken: BoolArray = at.judge.predict(attacked) != labels
    return {
        "broken": broken,
        "within": inside(attacked, originals, at.epsilon, "linf"),
        "ahead": goal.margin(at.gradient.logits(attacked)),
    }


def _ascended(
    classifier: Classifier, look: Look, at: Suspect, images: FloatArray, labels: IntArray
) -> Seen:
    step = min(1.0, _STEP / look.iterations) * look.epsilon
    made = pgd(
        classifier, images, lasting(at.classifier, Untargeted(labels)), epsilon=look.epsilon,
        step_size=step, iterations=look.iterations, seed=other_seed(at.seed, "run", look.run),
    )  # fmt: skip
    return _attempt(at, images, labels, made.adversarial)


def _white(look: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    return _ascended(at.gradient, look, at, images, labels)


def _transfer(look: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    assert at.source is not None
    return _ascended(at.source, look, at, images, labels)


def _one_step(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    goal = lasting(at.classifier, Untargeted(labels))
    made = fgsm(at.gradient, images, goal, epsilon=at.epsilon)
    return _attempt(at, images, labels, made.adversarial)


def _black_box(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    found = square(
        other_draws(at.classifier, SEARCH, draws=SEARCH_DRAWS), images,
        lasting(at.classifier, Untargeted(labels)),
        epsilon=at.epsilon, queries=at.queries, seed=at.seed,
    )  # fmt: skip
    return _attempt(at, images, labels, found.adversarial)


def _noise(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    """The best of many noises, chosen as an attacker can: before judgment."""
    goal = lasting(at.classifier, Untargeted(labels))
    best, ahead = images, np.full(len(labels), -np.inf)
    for number in range(NOISE_DRAWS):
        seed = other_seed(at.seed, "noise", number)
        noisy = noise_at_edge(images, at.epsilon, "linf", seed=seed)
        margin = goal.margin(at.gradient.logits(noisy))
        best = np.where((margin > ahead)[:, None, None, None], noisy, best)
        ahead = np.maximum(ahead, margin)
    return _attempt(at, images, labels, best)


def _zero(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    both = input_gradients(at.gradient, images, labels, runner_up(at.gradient, images, labels))
    return {"zero": np.stack([~np.any(each, axis=(1, 2, 3)) for each in both], axis=1)}


def _cosine(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    cosine = difference_cosines(at.judge, images, labels, seed=at.seed, source=at.gradient)
    return {"cosine": cosine}


def _uphill(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    along, beside = rises(at.judge, images, labels, at.epsilon, seed=at.seed, source=at.gradient)
    return {"uphill": along > beside}


def _surface(_: Look, at: Suspect, images: FloatArray, labels: IntArray) -> Seen:
    found = surfaces(at.judge, images, labels, at.epsilon, seed=at.seed, source=at.gradient)
    return {"along": found.along, "rise": found.rise}


LOOKS: Mapping[str, Callable[[Look, Suspect, FloatArray, IntArray], Seen]] = {
    "zero": _zero,
    "cosine": _cosine,
    "uphill": _uphill,
    "surface": _surface,
    "one step": _one_step,
    "white": _white,
    "noise": _noise,
    "transfer": _transfer,
    "black box": _black_box,
}
