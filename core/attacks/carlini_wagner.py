"""The attack of Carlini and Wagner in L2: distance against margin, weighed anew in each round."""

import math
from typing import Any, NamedTuple

from core.arrays import FloatArray, Tensor
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
from core.network.margins import margin

_SCALE = 0.999  # tanh reaches 0.05 % past the box, else a pixel at its border could not leave it
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # Kingma & Ba (2014), arXiv:1412.6980
_GROWTH = 10.0  # of the constant while nothing is found
_SURE = 50.0  # logits; from where a lead as large is to be lost, a logit weighs less in proportion


def carlini_wagner(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    binary_search_steps: int = 5,
    iterations: int = 100,
    initial_constant: float = 1.0,
    learning_rate: float = 0.1,
    confidence: float = 0.0,
    record: bool = False,
) -> AttackResult:
    """The nearest image at the goal while Adam minimizes ‖change‖² + constant · what is missing.

    Missing are logits until the goal's margin is `confidence` (0 to 100). Each of the
    `binary_search_steps` (1 to 20) begins anew with `iterations` (1 to 1,000) at
    `learning_rate` (above 0 to 1) in arctanh of the pixels; the constant, at first
    `initial_constant` (1e-4 to 1e4), is bisected for each image between the smallest that led to
    the goal and the largest that did not, or multiplied by 10. Where an image is more than 50
    logits away from the goal, it begins at so many times less: else a network with larger logits,
    which decides the same, would be asked with another weight, and bisected too late. An image for
    which nothing is found stays as it is. images float32 [n, h, w, c] in [0, 1]; record: whether
    the result has a trajectory. Raises ValueError on others. Carlini and Wagner (2016),
    arXiv:1608.04644.
    """
    check_attack(classifier, images, goal)
    binary_search_steps = check_whole(
        "The number of binary-search steps", binary_search_steps, 1, 20
    )
    iterations = check_whole("The number of iterations", iterations, 1, 1_000)
    check_range("The initial constant", initial_constant, 1e-4, 1e4)
    check_range("The learning rate", learning_rate, 1e-4, 1)
    check_range("The confidence", confidence, 0, 100)
    compiled = classifier.compiled("carlini_wagner", _compile)
    steps = recorded_steps(binary_search_steps * iterations, record=record)
    found, frames = search(
        compiled, classifier, images, goal, steps,
        iterations, initial_constant, learning_rate, confidence,
    )  # fmt: skip
    return result_of(
        classifier, "Carlini–Wagner", images, found, goal,
        frames=frames if record else None, steps=steps, binary_search_steps=binary_search_steps,
        iterations=iterations, initial_constant=initial_constant, learning_rate=learning_rate,
        confidence=confidence,
    )  # fmt: skip


class _State(NamedTuple):
    """Adam in arctanh of the pixels, the search for the constant, and the nearest at the goal."""

    step: Tensor
    x: Tensor
    angle: Tensor  # x is its tanh, shifted and scaled to the box
    mean: Tensor
    square: Tensor
    constant: Tensor
    lowest: Tensor  # the largest constant that did not lead to the goal
    highest: Tensor  # the smallest that did
    found: Tensor  # whether this round has led to it
    nearest: Tensor
    distance: Tensor  # squared, infinite before anything is found


def _compile(model: keras.Model) -> Any:
    """The whole attack as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    def attack(
        images: Tensor,
        classes: Tensor,
        steps: Tensor,
        sign: Tensor,
        iterations: Tensor,
        constant: Tensor,
        learning_rate: Tensor,
        confidence: Tensor,
    ) -> Tensor:
        start = tf.atanh((2 * images - 1) * _SCALE)

        @in_loop
        def missing_margin(x: Tensor, constant: Tensor) -> Any:
            missing = tf.nn.relu(confidence + CLEAR - margin(logits_of(x), classes, sign))
            return missing, tf.gradients(constant * missing, x)[0]

        def one_step(state: _State) -> _State:
            missing, slope = missing_margin(state.x, state.constant)
            state = _seen(state, images, tf.equal(missing, 0))
            state = _adam(state, slope + 2 * (state.x - images), learning_rate, iterations)
            ended = tf.equal(tf.cast(state.step, tf.float32) % iterations, 0)
            after: _State = tf.cond(ended, lambda: _next_round(state, images, start), lambda: state)
            return after

        zeros, each = tf.zeros_like(images), tf.zeros_like(classes, tf.float32)
        lead = -margin(logits_of(images), classes, sign)
        first = constant / tf.maximum(lead / _SURE, 1.0)
        state = _State(
            tf.constant(0), images, start, zeros, zeros, first, each, each + math.inf,
            each > 0, images, each + math.inf,
        )  # fmt: skip
        state, frames = iterate(one_step, state, steps)
        return with_last(frames, state.nearest)

    number, classes = tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.int64)
    types = [image_type(model), classes, tf.TensorSpec([None], tf.int32), *[number] * 5]
    return compiled(attack, *types)


def _seen(state: _State, images: Tensor, reached: Tensor) -> _State:
    """The state that remembers its images at the goal, if they are nearer than any before."""
    distance = squared_length(state.x - images)
    better = tf.logical_and(reached, distance < state.distance)
    return state._replace(
        found=tf.logical_or(state.found, reached),
        nearest=tf.where(as_pixels(better), state.x, state.nearest),
        distance=tf.where(better, distance, state.distance),
    )


def _adam(state: _State, slope: Tensor, learning_rate: Tensor, iterations: Tensor) -> _State:
    """A step of Adam against the slope of the loss in the pixels, taken over to the angle."""
    tanh = tf.tanh(state.angle)
    gradient = slope * (1 - tanh**2) / (2 * _SCALE)
    time = tf.cast(state.step, tf.float32) % iterations + 1
    mean = _BETA_1 * state.mean + (1 - _BETA_1) * gradient
    square = _BETA_2 * state.square + (1 - _BETA_2) * gradient**2
    size = learning_rate * tf.sqrt(1 - _BETA_2**time) / (1 - _BETA_1**time)
    angle = state.angle - size * mean / (tf.sqrt(square) + _EPSILON)
    x = tf.clip_by_value((tf.tanh(angle) / _SCALE + 1) / 2, 0.0, 1.0)
    return state._replace(step=state.step + 1, x=x, angle=angle, mean=mean, square=square)


def _next_round(state: _State, images: Tensor, start: Tensor) -> _State:
    """Again from the image, with each image's next constant."""
    highest = tf.where(state.found, state.constant, state.highest)
    lowest = tf.where(state.found, state.lowest, state.constant)
    constant = tf.where(tf.math.is_inf(highest), _GROWTH * state.constant, (lowest + highest) / 2)
    zeros = tf.zeros_like(images)
    return state._replace(
        x=images, angle=start, mean=zeros, square=zeros, constant=constant, lowest=lowest,
        highest=highest, found=tf.zeros_like(state.found),
    )  # fmt: skip
