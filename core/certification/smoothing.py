"""Randomized smoothing: what a network says most often under noise, and how far that is certain.

Cohen, Rosenfeld and Kolter (2019), arXiv:1902.02918. The base network is f(clip(x + noise)): the
clipping to [0, 1] is a part of it, so that the theorem holds with unclipped normal noise.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.special import betaincinv

from core.arrays import FloatArray, IntArray, Tensor, check_image
from core.backend import compiled, keras, tf
from core.checks import check_range, check_seed, check_whole
from core.keyed_noise import of_images, other_seed
from core.network.classifier import Classifier, image_type
from core.network.forward import forward
from core.statistics.paired import binomial_test
from core.statistics.rate import Rate

ABSTAIN = -1
ALPHA = 0.001  # how often a radius may be too large
GUESSES = 100  # copies that choose the class, before others are counted
MAX_COPIES = 100_000
_BATCH = 250
_normal = NormalDist()


@dataclass(frozen=True, eq=False)
class Certificate:
    """What CERTIFY says of one image.

    predicted: a class, or ABSTAIN. radius: the L2 within which the smoothed network provably
    gives it; 0 where it abstains. lower: the lower bound of the class's probability under noise.
    votes int64 [classes]: how often each class was said by the copies that were counted. guess:
    the class that they are counted for.
    """

    predicted: int
    radius: float
    lower: float
    votes: IntArray
    guess: int


def votes(
    classifier: Classifier, image: FloatArray, *, sigma: float, copies: int, seed: int = 0
) -> IntArray:
    """How often each class is said of noisy copies of an image: int64 [classes], sums to `copies`.

    image float32 [1, h, w, c] in [0, 1]; sigma: the standard deviation of the normal noise in
    each pixel, 0.01 to 2, where a full pixel is 1, drawn by `seed` and the image; copies 1 to
    100,000. Raises ValueError on others.
    """
    seed = check_seed(seed)
    check_image(image, classifier.spec.shape)
    check_range("Sigma", sigma, 0.01, 2)
    copies = check_whole("The number of noisy copies", copies, 1, MAX_COPIES)
    compiled = classifier.compiled("votes under noise", _compile)
    counts = np.zeros(classifier.model.output.shape[1], np.int64)
    draws = of_images(image, seed, "votes")
    for number, start in enumerate(range(0, copies, _BATCH)):
        key = tf.constant(draws.at(number).keys.view(np.int32))
        some = tf.constant(min(_BATCH, copies - start))
        counts += compiled(tf.constant(image), tf.constant(sigma, tf.float32), key, some).numpy()
    return counts


def certify(
    classifier: Classifier,
    image: FloatArray,
    *,
    sigma: float,
    copies: int,
    guesses: int = GUESSES,
    alpha: float = ALPHA,
    seed: int = 0,
) -> Certificate:
    """CERTIFY: a class and an L2 radius in which it cannot change, wrong with probability ≤ alpha.

    `guesses` copies choose the class, `copies` others bound its probability from below; abstains
    where that is not above one half. Arguments and errors as of `votes`; alpha above 0, at most
    0.5.
    """
    seed = check_seed(seed)
    check_range("Alpha", alpha, 1e-12, 0.5)
    check_range("Sigma", sigma, 0.01, 2)
    guess = int(np.argmax(votes(classifier, image, sigma=sigma, copies=guesses, seed=seed)))
    counted = other_seed(seed, "counted copies", 1)
    counts = votes(classifier, image, sigma=sigma, copies=copies, seed=counted)
    lower = lower_bound(int(counts[guess]), copies, alpha)
    if lower <= 0.5:
        return Certificate(ABSTAIN, 0.0, lower, counts, guess)
    return Certificate(guess, sigma * _normal.inv_cdf(lower), lower, counts, guess)


def predict(counts: IntArray, *, alpha: float = ALPHA) -> int:
    """PREDICT: the class of the smoothed network, wrong with probability ≤ alpha, or ABSTAIN.

    It abstains where the two leading classes could be equally probable, and needs no majority.
    counts int64 [classes]: what `votes` says of an image; alpha above 0, at most 0.5, or
    ValueError.
    """
    check_range("Alpha", alpha, 1e-12, 0.5)
    second, first = np.sort(counts)[-2:]
    return int(np.argmax(counts)) if equally_likely(int(first), int(second)) <= alpha else ABSTAIN


def lower_bound(successes: int, total: int, alpha: float) -> float:
    """The lower end of the one-sided 1 − alpha interval for a proportion.

    Clopper and Pearson (1934), doi:10.1093/biomet/26.4.404.
    """
    total = check_whole("The number of trials", total, 1, MAX_COPIES)
    successes = check_whole("The number of successes", successes, 0, total)
    check_range("Alpha", alpha, 1e-12, 0.5)
    return float(betaincinv(successes, total - successes + 1, alpha)) if successes else 0.0


def equally_likely(first: int, second: int) -> float:
    """The two-sided p-value that two classes with so many votes are equally probable.

    The exact binomial test; first ≥ second.
    """
    first = check_whole("The number of votes", first, 0, MAX_COPIES)
    second = check_whole("The number of votes of the second", second, 0, MAX_COPIES)
    return binomial_test(Rate(first, first + second), 0.5)


def largest_radius(sigma: float, copies: int, alpha: float = ALPHA) -> float:
    """What is certified if all copies agree: more copies are needed for more."""
    check_range("Sigma", sigma, 0.01, 2)
    return sigma * max(0.0, _normal.inv_cdf(lower_bound(copies, copies, alpha)))


def _compile(model: keras.Model) -> Any:
    logits_of = forward(model)

    def count(image: Tensor, sigma: Tensor, seed: Tensor, copies: Tensor) -> Tensor:
        shape = tf.concat([[copies], tf.shape(image)[1:]], axis=0)
        noisy = image + sigma * tf.random.stateless_normal(shape, seed)
        said = tf.argmax(logits_of(tf.clip_by_value(noisy, 0.0, 1.0)), axis=1)
        return tf.math.bincount(
            tf.cast(said, tf.int32), minlength=model.output.shape[1], dtype=tf.int64
        )

    number = (
        tf.TensorSpec([], tf.float32),
        tf.TensorSpec([2], tf.int32),
        tf.TensorSpec([], tf.int32),
    )
    return compiled(count, image_type(model), *number)
