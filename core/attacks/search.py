"""What attacks share that look for the smallest change: recorded loops in graphs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor
from core.attacks.goals import Goal
from core.backend import tf
from core.network.classifier import Classifier, in_batches

CLEAR = 1e-4  # logits: what is rounded otherwise in a batch of another size undoes no success
_BATCH = 64
_FRAMES = 100  # recorded at most


def recorded_steps(iterations: int, *, record: bool) -> IntArray:
    """The steps behind which an image is kept: up to 100, evenly, the last always; or only that."""
    every = -(-iterations // _FRAMES) if record else iterations
    steps: IntArray = np.unique(np.append(np.arange(every, iterations, every), iterations))
    return steps.astype(np.int32)


def search(
    compiled: Any,
    classifier: Classifier,
    images: FloatArray,
    goal: Goal,
    steps: IntArray,
    *numbers: float,
) -> tuple[FloatArray, FloatArray]:
    """What is found for each image, and the images behind each of `steps`: [k, n, h, w, c].

    compiled: images, classes, the goal's sign, steps and numbers to [n, k, h, w, c], in the last
    place what was found. It sees no image that is at the goal already: that one stays as it is.
    """
    frames = np.repeat(images[None], len(steps), axis=0)
    rows = np.flatnonzero(~goal.reached(classifier.logits(images)))
    if len(rows):
        given = [tf.constant(number, tf.float32) for number in (goal.sign, *numbers)]
        found = in_batches(
            lambda batch, classes: compiled(batch, classes, tf.constant(steps), *given),
            images[rows], goal.classes[rows], batch=_BATCH,
        )  # fmt: skip
        frames[:, rows] = np.moveaxis(found, 1, 0)
    return frames[-1], frames


def iterate(
    one_step: Callable[[Any], Any],
    state: Any,
    steps: Tensor,
    going: Callable[[Any], Any] = lambda state: True,
) -> tuple[Tensor, Tensor]:
    """In graphs: the state behind the last of `steps`, and its x behind each: [n, k, h, w, c].

    A state has the fields `step` and `x`; nothing is computed any more when it is not `going`.
    """
    count = tf.size(steps)

    def to_next_frame(frame: Tensor, state: Any, frames: Tensor) -> Any:
        (state,) = tf.while_loop(
            lambda state: tf.logical_and(state.step < steps[frame], going(state)),
            lambda state: (one_step(state),),
            (state,),
        )
        return frame + 1, state, frames.write(frame, state.x)

    frames = tf.TensorArray(tf.float32, count, element_shape=state.x.shape)
    _, state, frames = tf.while_loop(
        lambda frame, *_: frame < count, to_next_frame, (tf.constant(0), state, frames)
    )
    return state, tf.transpose(frames.stack(), [1, 0, 2, 3, 4])


def with_last(frames: Tensor, found: Tensor) -> Tensor:
    """In graphs: frames [n, k, h, w, c] with `found` in the place of the last."""
    return tf.concat([frames[:, :-1], found[:, None]], axis=1)


def as_pixels(each: Tensor) -> Tensor:
    """In graphs: one number for each image, to stand beside [n, h, w, c]."""
    return each[:, None, None, None]


def squared_length(change: Tensor) -> Tensor:
    """In graphs: ‖change‖² of each image: [n]."""
    return tf.reduce_sum(change**2, axis=(1, 2, 3))
