"""DeepFool: again and again to the nearest boundary of the network's linear approximation."""

from typing import Any, NamedTuple

import numpy as np

from core.arrays import FloatArray, Tensor
from core.attacks.goals import Goal, Targeted
from core.attacks.result import AttackResult, check_attack, result_of
from core.attacks.search import CLEAR, as_pixels, iterate, recorded_steps, search
from core.backend import compiled, keras, tf
from core.checks import check_range, check_whole
from core.network.classifier import Classifier, image_type
from core.network.forward import forward, in_loop
from core.network.margins import other_classes, own

_TINY = 1e-12


def deepfool(
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    *,
    iterations: int = 50,
    overshoot: float = 0.02,
    record: bool = False,
) -> AttackResult:
    """The shortest way to another class if the network were linear, step by step until it is one.

    Each step goes to the nearest boundary of the classes' linear approximations at the image (for
    a Targeted goal: to the boundary of that class with the one ahead of it), and the sum of the
    steps is lengthened by the share `overshoot` (0 to 1) and clipped to the box. An image that
    does not arrive within `iterations` (1 to 500) is returned where it is. images float32
    [n, h, w, c] in [0, 1]; record: whether the result has a trajectory. Raises ValueError on
    others. Moosavi-Dezfooli, Fawzi and Frossard (2015), arXiv:1511.04599.
    """
    check_attack(classifier, images, goal)
    iterations = check_whole("The number of iterations", iterations, 1, 500)
    check_range("The overshoot", overshoot, 0, 1)
    targeted = isinstance(goal, Targeted)
    compiled = classifier.compiled(
        f"deepfool/{'targeted' if targeted else 'untargeted'}",
        lambda model: _compile(model, targeted=targeted),
    )
    steps = recorded_steps(iterations, record=record)
    found, frames = search(compiled, classifier, images, goal, steps, overshoot)
    moves = np.flatnonzero((frames[1:] != frames[:-1]).any(axis=(1, 2, 3, 4)))
    count = moves[-1] + 2 if len(moves) else 1  # behind it, all have arrived
    return result_of(
        classifier, "DeepFool", images, found, goal,
        frames=frames[:count] if record else None, steps=steps[:count],
        iterations=iterations, overshoot=overshoot,
    )  # fmt: skip


class _State(NamedTuple):
    """All images, the sum of the steps of each, and the rows that have not arrived."""

    step: Tensor
    x: Tensor
    total: Tensor
    rows: Tensor


def _compile(model: keras.Model, *, targeted: bool) -> Any:
    """The whole attack as one graph; each step computes the images that have not arrived."""
    logits_of = forward(model)
    leads = _lead_of_target if targeted else _leads_of_others

    def attack(
        images: Tensor, classes: Tensor, steps: Tensor, sign: Tensor, overshoot: Tensor
    ) -> Tensor:
        @in_loop
        def step_to_nearest(x: Tensor, theirs: Tensor) -> Tensor:
            return _to_nearest(x, leads(logits_of(x), theirs))

        def one_step(state: _State) -> _State:
            rows = state.rows
            x, theirs = tf.gather(state.x, rows), tf.gather(classes, rows)
            total = tf.gather(state.total, rows) + step_to_nearest(x, theirs)
            x = tf.clip_by_value(tf.gather(images, rows) + (1 + overshoot) * total, 0.0, 1.0)
            lead = tf.reduce_max(leads(logits_of(x), theirs), axis=1)
            return _State(
                state.step + 1,
                tf.tensor_scatter_nd_update(state.x, rows[:, None], x),
                tf.tensor_scatter_nd_update(state.total, rows[:, None], total),
                tf.boolean_mask(rows, lead < CLEAR),
            )

        begin = _State(tf.constant(0), images, tf.zeros_like(images), tf.range(tf.shape(images)[0]))
        return iterate(one_step, begin, steps, lambda state: tf.size(state.rows) > 0)[1]

    number, classes = tf.TensorSpec([], tf.float32), tf.TensorSpec([None], tf.int64)
    types = [image_type(model), classes, tf.TensorSpec([None], tf.int32), number, number]
    return compiled(attack, *types)


def _leads_of_others(logits: Tensor, classes: Tensor) -> Tensor:
    """How far each of the other classes is ahead of the true one: [n, classes − 1]."""
    others = tf.gather(logits, other_classes(classes, logits.shape[1]), batch_dims=1)
    return others - own(logits, classes)[:, None]


def _lead_of_target(logits: Tensor, classes: Tensor) -> Tensor:
    """How far the target is ahead of all others: [n, 1]."""
    return -tf.reduce_max(_leads_of_others(logits, classes), axis=1, keepdims=True)


def _to_nearest(x: Tensor, leads: Tensor) -> Tensor:
    """The shortest change after which one of `leads` [n, m], made from `x`, would be just above 0.

    One backward pass for each of them shares the forward pass; two of them run at a time.
    """
    slopes = tf.stack([tf.gradients(lead, x)[0] for lead in tf.unstack(leads, axis=1)], axis=1)
    squares = tf.reduce_sum(slopes**2, axis=(2, 3, 4)) + _TINY
    missing = 2 * CLEAR - leads  # beyond what counts as there, not to creep up on it
    nearest = tf.argmin(missing / tf.sqrt(squares), axis=1)
    slope, size = (tf.gather(each, nearest, batch_dims=1) for each in (slopes, missing / squares))
    return as_pixels(size) * slope
