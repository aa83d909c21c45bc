"""The attack inside a training step: FGSM with a random start, or PGD with k steps."""

import math
from collections.abc import Callable

from core.arrays import Tensor
from core.backend import tf
from core.keyed_noise import uniform
from core.network.margins import cross_entropy_shares, log_odds_against
from core.optimization.signs import along_signs
from core.training.augmentation import stateless_seed


def inner_attack(
    logits_of: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    draws: Tensor,
    *,
    epsilon: Tensor,
    step_size: Tensor,
    steps: Tensor,
) -> Tensor:
    """In graphs: images [n, h, w, c] moved up the cross-entropy inside the L∞ ball, in [0, 1].

    Every argument but the function may be a tensor, so that a slider does not retrace. `draws`
    [n, h, w, c] in (−1, 1), of `step_draws` or `image_draws`, say where in the ball it begins;
    `steps` steps of `step_size` go along the gradient's sign, which is that of the batch's sum
    where its statistics tie the images together. One step of 1.25 ε is FGSM with a random start
    (Wong et al. 2020, arXiv:2001.03994), more are PGD (Madry et al. 2017, arXiv:1706.06083).
    """
    box = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)

    def slope(x: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            log_odds = log_odds_against(logits_of(x), labels)
        return tape.gradient(log_odds, x, cross_entropy_shares(log_odds))

    begin = tf.clip_by_value(images + epsilon * draws, *box)
    return tf.stop_gradient(along_signs(slope, begin, step_size, box, steps))


def step_draws(images: Tensor, seed: Tensor) -> Tensor:
    """In graphs: what a step of a training draws for a batch; `seed` is (number, step)."""
    return tf.random.stateless_uniform(tf.shape(images), stateless_seed(seed, 1), -1.0, 1.0)


def image_draws(images: Tensor) -> Tensor:
    """In graphs: what an image is scored with, whenever and in whatever batch: by its pixels."""
    shape = images.shape[1:]
    return 2 * tf.reshape(uniform(images, math.prod(shape), 0), [-1, *shape]) - 1


def attack_share(
    attack: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor, clean_share: Tensor
) -> Tensor:
    """In graphs: what `keep_clean` gives, with the attack run on no more images than it takes.

    attack: (images, labels) → attacked images. It always gets two images or more, because
    a network that works on the halves of a batch needs both.
    """
    count = tf.shape(images)[0]
    spared = tf.cast(tf.floor(clean_share * tf.cast(count, tf.float32)), tf.int32)
    spared = tf.clip_by_value(spared, 0, count - 2)
    attacked = tf.concat([images[:spared], attack(images[spared:], labels[spared:])], axis=0)
    return keep_clean(images, attacked, clean_share)


def keep_clean(images: Tensor, attacked: Tensor, share: Tensor) -> Tensor:
    """In graphs: the first `share` of the batch as it was, the rest attacked."""
    count = tf.shape(images)[0]
    clean = tf.cast(tf.range(count), tf.float32) < share * tf.cast(count, tf.float32)
    return tf.where(clean[:, None, None, None], images, attacked)
