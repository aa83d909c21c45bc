"""In graphs: the best iterate of each image so far."""

from typing import Any, NamedTuple

import numpy as np

from core.backend import tf


class Best(NamedTuple):
    """Of each image: x [n, 28, 28, 1], the value of what is climbed, whether the goal is reached.

    value float32 [n], reached bool [n].
    """

    x: Any
    value: Any
    reached: Any


def nothing_yet(begin: Any) -> Best:
    """Before anything is seen; any iterate is better."""
    count = tf.shape(begin)[:1]
    return Best(begin, tf.fill(count, -np.inf), tf.fill(count, False))


def better(best: Best, x: Any, value: Any, reached: Any) -> Best:
    """The best behind one more iterate."""
    keep = goes_before(value, reached, best.value, best.reached)
    return Best(
        tf.where(keep[:, None, None, None], x, best.x),
        tf.where(keep, value, best.value),
        tf.logical_or(best.reached, reached),
    )


def goes_before(value: Any, reached: Any, other_value: Any, other_reached: Any) -> Any:
    """Whether an iterate is better than another: at the goal before any value, then higher: [n]."""
    higher = tf.logical_and(tf.equal(reached, other_reached), value > other_value)
    first = tf.logical_and(reached, tf.logical_not(other_reached))
    return tf.logical_or(first, higher)
