"""DDN: steps along the gradient, their length apart from their direction."""

import math
from typing import Any, NamedTuple

from core.arrays import FloatArray, Tensor
from core.attacks.geometry import steepest
from core.attacks.goals import Goal
from core.attacks.result import AttackResult, check_attack, result_of
from core.attacks.search import (
    CLEAR,
    as_pixels,
    iterate,
    recorded_steps,
    search,
    squared_length,
    with_last,
)
from core.backend import compiled, keras, tf
from core.checks import check_range, check_whole
from core.network.classifier import Classifier, image_type
from core.network.forward import forward, in_loop
from core.network.margins import log_odds_against, margin

_RADIUS = 1.0  # of the first ball
_STEP_SIZE = 1.0, 0.01  # from the first step to the last, along half a cosine
_TINY = 1e-12


def ddn(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    iterations: int = 100,
    gamma: float = 0.05,
    record: bool = False,
) -> AttackResult:
    """The nearest image at the goal on a way that stays close to its boundary.

    Each step follows the normalized gradient, and is put on a sphere around the image that
    shrinks by the share `gamma` (0 to 0.5) where the goal is reached and else grows by it. An
    image for which `iterations` (1 to 2,000) find nothing stays as it is. images float32
    [n, h, w, c] in [0, 1]; record: whether the result has a trajectory. Raises ValueError on
    others. Rony et al. (2019), arXiv:1811.09600.
    """
    check_attack(classifier, images, goal)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    check_range("Gamma", gamma, 0, 0.5)
    compiled = classifier.compiled("ddn", _compile)
    steps = recorded_steps(iterations, record=record)
    found, frames = search(compiled, classifier, images, goal, steps, gamma)
    return result_of(
        classifier, "DDN", images, found, goal,
        frames=frames if record else None, steps=steps, iterations=iterations, gamma=gamma,
    )  # fmt: skip


class _State(NamedTuple):
    """An iterate and the radius of its sphere; the nearest image at the goal so far."""

    step: Tensor
    x: Tensor
    radius: Tensor
    nearest: Tensor
    distance: Tensor  # squared, infinite before anything is found


def _compile(model: keras.Model) -> Any:
    """The whole attack as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    def attack(
        images: Tensor, classes: Tensor, steps: Tensor, sign: Tensor, gamma: Tensor
    ) -> Tensor:
        def seen(state: _State, logits: Tensor) -> tuple[Tensor, _State]:
            """Which images are at the goal, and the state that remembers them if they are near."""
            reached = margin(logits, classes, sign) > CLEAR
            distance = squared_length(state.x - images)
            better = tf.logical_and(reached, distance < state.distance)
            return reached, state._replace(
                nearest=tf.where(as_pixels(better), state.x, state.nearest),
                distance=tf.where(better, distance, state.distance),
            )

        @in_loop
        def look(x: Tensor) -> Any:
            logits = logits_of(x)
            return logits, tf.gradients(sign * log_odds_against(logits, classes), x)[0]

        def one_step(state: _State) -> _State:
            logits, gradient = look(state.x)
            reached, state = seen(state, logits)
            size = _step_size(state.step, steps[-1])
            change = state.x + size * steepest(gradient, "l2") - images
            radius = state.radius * tf.where(reached, 1 - gamma, 1 + gamma)
            change *= as_pixels(radius / (tf.sqrt(squared_length(change)) + _TINY))
            x = tf.clip_by_value(images + change, 0.0, 1.0)
            return state._replace(step=state.step + 1, x=x, radius=radius)

        each = tf.zeros_like(classes, tf.float32)
        begin = _State(tf.constant(0), images, each + _RADIUS, images, each + math.inf)
        state, frames = iterate(one_step, begin, steps)
        _, state = seen(state, logits_of(state.x))
        return with_last(frames, state.nearest)

    number, classes = tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.int64)
    types = [image_type(model), classes, tf.TensorSpec([None], tf.int32), number, number]
    return compiled(attack, *types)


def _step_size(step: Tensor, steps: Tensor) -> Tensor:
    first, last = _STEP_SIZE
    done = tf.cast(step, tf.float32) / tf.cast(steps, tf.float32)
    return last + (first - last) * (1 + tf.cos(math.pi * done)) / 2
