"""A network with some of its channels switched off or scaled."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.arrays import FloatArray, Tensor, check_images
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_range, check_seed
from core.inspection.feature_maps import Convolution, channel_arithmetic, convolutions
from core.network.classifier import Classifier, image_type, in_batches
from core.network.model import assign_weights, named_weights
from core.network.stages.table import stage_of

MAX_FACTOR = 2.0
Factors = Mapping[str, npt.ArrayLike]


def scale_channels(classifier: Classifier, images: FloatArray, factors: Factors) -> FloatArray:
    """Logits float32 [n, classes] with every channel multiplied after its ReLU.

    factors: convolution → one number in [0, 2] for each channel, 0 switches it off; convolutions
    that are left out stay as they are. Images are float32 [n, h, w, c] in [0, 1], n ≥ 1. One
    compiled function serves all factors. Raises ValueError on other layers, counts and ranges.
    """
    check_images(images, classifier.spec.shape)
    found = convolutions(classifier.model)
    tensors = [tf.constant(each) for each in _checked(found, factors).values()]
    compiled = classifier.compiled("surgery", lambda model: _compile(model, found))
    logits: FloatArray = in_batches(lambda batch: compiled(batch, *tensors), images)
    return logits


def edited_classifier(classifier: Classifier, factors: Factors, *, name: str) -> Classifier:
    """A classifier of its own whose weights have the factors in them, with the same logits.

    A factor of at least 0 commutes with the ReLU, so it goes into kernel and bias or, where batch
    normalization follows, into its scale and offset. Raises ValueError like `scale_channels`.
    """
    found = convolutions(classifier.model)
    checked = _checked(found, factors)
    weights = named_weights(classifier.model)
    for each in found:
        for own in stage_of(classifier.model.get_layer(each.before)).per_channel:
            variable = f"{each.before}/{own}"
            weights[variable] = weights[variable] * checked[each.name]
    model = keras.models.clone_model(classifier.model)
    assign_weights(model, weights)
    return Classifier(model, name=name, spec=classifier.spec)


def shuffled(factors: Factors, *, seed: int) -> dict[str, FloatArray]:
    """The same factors on random channels of the same convolutions: the control of an edit."""
    seed = check_seed(seed)
    random = np.random.default_rng(seed)
    return {name: random.permutation(np.asarray(f, np.float32)) for name, f in factors.items()}


def _checked(found: list[Convolution], factors: Factors) -> dict[str, FloatArray]:
    """Factors float32 [channels] for every convolution, 1 where none are given."""
    for name in factors:
        check_choice("The convolution", name, tuple(each.name for each in found))
    complete = {}
    for each in found:
        given = np.asarray(factors.get(each.name, np.ones(each.channels)), np.float32)
        if given.shape != (each.channels,):
            raise ValueError(
                f"{each.name} has {each.channels} channels, but {given.size} factors are given: "
                "give one for each."
            )
        for factor in (given.min(), given.max()):
            check_range("A channel's factor", float(factor), 0, MAX_FACTOR)
        complete[each.name] = given
    return complete


def _compile(model: keras.Model, found: list[Convolution]) -> Any:
    """Logits of images and factors, batch normalization and factors inside each convolution."""
    convolved = {each.name: _scaled(model, each) for each in found}
    merged = {name for each in found for name in (each.before, each.after)} - set(convolved)

    def logits(images: Tensor, *factors: Tensor) -> Tensor:
        x, remaining = images, iter(factors)
        for layer in model.layers[1:]:
            if layer.name in convolved:
                x = convolved[layer.name](x, next(remaining))
            elif layer.name not in merged:
                x = layer(x, training=False)
        return x

    signature = [image_type(model), *(tf.TensorSpec([each.channels], tf.float32) for each in found)]
    return compiled(logits, *signature)


def _scaled(model: keras.Model, convolution: Convolution) -> Any:
    """A convolution up to and with its ReLU, of maps and factors."""
    arithmetic = channel_arithmetic(model, convolution)
    stage = stage_of(model.get_layer(convolution.name))
    scaled = stage.scaled(arithmetic.scale, arithmetic.shift)
    return lambda maps, factors: tf.nn.relu(scaled(maps, factors))
