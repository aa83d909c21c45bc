"""A denoising autoencoder in front of a network: MagNet's reformer.

Meng & Chen (2017), arXiv:1705.09064. What an attack has added is noise to it, and is left out.
"""

import functools
from typing import Any

import numpy as np

from core.arrays import FloatArray, check_images
from core.backend import compiled, keras
from core.checks import check_seed
from core.data.spec import MNIST
from core.defenses.filters import EXACT, PLAIN, InFront, Mode
from core.defenses.generative_file import digest_of, path_of, read
from core.network.classifier import image_type, in_batches
from core.network.forward import forward
from core.network.model import assign_weights, named_weights

_FILTERS = 32
_CODE = 8  # channels of 7 × 7: half as many numbers as there are pixels


def build_autoencoder(*, seed: int = 0) -> keras.Model:
    """An untrained network [n, 28, 28, 1] → 7 × 7 × 8 → [n, 28, 28, 1] in [0, 1]."""
    seed = check_seed(seed)
    layers, seeds = keras.layers, iter(range(100 * seed, 100 * seed + 100))

    def convolution(x: Any, filters: int, size: int, name: str, stride: int = 1) -> Any:
        start = keras.initializers.HeNormal(seed=next(seeds))
        layer = layers.Conv2D(filters, size, stride, "same", kernel_initializer=start, name=name)
        return layer(x)

    x = inputs = keras.Input(MNIST.shape, name="image")
    x = layers.ReLU(name="relu1")(convolution(x, _FILTERS, 4, "down1", stride=2))
    x = layers.ReLU(name="relu2")(convolution(x, _FILTERS, 4, "down2", stride=2))
    x = convolution(x, _CODE, 3, "code")
    x = layers.ReLU(name="relu3")(convolution(x, _FILTERS, 3, "up1"))
    x = layers.UpSampling2D(2, name="wide1")(x)
    x = layers.ReLU(name="relu4")(convolution(x, _FILTERS, 3, "up2"))
    x = layers.UpSampling2D(2, name="wide2")(x)
    x = layers.Activation("sigmoid", name="pixels")(convolution(x, 1, 3, "up3"))
    return keras.Model(inputs, x)


class Autoencoder:
    """A trained autoencoder; a part of a defense whose gradient is exact.

    identity: all that its answers follow from, its key and a digest of its weights.
    """

    key = "autoencoder"
    title = "Autoencoder"
    gradient = EXACT
    trained_on = MNIST
    looks = 2.0  # what an image through it costs, in images through Model 1; measured once

    def __init__(self, model: keras.Model) -> None:
        self.models = (model,)
        self.identity = f"{self.key} {digest_of(named_weights(model))}"
        self._run = forward(model)

    @functools.cached_property
    def _compiled(self) -> Any:
        return compiled(self._run, image_type(self.models[0]))

    def layer(self, mode: Mode = PLAIN) -> keras.Layer:
        """A layer [n, 28, 28, 1] → [n, 28, 28, 1]."""
        return InFront(self._run, name=self.key)

    def __call__(self, images: FloatArray) -> FloatArray:
        """The images float32 [n, 28, 28, 1] as it gives them back, in [0, 1]."""
        check_images(images, MNIST.shape)
        if not len(images):
            return images.copy()
        made: FloatArray = in_batches(self._compiled, images)
        return made

    def reconstruction_error(self, images: FloatArray) -> FloatArray:
        """The mean squared difference of a pixel to what comes back: float32 [n]."""
        error: FloatArray = ((self(images) - images) ** 2).mean(axis=(1, 2, 3), dtype=np.float32)
        return error


@functools.cache
def autoencoder() -> Autoencoder:
    """The shipped autoencoder, one for the process. ValueError if its file is unusable."""
    model = build_autoencoder()
    shapes = {name: array.shape for name, array in named_weights(model).items()}
    weights, _ = read(path_of(Autoencoder.key), shapes)
    assign_weights(model, weights)
    return Autoencoder(model)
