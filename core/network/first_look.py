"""One look at a network before it is admitted: finite weights can give answers that are not."""

import numpy as np

from core.arrays import FloatArray
from core.backend import keras, tf

LARGEST = 1e12  # of a logit or its gradient: sums of squares of such stay finite in float32
_ADVICE = "upload a model that learned"


def check_answers(model: keras.Model) -> None:
    """Raise ValueError with one sentence unless the model answers images with usable numbers.

    No variance may be negative, nothing in the network or its gradients may overflow whatever the
    image in [0, 1], and on a batch of blank and noisy images all logits and gradients must lie
    within 1e12.
    """
    for variable in model.weights:
        if variable.name == "moving_variance" and variable.numpy().min() < 0:
            raise ValueError(f"The weights {variable.path} hold a negative variance: {_ADVICE}.")
    if not np.isfinite(_bound(model)):
        raise ValueError(f"The weights are so large that the network can overflow: {_ADVICE}.")
    for what, values in zip(("logits", "gradients"), _answers(model), strict=True):
        if not np.abs(values).max() <= LARGEST:
            raise ValueError(f"The network's {what} go beyond {LARGEST:g}: {_ADVICE}.")


def _bound(model: keras.Model) -> float:
    """What no logit, no value on the way and no logit's gradient exceeds; inf or NaN if none holds.

    A white image in the network of the weights' magnitudes: there nothing cancels.
    """
    weights = model.get_weights()
    signs = [-1 if variable.name == "moving_mean" else 1 for variable in model.weights]
    model.set_weights([sign * np.abs(w) for sign, w in zip(signs, weights, strict=True)])
    try:
        return float(model(tf.ones((1, *model.input_shape[1:])), training=False).numpy().max())
    finally:
        model.set_weights(weights)


def _answers(model: keras.Model) -> tuple[FloatArray, FloatArray]:
    """Logits of the batch, and the gradients of each image's largest."""
    shape = model.input_shape[1:]
    noise = np.random.default_rng(0).random((8, *shape))
    blank = np.broadcast_to(np.reshape([0, 0.5, 1], (3, 1, 1, 1)), (3, *shape))
    images = tf.constant(np.concatenate([blank, noise, noise > 0.5]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = model(images, training=False)
        largest = tf.reduce_max(logits, axis=1)
    return logits.numpy(), tape.gradient(largest, images).numpy()
