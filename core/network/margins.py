"""How far classes are ahead of each other, in graphs, with gradients that are exact.

The log odds against a class are S = log Σ exp of the other logits − its own logit = log((1 − p)/p).
Its cross-entropy −log p is softplus(S), with the gradient σ(S) · ∇S. TensorFlow's own is made of
p − 1 in float32, which rounds away what is left of it as soon as a network is sure: at S = −16 to
a few steps, below −17 to 0. S has no such place: its gradient is of one size for every image. So
what follows the cross-entropy of single images, in steps whose length is normalized, follows S.
"""

from typing import Any

import numpy as np

from core.arrays import Tensor
from core.backend import tf

_LEAST = -50.0  # of a logarithm: a share of 2e-22 is nothing beside 1, and alone still a number


def log_odds_against(logits: Tensor, classes: Tensor) -> Tensor:
    """In graphs: log((1 − p)/p) of each image's class: [n], above 0 where p is below one half.

    logits float32 [n, m], classes int [n]. It orders images as the cross-entropy does.
    """
    mine = tf.one_hot(classes, logits.shape[1])

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def against(logits: Tensor) -> Any:
        others = tf.where(mine > 0, -np.inf, logits)
        highest = tf.reduce_max(others, axis=1, keepdims=True)
        powers = tf.exp(others - highest)
        total = tf.reduce_sum(powers, axis=1, keepdims=True)
        ahead = highest + tf.math.log(total) - tf.reduce_sum(mine * logits, axis=1, keepdims=True)
        return ahead[:, 0], lambda rise: rise[:, None] * (powers / total - mine)

    return against(logits)


def cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """In graphs: −log p of each image's class in nats: [n]; its gradient is exact to 1e-38."""
    return tf.nn.softplus(log_odds_against(logits, classes))


def cross_entropy_shares(log_odds: Tensor) -> Tensor:
    """In graphs: each image's part in the gradient of a sum of cross-entropies, the largest is 1.

    These are σ(S) of log odds S [n], made in logarithms: they do not vanish together. What is
    below e⁻⁵⁰ is e⁻⁵⁰, so that an image that no other has a part in keeps its own direction.
    """
    logs = log_share(log_odds)
    return tf.exp(tf.maximum(logs - tf.reduce_max(logs), _LEAST))


def log_share(log_odds: Tensor) -> Tensor:
    """In graphs: log σ(S) of log odds S [n], the factor of ∇S in the cross-entropy's gradient."""
    return -tf.nn.softplus(-log_odds)


def margin(logits: Tensor, classes: Tensor, sign: Tensor) -> Tensor:
    """In graphs: how far the goal's classes are ahead of the others, above 0 at the goal: [n]."""
    return sign * (tf.reduce_max(_others(logits, classes), axis=1) - own(logits, classes))


def own(logits: Tensor, classes: Tensor) -> Tensor:
    """In graphs: each image's logit of its class: [n]."""
    return tf.gather(logits, classes, batch_dims=1)


def other_classes(classes: Tensor, count: int) -> Tensor:
    """In graphs: of `count` classes all but that of each image: [n, count − 1]."""
    return (classes[:, None] + tf.range(1, count, dtype=classes.dtype)) % count


def _others(logits: Tensor, classes: Tensor) -> Tensor:
    return tf.gather(logits, other_classes(classes, logits.shape[1]), batch_dims=1)
