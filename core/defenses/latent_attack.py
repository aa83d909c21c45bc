"""An attack on a projection that searches where the projection can go: among latent numbers.

After Athalye, Carlini and Wagner (2018), arXiv:1802.00420, section 5.4: what the generator draws is
misread somewhere, and an image near such a place is projected onto it.
"""

from typing import Any

import numpy as np

from core.arrays import FloatArray, Tensor
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.backend import compiled, keras, tf
from core.checks import check_range, check_whole
from core.defenses.defended import DefendedClassifier
from core.defenses.generator import generator
from core.defenses.projection import adam, descend, nearest
from core.network.classifier import image_type
from core.network.forward import forward
from core.network.margins import cross_entropy

_JUDGED = 10  # candidates of each image that the whole defense is asked about
_CLOSE, _FROM = 60, 4  # iterations and restarts of the projection that it starts from
_LEARNING_RATE = 0.05


def latent_attack(
    classifier: DefendedClassifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    iterations: int = 100,
    penalty: float = 1.0,
) -> AttackResult:
    """G(z), clipped to within ε (L∞) of the image, where the bare network misreads G(z).

    Adam on z from the image's own projection, up the cross-entropy of the goal and down `penalty`
    (0 to 1,000) times the squared excess of |G(z) − x| over ε. The whole defense is asked about 10
    of the iterates, and the best for the goal is kept. iterations 10 to 2,000. Raises ValueError on
    other values and where the generator cannot be read.
    """
    check_attack(classifier, images, goal, epsilon)
    iterations = check_whole("The number of iterations", iterations, _JUDGED, 2_000)
    check_range("The penalty", penalty, 0, 1_000)
    search = classifier.bare.compiled("latent attack", _compile)
    candidates = (
        ()
        if not len(images)
        else search(  # whose convolutions fail without one
            tf.constant(images),
            tf.constant(goal.classes),
            tf.constant(goal.sign, tf.float32),
            tf.constant(epsilon, tf.float32),
            tf.constant(penalty, tf.float32),
            tf.constant(-(-iterations // _JUDGED), tf.int32),
        ).numpy()
    )
    found, best = images.copy(), goal.margin(classifier.logits(images))
    for attempt in candidates:
        margin = goal.margin(classifier.logits(attempt))
        found[margin > best] = attempt[margin > best]
        best = np.maximum(best, margin)
    return result_of(
        classifier, "Latent", images, found, goal,
        epsilon=epsilon, norm="linf", iterations=iterations, penalty=penalty,
    )  # fmt: skip


def _compile(model: keras.Model) -> Any:
    made_by, logits_of = generator(), forward(model)

    def gradient(
        latent: Tensor, images: Tensor, classes: Tensor, sign: Tensor, reach: Tensor
    ) -> Tensor:
        epsilon, penalty = reach
        with tf.GradientTape() as tape:
            tape.watch(latent)
            drawn = made_by.decode(latent)
            loss = sign * cross_entropy(logits_of(drawn), classes)
            excess = tf.nn.relu(tf.abs(drawn - images) - epsilon)
            cost = penalty * tf.reduce_sum(excess**2, axis=(1, 2, 3)) - loss
        return tape.gradient(cost, latent)

    def search(
        images: Tensor,
        classes: Tensor,
        sign: Tensor,
        epsilon: Tensor,
        penalty: Tensor,
        between: Tensor,
    ) -> Tensor:
        low, high = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)
        latent = nearest(descend(made_by, images, _CLOSE, _FROM))
        found = tf.TensorArray(tf.float32, _JUDGED, element_shape=[None, *images.shape[1:]])

        def step(
            found: Tensor, latent: Tensor, mean: Tensor, square: Tensor, number: Tensor
        ) -> Any:
            rise = gradient(latent, images, classes, sign, (epsilon, penalty))
            latent, mean, square = adam(latent, rise, mean, square, number, _LEARNING_RATE)
            place = number // between  # overwritten until the last of its share
            drawn = tf.clip_by_value(made_by.decode(latent), low, high)
            return found.write(place, drawn), latent, mean, square, number + 1

        zeros = tf.zeros_like(latent)
        found, *_ = tf.while_loop(
            lambda *state: state[4] < between * _JUDGED,
            step,
            (found, latent, zeros, zeros, tf.constant(0)),
        )
        return found.stack()

    scalar = tf.TensorSpec([], tf.float32)
    types = [
        image_type(model),
        tf.TensorSpec([None], tf.int64),
        scalar,
        scalar,
        scalar,
        tf.TensorSpec([], tf.int32),
    ]
    return compiled(search, *types)
