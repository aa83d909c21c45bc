"""APGD: gradient ascent in a ball that sets its own step size, on three losses."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray, Tensor
from core.attacks.ascent import goes_before, seen_at
from core.attacks.geometry import Ball, project, random_start, steepest
from core.attacks.goals import Goal, Targeted
from core.attacks.result import AttackResult, check_attack, result_of
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_seed, check_whole
from core.network.classifier import Classifier, Climbed, image_type, in_batches
from core.network.forward import forward
from core.network.margins import margin, own

LOSSES = ("cross_entropy", "dlr", "targeted_dlr")
_BATCH = 64
_MOMENTUM = 0.75
_RISING = 0.75  # the share of steps that must raise the loss for the step size to stay
_TINY = 1e-12


def apgd(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    epsilon: float = 0.3,
    norm: str = "linf",
    iterations: int = 100,
    restarts: int = 1,
    loss: str = "cross_entropy",
    seed: int = 0,
    record: bool = False,
) -> AttackResult:
    """Steps of 2 ε at first, halved at checkpoints where the loss stalls; the best iterate stays.

    loss: "cross_entropy"; "dlr", a difference of logits over their spread; "targeted_dlr", the same
    toward each of the other classes in turn, the likeliest first (for a Targeted goal it is
    "dlr"). Every run begins at a random point of the ball; `restarts` (1 to 50) go on with the
    images that still stand. images float32 [n, h, w, c] in [0, 1]; epsilon in the norm's unit,
    where a full pixel is 1; iterations 1 to 2,000; record: whether the result has a trajectory, of
    an image's last run. Raises ValueError on other values. Croce and Hein (2020), arXiv:2003.01690.
    """
    seed = check_seed(seed)
    check_attack(classifier, images, goal, epsilon)
    ball = Ball(epsilon, norm)
    check_choice("The loss", loss, LOSSES)
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    restarts = check_whole("The number of restarts", restarts, 1, 50)
    found = images.copy()
    frames = np.repeat(images[None], iterations if record else 0, axis=0)
    logits = classifier.logits(images)
    ascent = _ascent(classifier, ball, goal.sign, loss, iterations, record)
    standing = np.flatnonzero(~goal.reached(logits))
    closest = goal.margin(logits)
    for restart in range(restarts):
        begin = random_start(images, ball, seed=seed, restart=restart)
        for targets in _targets(goal, logits, loss):
            if not len(standing):
                break
            rows = standing
            best, frames[:, rows] = ascent(
                images[rows], begin[rows], goal.classes[rows], targets[rows]
            )
            after = classifier.logits(best)
            margin = goal.take(rows).margin(after)
            closer = margin >= closest[rows]
            found[rows[closer]], closest[rows[closer]] = best[closer], margin[closer]
            standing = rows[~goal.take(rows).reached(after)]
    return result_of(
        classifier, "APGD", images, found, goal, frames=frames if record else None,
        epsilon=epsilon, norm=norm, iterations=iterations, restarts=restarts, loss=loss, seed=seed,
    )  # fmt: skip


def checkpoints(iterations: int) -> list[int]:
    """The steps behind which the step size may be halved: 22 % of them, then ever sooner."""
    iterations = check_whole("The number of iterations", iterations, 1, 2_000)
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    steps = {math.ceil(share * iterations - _TINY) for share in shares[1:]}
    return sorted(step for step in steps if step < iterations)


def _targets(goal: Goal, logits: FloatArray, loss: str) -> list[IntArray]:
    """The class that a run goes to, for each image: of a run to each other class, or of one."""
    if loss != "targeted_dlr" or isinstance(goal, Targeted):
        return [goal.classes]
    others = logits.copy()
    others[np.arange(len(others)), goal.classes] = np.inf
    return list(np.argsort(-others, axis=1)[:, 1:].T)


def _ascent(
    classifier: Classifier, ball: Ball, sign: float, loss: str, iterations: int, record: bool
) -> Callable[..., tuple[FloatArray, FloatArray]]:
    """A function of images, where they begin, classes and targets.

    It gives the best iterate of each image, and behind it, if `record`, all: [iterations, n, …].
    """
    norm = ball.norm
    compiled = classifier.compiled(
        f"apgd/{norm}/{loss}", lambda model: _compile(model, classifier.climbed, norm, loss)
    )
    periods = np.zeros(iterations + 1, np.float32)
    marks = checkpoints(iterations)
    periods[marks] = np.diff([0, *marks])
    numbers = [tf.constant(value, tf.float32) for value in (sign, ball.epsilon, periods)]
    numbers.append(tf.constant(record))

    def ascent(*arrays: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        rows: FloatArray = in_batches(
            lambda *batch: compiled(*batch, *numbers), *arrays, batch=_BATCH
        )
        return rows[:, -1], np.moveaxis(rows[:, :-1], 1, 0)

    return ascent


class _State(NamedTuple):
    """Where the ascent of each image stands; `top` is its best iterate so far."""

    step: Tensor
    x: Tensor
    previous: Tensor
    value: Tensor
    gradient: Tensor
    top: Tensor
    top_value: Tensor
    top_reached: Tensor
    top_gradient: Tensor
    step_size: Tensor
    rises: Tensor  # steps since the last checkpoint that raised the loss
    top_before: Tensor  # top_value at the last checkpoint
    halved: Tensor  # whether the step size was halved there


def _compile(model: keras.Model, climbed: Climbed, norm: str, loss: str) -> Any:
    """The whole ascent as one graph; everything that a slider changes comes as a tensor."""
    logits_of = forward(model)

    def value_of(logits: Tensor, classes: Tensor, targets: Tensor, sign: Tensor) -> Tensor:
        if loss == "cross_entropy":
            return sign * climbed(logits, classes)
        return _RATIOS[loss](logits, classes, targets, sign)

    def ascent(
        images: Tensor,
        begin: Tensor,
        classes: Tensor,
        targets: Tensor,
        sign: Tensor,
        epsilon: Tensor,
        periods: Tensor,
        record: Tensor,
    ) -> Tensor:
        look = seen_at(
            logits_of, lambda logits: value_of(logits, classes, targets, sign), classes, sign
        )

        def one_step(state: _State, frames: Tensor) -> Any:
            moved = _moved(state, images, epsilon, norm)
            state = _seen(state, moved, *look(moved))
            kept = tf.cond(record, lambda: frames.write(state.step - 1, moved), lambda: frames)
            return _checked(state, periods[state.step]), kept

        count = tf.size(periods) - 1
        last = tf.where(record, count, 0)
        frames = tf.TensorArray(tf.float32, last + 1, element_shape=images.shape)
        state, frames = tf.while_loop(
            lambda state, _: state.step < count, one_step, (_begun(begin, look, epsilon), frames)
        )
        frames = frames.write(last, state.top).stack()
        return tf.transpose(frames, [1, 0, 2, 3, 4])

    number, classes = tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.int64)
    images = image_type(model)
    types = [images, images, classes, classes, number, number, tf.TensorSpec([None], tf.float32)]
    types.append(tf.TensorSpec([], tf.bool))
    return compiled(ascent, *types)


def _begun(x: Tensor, look: Callable[[Any], Any], epsilon: Tensor) -> _State:
    value, reached, gradient = look(x)
    zeros = tf.zeros_like(value)
    return _State(
        tf.constant(0), x, x, value, gradient, x, value, reached, gradient,
        step_size=zeros + 2 * epsilon, rises=zeros, top_before=value, halved=zeros > 0,
    )  # fmt: skip


def _moved(state: _State, images: Tensor, epsilon: Tensor, norm: str) -> Tensor:
    """A projected step along the gradient, mixed with the step before it."""
    stride = _as_pixels(state.step_size) * steepest(state.gradient, norm)
    ahead = project(state.x + stride, images, epsilon, norm)
    part = tf.where(state.step == 0, 1.0, _MOMENTUM)
    mixed = state.x + part * (ahead - state.x) + (1 - part) * (state.x - state.previous)
    return project(mixed, images, epsilon, norm)


def _seen(state: _State, x: Tensor, value: Tensor, reached: Tensor, gradient: Tensor) -> _State:
    """Behind a step to `x`: one at the goal is better than any other, then the higher loss is."""
    better = goes_before(value, reached, state.top_value, state.top_reached)
    pixels = _as_pixels(better)
    return state._replace(
        step=state.step + 1, x=x, previous=state.x, value=value, gradient=gradient,
        top=tf.where(pixels, x, state.top),
        top_value=tf.where(better, value, state.top_value),
        top_reached=tf.logical_or(state.top_reached, reached),
        top_gradient=tf.where(pixels, gradient, state.top_gradient),
        rises=state.rises + tf.cast(value > state.value, tf.float32),
    )  # fmt: skip


def _checked(state: _State, period: Tensor) -> _State:
    """At a checkpoint, `period` > 0 steps behind the last: half the step size, from the top again.

    Where too few steps have raised the loss, or where neither the step size nor the highest loss
    has changed since the last checkpoint.
    """
    at_checkpoint = period > 0
    stalled = tf.logical_and(
        tf.logical_not(state.halved), tf.equal(state.top_value, state.top_before)
    )
    halve = tf.logical_or(state.rises < _RISING * period, stalled)
    now = tf.logical_and(at_checkpoint, halve)
    pixels = _as_pixels(now)
    return state._replace(
        x=tf.where(pixels, state.top, state.x),
        value=tf.where(now, state.top_value, state.value),
        gradient=tf.where(pixels, state.top_gradient, state.gradient),
        step_size=tf.where(now, state.step_size / 2, state.step_size),
        rises=tf.where(at_checkpoint, tf.zeros_like(state.rises), state.rises),
        top_before=tf.where(at_checkpoint, state.top_value, state.top_before),
        halved=tf.where(at_checkpoint, halve, state.halved),
    )


def _as_pixels(each: Tensor) -> Tensor:
    """One number for each image, to stand beside [n, h, w, c]."""
    return each[:, None, None, None]


def _dlr(logits: Tensor, classes: Tensor, _: Tensor, sign: Tensor) -> Tensor:
    """How far the goal's margin is, over z₁ − z₃, or if it is a class over z₁ − (z₃ + z₄) / 2.

    With z₁ − z₃ it would be constant where the class is the third.
    """
    spread = tf.where(sign > 0, *_spreads(logits))
    return margin(logits, classes, sign) / (spread + _TINY)


def _targeted_dlr(logits: Tensor, classes: Tensor, targets: Tensor, sign: Tensor) -> Tensor:
    """Toward `targets`, away from `classes`; where they are the same it is a goal's only class."""
    rise = own(logits, targets) - own(logits, classes)
    _, spread = _spreads(logits)
    return tf.where(sign > 0, rise / (spread + _TINY), _dlr(logits, classes, targets, sign))


def _spreads(logits: Tensor) -> tuple[Tensor, Tensor]:
    """z₁ − z₃, and z₁ − (z₃ + z₄) / 2; of three classes z₃ twice, of two the margin as it is."""
    first, *others = tf.unstack(tf.math.top_k(logits, min(4, logits.shape[1])).values, axis=1)
    if len(others) < 2:
        return tf.ones_like(first), tf.ones_like(first)
    third, fourth = others[1], others[-1]
    return first - third, first - (third + fourth) / 2


_RATIOS: dict[str, Callable[..., Any]] = {"dlr": _dlr, "targeted_dlr": _targeted_dlr}
