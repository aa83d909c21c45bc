"""In graphs: the ascent of images inside a ball, and the best iterate of each so far."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from core.arrays import Tensor
from core.backend import tf
from core.network.forward import in_loop


class Best(NamedTuple):
    """Of each image: x [n, h, w, c], the value of what is climbed, whether the goal is reached.

    value float32 [n], reached bool [n].
    """

    x: Tensor
    value: Tensor
    reached: Tensor


def seen_at(
    logits_of: Callable[[Tensor], Tensor],
    value_of: Callable[[Any], Any],
    classes: Tensor,
    sign: Tensor,
) -> Callable[[Any], Any]:
    """What is seen of images x on the way up `value_of` the logits, for the inside of a loop.

    The value [n], whether the goal of these classes and this sign is reached [n], and the value's
    gradient [n, h, w, c].
    """

    @in_loop
    def look(x: Tensor) -> Any:
        logits = logits_of(x)
        value = value_of(logits)
        is_class = tf.argmax(logits, axis=1) == classes
        return value, tf.equal(is_class, sign < 0), tf.gradients(value, x)[0]

    return look


def ascend(
    look: Callable[[Any], Any],
    begin: Tensor,
    move: Callable[..., Any],
    going: Callable[[Any, Any], Any],
    memory: tuple[Tensor, ...] = (),
) -> tuple[Tensor, Best, tuple[Tensor, ...]]:
    """From `begin` as long as it is `going`: the last iterate, the best of each image, the memory.

    look: as of `seen_at`. move: of step, x, gradient, best and `memory` makes the next x and
    memory. going: says it of step and best.
    """

    def one_step(step: Tensor, x: Tensor, best: Best, memory: tuple[Tensor, ...]) -> Any:
        *seen, gradient = look(x)
        best = better(best, x, *seen)
        x, *memory = move(step, x, gradient, best, *memory)
        return step + 1, x, best, tuple(memory)

    _, x, best, memory = tf.while_loop(
        lambda step, _, best, __: going(step, best),
        one_step,
        (tf.constant(0), begin, nothing_yet(begin), memory),
    )
    *seen, _ = look(x)
    return x, better(best, x, *seen), memory


def nothing_yet(begin: Tensor) -> Best:
    """Before anything is seen; any iterate is better."""
    count = tf.shape(begin)[:1]
    return Best(begin, tf.fill(count, -np.inf), tf.fill(count, False))


def better(best: Best, x: Tensor, value: Tensor, reached: Tensor) -> Best:
    """The best behind one more iterate."""
    keep = goes_before(value, reached, best.value, best.reached)
    return Best(
        tf.where(keep[:, None, None, None], x, best.x),
        tf.where(keep, value, best.value),
        tf.logical_or(best.reached, reached),
    )


def goes_before(
    value: Tensor, reached: Tensor, other_value: Tensor, other_reached: Tensor
) -> Tensor:
    """Whether an iterate is better than another: at the goal before any value, then higher: [n]."""
    higher = tf.logical_and(tf.equal(reached, other_reached), value > other_value)
    first = tf.logical_and(reached, tf.logical_not(other_reached))
    return tf.logical_or(first, higher)
