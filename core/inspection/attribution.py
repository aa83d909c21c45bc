"""Which pixels raise or lower the logit of a class: maps, all signed.

Nothing is scaled, clipped or made absolute. The target is the logit, not the probability, which
stands still where the network is sure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor, check_classes, check_images
from core.backend import compiled, keras, tf
from core.checks import check_range, check_seed, check_switch, check_whole
from core.data.fills import fill_images
from core.network.classifier import Classifier, image_type, in_batches
from core.network.forward import forward
from core.network.model import assign_weights, named_weights
from core.network.stages.table import stages_of

MAX_STEPS = 256
MAX_SAMPLES = 256
_CLASSES = tf.TensorSpec([None], tf.int64)
_BATCH = 32
_MAX_COPIES = 2_000  # varied copies held at once: 6 MB


@dataclass(frozen=True, eq=False)
class Attribution:
    """Float32 `values` [n, side, side], positive where a pixel speaks for the class.

    A pixel of colors has the sum over its channels.
    completeness_gap float32 [n], in logits: the sum of the values minus (logit of the image −
    logit of the baseline); None for methods that promise no sum.
    """

    values: FloatArray
    completeness_gap: FloatArray | None = None


def gradient(classifier: Classifier, images: FloatArray, classes: IntArray) -> Attribution:
    """By how much the logit rises per unit of a pixel, where the image is.

    images float32 [n, h, w, c] in [0, 1], classes int [n]. Raises ValueError on others.
    Simonyan et al. (2013), arXiv:1312.6034, here with its sign.
    """
    classes = _checked(classifier, images, classes)
    return Attribution(_by_pixel(_gradients(classifier, images, classes)))


def gradient_times_input(
    classifier: Classifier, images: FloatArray, classes: IntArray
) -> Attribution:
    """The gradient times the ink, in logits: what the logit would lose if it were linear.

    Arguments and errors as of `gradient`. Shrikumar et al. (2017), arXiv:1704.02685.
    """
    classes = _checked(classifier, images, classes)
    return Attribution(_by_pixel(images * _gradients(classifier, images, classes)))


def integrated_gradients(
    classifier: Classifier,
    images: FloatArray,
    classes: IntArray,
    *,
    baseline: str | float | FloatArray = "black",
    steps: int = 64,
) -> Attribution:
    """The mean gradient on the straight path from the baseline to the image, times the path.

    In logits; the values sum to the logit's rise from baseline to image, up to the
    `completeness_gap` of the midpoint rule with `steps` (1 to 256) points. `baseline`: a name of
    core.data.fills, a number in [0, 1], or pixels that broadcast to `images`. Arguments and errors
    as of `gradient`. Sundararajan et al. (2017), arXiv:1703.01365.
    """
    classes = _checked(classifier, images, classes)
    steps = check_whole("The number of steps", steps, 1, MAX_STEPS)
    begin = (
        fill_images(baseline, images, spec=classifier.spec)
        if isinstance(baseline, str)
        else baseline
    )
    start = np.broadcast_to(np.asarray(begin, np.float32), images.shape)
    check_images(start, classifier.spec.shape)
    path = images - start
    shares = ((np.arange(steps, dtype=np.float32) + np.float32(0.5)) / np.float32(steps))[
        :, None, None, None
    ]
    mean = _mean_gradients(
        classifier, classes, steps, lambda part: start[part, None] + shares * path[part, None]
    )
    values = _by_pixel(path * mean)
    logits = classifier.logits(np.concatenate([images, start]))
    ends = np.take_along_axis(logits, np.tile(classes, 2)[:, None], axis=1)[:, 0]
    rise = ends[: len(images)] - ends[len(images) :]
    return Attribution(values, values.sum(axis=(1, 2)) - rise)


def smooth_grad(
    classifier: Classifier,
    images: FloatArray,
    classes: IntArray,
    *,
    noise: float = 0.15,
    samples: int = 50,
    seed: int = 0,
) -> Attribution:
    """The mean of the signed gradients at `samples` (1 to 256) noisy copies of each image.

    `noise` is the standard deviation of the Gaussian, 0 to 1 of a full pixel; copies are not
    clipped. Every image meets the same draws, by `seed`. Arguments and errors as of
    `gradient`. Smilkov et al. (2017), arXiv:1706.03825.
    """
    seed = check_seed(seed)
    classes = _checked(classifier, images, classes)
    samples = check_whole("The number of samples", samples, 1, MAX_SAMPLES)
    check_range("The noise", noise, 0, 1)
    draws = np.random.default_rng(seed).standard_normal((samples, *images.shape[1:]), np.float32)
    draws *= np.float32(noise)
    mean = _mean_gradients(classifier, classes, samples, lambda part: images[part, None] + draws)
    return Attribution(_by_pixel(mean))


def grad_cam(
    classifier: Classifier, images: FloatArray, classes: IntArray, *, signed: bool = False
) -> Attribution:
    """The last convolution's maps, each weighted by the mean gradient of the logit at it, summed.

    Bilinear from the maps' size to the image's, and not scaled. As published only what is positive
    stays, so that it can be blank: where the weighted maps are negative everywhere. `signed`
    keeps both signs. Arguments and errors as of `gradient`. Selvaraju et al. (2016),
    arXiv:1610.02391.
    """
    classes = _checked(classifier, images, classes)
    check_switch("Whether both signs are kept", signed)
    compiled = classifier.compiled("attribution/grad_cam", _compile_grad_cam)
    coarse: FloatArray = in_batches(compiled, images, classes, batch=_BATCH)
    if not signed:
        coarse = np.maximum(coarse, 0)
    rows = columns = _bilinear(coarse.shape[1], images.shape[1])
    return Attribution(np.einsum("yi,nij,xj->nyx", rows, coarse, columns).astype(np.float32))


def last_maps(model: keras.Model) -> str:
    """The layer that Grad-CAM reads: the last that puts out maps, before they are pooled."""
    names = [
        stage.name
        for stage in stages_of(model)[1:]
        if len(stage.layer.output.shape) == 4 and not stage.pools
    ]
    if not names:
        raise ValueError("The model has no convolution, and Grad-CAM needs one: choose another.")
    return str(names[-1])


def randomize_last_layer(classifier: Classifier, *, seed: int = 0) -> Classifier:
    """The same network with its last layer drawn anew, as if never trained.

    Weights are Glorot uniform by `seed`, biases 0. A map that does not change with them does not
    show what the network has learned there. Adebayo et al. (2018), arXiv:1810.03292.
    """
    seed = check_seed(seed)
    model = keras.models.clone_model(classifier.model)
    assign_weights(model, named_weights(classifier.model))
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    shape = tuple(last.kernel.shape)
    limit = np.sqrt(6 / sum(shape))
    last.kernel.assign(np.random.default_rng(seed).uniform(-limit, limit, shape))
    last.bias.assign(np.zeros(shape[-1]))
    name = f"{classifier.name}, last layer random"
    return Classifier(model, name=name, spec=classifier.spec)


def _checked(classifier: Classifier, images: FloatArray, classes: IntArray) -> IntArray:
    check_images(images, classifier.spec.shape)
    return check_classes(classes, len(images), len(classifier.spec.classes))


def _compile_gradient(model: keras.Model) -> Any:
    logits_of = forward(model)

    def logit_gradient(images: Tensor, classes: Tensor) -> Tensor:
        logits = tf.gather(logits_of(images), classes, batch_dims=1)
        return tf.gradients(logits, images)[0]

    return compiled(logit_gradient, image_type(model), _CLASSES)


def _compile_grad_cam(model: keras.Model) -> Any:
    both = keras.Model(model.inputs, [model.get_layer(last_maps(model)).output, model.output])

    def weighted_maps(images: Tensor, classes: Tensor) -> Tensor:
        maps, logits = both(images, training=False)
        gradients = tf.gradients(tf.gather(logits, classes, batch_dims=1), maps)[0]
        weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
        return tf.reduce_sum(weights * maps, axis=-1)

    return compiled(weighted_maps, image_type(model), _CLASSES)


def _gradients(classifier: Classifier, images: FloatArray, classes: IntArray) -> FloatArray:
    """Gradients float32, as the images, of each image's logit, at pixels that may leave [0, 1]."""
    compiled = classifier.compiled("attribution/gradient", _compile_gradient)
    gradients: FloatArray = in_batches(compiled, images, classes, batch=_BATCH)
    return gradients


def _mean_gradients(
    classifier: Classifier,
    classes: IntArray,
    count: int,
    copies: Callable[[slice], FloatArray],
) -> FloatArray:
    """The mean over `count` copies [part, count, …] of each image, some images at once."""
    together = max(1, _MAX_COPIES // count)
    shape = classifier.spec.shape
    means = [np.zeros((0, *shape), np.float32)]
    for start in range(0, len(classes), together):
        part = slice(start, start + together)
        varied = copies(part)
        gradients = _gradients(
            classifier, varied.reshape(-1, *shape), np.repeat(classes[part], count)
        )
        means.append(gradients.reshape(varied.shape).mean(axis=1))
    return np.concatenate(means)


def _by_pixel(values: FloatArray) -> FloatArray:
    """Values [n, side, side, channels] summed over the channels; of one channel as they are."""
    summed: FloatArray = values[..., 0] if values.shape[-1] == 1 else values.sum(axis=-1)
    return summed


def _bilinear(size: int, side: int) -> FloatArray:
    """The matrix [side, size] that interpolates `size` evenly spaced values, flat at the ends."""
    centers = (np.arange(side) + 0.5) * size / side - 0.5
    return np.stack(
        [np.interp(centers, np.arange(size), unit) for unit in np.eye(size)], axis=1
    ).astype(np.float32)
