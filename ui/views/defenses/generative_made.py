"""What the Generative view sets and computes: attacks on one image, and what is made of them."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.defenses.adaptive import adaptive
from core.defenses.autoencoder import Autoencoder
from core.defenses.defended import DefendedClassifier
from core.defenses.projection import MAX_RESTARTS, Projection, projection_path
from core.defenses.purification import purifier_of
from core.network.classifier import Classifier, softmax
from core.optimization.engine import Trajectory
from ui.controls import bound
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.images import ChosenImage

ATTACK_ITERATIONS = 40
ADAPTIVE_MEMBERS = 4  # two losses through two stand-ins
STATIC, THROUGH = "Static", "Adaptive"
ORIGINAL = "Original"


@dataclass(frozen=True)
class GenerativeAsked:
    """The attack's ε, and the projection's iterations and restarts."""

    epsilon: float
    iterations: int
    restarts: int

    @property
    def projection(self) -> Projection:
        """The projection with these numbers."""
        return Projection(self.iterations, self.restarts)

    def key_of(self, kind: str) -> str:
        """The key of the autoencoder or of the projection."""
        return kind if kind == Autoencoder.key else self.projection.key


@dataclass(frozen=True, eq=False)
class GenerativeSeen:
    """An image [1, …], what a defense makes of it, and the network's answer to that.

    reached: whether the attack that made the image is a success behind the defense.
    """

    image: FloatArray
    purified: FloatArray
    probabilities: FloatArray

    @property
    def read(self) -> int:
        """The class of the answer."""
        return int(self.probabilities.argmax())


def controls() -> GenerativeAsked:
    """Draw them."""
    st.markdown("**Settings**")
    epsilon = bound.slider(
        "Attack ε",
        0.05,
        0.5,
        0.3,
        0.05,
        key="gen_eps",
        help="How much an attack may change each pixel, where a full pixel is 1 (L∞).",
    )
    iterations = bound.slider(
        "Projection iterations",
        10,
        200,
        60,
        10,
        key="gen_steps",
        help="Gradient steps on the generator's latent numbers, from each start.",
    )
    restarts = bound.slider(
        "Restarts",
        1,
        MAX_RESTARTS,
        4,
        key="gen_starts",
        help="The first start is what the encoder says of the image; the others are random draws, "
        "the same for every image. The nearest end counts.",
    )
    return GenerativeAsked(epsilon, iterations, restarts)


def true_class(image: ChosenImage, classifier: Classifier) -> int:
    """The label; of an own digit, what the network reads."""
    return int(classifier.predict(image.floats)[0]) if image.label is None else image.label


@cached
def static(classifier: Classifier, image: ChosenImage, epsilon: float) -> FloatArray:
    """PGD on the network without a defense: [1, …]."""
    goal = Untargeted(np.array([true_class(image, classifier)]))
    with compute.inline("The attack", ATTACK_ITERATIONS, classifier):
        result = pgd(classifier, image.floats, goal, epsilon=epsilon, iterations=ATTACK_ITERATIONS)
    return result.adversarial


def through(
    classifier: Classifier, image: ChosenImage, kind: str, asked: GenerativeAsked
) -> FloatArray:
    """The adaptive attack through the autoencoder or the projection: [1, …].

    Where it fails on the projection, the attack among latent numbers goes next.
    Raises ValueError if it would take too long.
    """
    key = asked.key_of(kind)
    return _through(classifier, image, key, asked.epsilon)


@cached
def _through(classifier: Classifier, image: ChosenImage, key: str, epsilon: float) -> FloatArray:
    part, defended = purifier_of(key), _defended(classifier, key)
    goal = Untargeted(np.array([true_class(image, classifier)]))
    work = ADAPTIVE_MEMBERS * ATTACK_ITERATIONS
    with compute.inline(f"The attack through {part.title}", work, defended):
        result = adaptive(
            defended, image.floats, goal, epsilon=epsilon, iterations=ATTACK_ITERATIONS
        )
    return result.adversarial


@cached
def _defended(classifier: Classifier, key: str) -> DefendedClassifier:
    return DefendedClassifier(classifier, (purifier_of(key),))


def behind(
    classifier: Classifier, kind: str | None, asked: GenerativeAsked, image: FloatArray
) -> GenerativeSeen:
    """What the network behind the defense says of an image [1, …]; None: no defense."""
    key = None if kind is None else asked.key_of(kind)
    return _behind(key, image, classifier)


@cached
def _behind(key: str | None, image: FloatArray, classifier: Classifier) -> GenerativeSeen:
    purified = image if key is None else purifier_of(key)(image)
    return GenerativeSeen(image, purified, softmax(classifier.logits(purified))[0])


def path(classifier: Classifier, image: FloatArray, asked: GenerativeAsked) -> Trajectory:
    """The projection of an image [1, …] step by step."""
    return _path(image, asked.iterations, asked.restarts, classifier)


@cached
def _path(image: FloatArray, iterations: int, restarts: int, classifier: Classifier) -> Trajectory:
    with compute.inline("The projection", iterations * restarts, classifier):
        return projection_path(classifier, image, iterations=iterations, restarts=restarts)
