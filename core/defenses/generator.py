"""A generator of digits: the decoder of a variational autoencoder, and its encoder.

Kingma & Welling (2013), arXiv:1312.6114.
"""

import functools
import math
from typing import Any

import numpy as np

from core.arrays import FloatArray, Tensor, check_images
from core.backend import compiled, keras, tf
from core.checks import check_seed, check_whole
from core.data.spec import MNIST
from core.defenses.generative_file import NetworkCard, digest_of, path_of, read
from core.network.classifier import image_type, in_batches
from core.network.forward import forward
from core.network.model import assign_weights, named_weights

LATENT = 16
_HIDDEN = 256


def build_encoder(*, seed: int = 0) -> keras.Model:
    """An untrained network: images to mean and log variance of the latent numbers, [n, 32]."""
    seed = check_seed(seed)
    layers = keras.layers
    x = inputs = keras.Input(MNIST.shape, name="image")
    x = layers.Flatten(name="encoder_flatten")(x)
    x = _dense(_HIDDEN, 10 * seed, "encoder_dense")(x)
    x = layers.ReLU(name="encoder_relu")(x)
    return keras.Model(inputs, _dense(2 * LATENT, 10 * seed + 1, "encoder_latent")(x))


def build_decoder(*, seed: int = 0) -> keras.Model:
    """An untrained network: latent numbers [n, 16] to images [n, 28, 28, 1] in [0, 1]."""
    seed = check_seed(seed)
    layers = keras.layers
    x = inputs = keras.Input((LATENT,), name="latent")
    x = layers.ReLU(name="decoder_relu")(_dense(_HIDDEN, 10 * seed, "decoder_dense")(x))
    x = _dense(math.prod(MNIST.shape), 10 * seed + 1, "decoder_pixels")(x)
    x = layers.Activation("sigmoid", name="decoder_ink")(x)
    return keras.Model(inputs, layers.Reshape(MNIST.shape, name="decoder_image")(x))


def _dense(units: int, seed: int, name: str) -> keras.Layer:
    start = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, kernel_initializer=start, name=name)


class Generator:
    """A trained encoder and decoder that answer with NumPy arrays.

    version: a digest of the weights. In graphs: `mean_of(images)` [n, 16] and `decode(latent)`
    [n, 28, 28, 1].
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model) -> None:
        self.models = (encoder, decoder)
        self.version = digest_of(named_weights(encoder) | named_weights(decoder))
        self.decode, self._encode = forward(decoder), forward(encoder)
        self._compiled: dict[str, Any] = {}

    def mean_of(self, images: Tensor) -> Tensor:
        """In graphs: the middle of what the encoder believes, [n, 16]."""
        return self._encode(images)[:, :LATENT]

    def tangents(self, latent: Tensor) -> Tensor:
        """In graphs: how each pixel rises with each latent number, [n, 16, pixels]."""
        first, last = (
            self.models[1].get_layer(name) for name in ("decoder_dense", "decoder_pixels")
        )
        inner = latent @ tf.convert_to_tensor(first.kernel) + first.bias
        alive = tf.cast(inner > 0, tf.float32)[:, None] * tf.convert_to_tensor(first.kernel)
        ink = tf.reshape(self.decode(latent), [-1, 1, math.prod(MNIST.shape)])
        slope = ink * (1 - ink)  # of the sigmoid
        return tf.einsum("nlh,hp->nlp", alive, tf.convert_to_tensor(last.kernel)) * slope

    def encode(self, images: FloatArray) -> FloatArray:
        """Latent numbers float32 [n, 16], the encoder's mean, of images [n, 28, 28, 1]."""
        return self._moments(images)[:, :LATENT]

    def images(self, latent: FloatArray) -> FloatArray:
        """The images float32 [n, 28, 28, 1] in [0, 1] of latent numbers float32 [n, 16]."""
        if latent.ndim != 2 or latent.shape[1] != LATENT or not np.isfinite(latent).all():
            raise ValueError(
                f"Latent numbers are {list(latent.shape)}: give {LATENT} finite ones an image."
            )
        if not len(latent):
            return np.zeros((0, *MNIST.shape), np.float32)
        codes = tf.TensorSpec([None, LATENT], tf.float32)
        decoded = self.compiled("decoded", lambda: compiled(self.decode, codes))
        made: FloatArray = in_batches(decoded, latent.astype(np.float32))
        return made

    def sample(self, count: int, *, seed: int = 0) -> FloatArray:
        """Images of `count` (1 to 400) normal draws of the latent numbers."""
        count = check_whole("The number of samples", count, 1, 400)
        check_seed(seed)
        draws = np.random.default_rng(seed).standard_normal((count, LATENT))
        return self.images(draws.astype(np.float32))

    def reconstruction_error(self, images: FloatArray) -> FloatArray:
        """The mean squared difference of a pixel to the decoded code: float32 [n]."""
        made = self.images(self.encode(images))
        error: FloatArray = ((made - images) ** 2).mean(axis=(1, 2, 3), dtype=np.float32)
        return error

    def kl(self, images: FloatArray) -> FloatArray:
        """How many nats each latent number says of an image, mean over images: [16]."""
        moments = self._moments(images)
        mean, log_variance = moments[:, :LATENT], moments[:, LATENT:]
        nats: FloatArray = ((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(axis=0)
        return nats

    def ordered(self, images: FloatArray) -> "Generator":
        """The same generator, its latent numbers by how much they say of images, most first."""
        order = np.argsort(-self.kl(images))
        encoder, decoder = build_encoder(), build_decoder()
        own = {name: array for model in self.models for name, array in named_weights(model).items()}
        both = np.append(order, LATENT + order)
        for kind in ("kernel", "bias"):
            own[f"encoder_latent/{kind}"] = own[f"encoder_latent/{kind}"][..., both]
        own["decoder_dense/kernel"] = own["decoder_dense/kernel"][order]
        assign_weights(encoder, own)
        assign_weights(decoder, own)
        return Generator(encoder, decoder)

    def compiled(self, name: str, build: Any) -> Any:
        """What `build()` returns, made once under `name`."""
        if name not in self._compiled:
            self._compiled[name] = build()
        return self._compiled[name]

    def _moments(self, images: FloatArray) -> FloatArray:
        check_images(images, MNIST.shape)
        if not len(images):
            return np.zeros((0, 2 * LATENT), np.float32)
        encoded = self.compiled(
            "encoded", lambda: compiled(self._encode, image_type(self.models[0]))
        )
        moments: FloatArray = in_batches(encoded, images)
        return moments


@functools.cache
def generator() -> Generator:
    """The shipped generator, one for the process. ValueError if its file is unusable."""
    return _read()[0]


@functools.cache
def generator_card() -> NetworkCard:
    """How the shipped generator was trained, and what its latent numbers say."""
    return _read()[1]


def _read() -> tuple[Generator, NetworkCard]:
    encoder, decoder = build_encoder(), build_decoder()
    own = named_weights(encoder) | named_weights(decoder)
    weights, card = read(path_of("generator"), {name: array.shape for name, array in own.items()})
    assign_weights(encoder, weights)
    assign_weights(decoder, weights)
    return Generator(encoder, decoder), card
