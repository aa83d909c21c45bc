"""How the networks of the generative defenses are trained, by python -m core.zoo."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor, to_float
from core.backend import keras, tf
from core.data.mnist import load_mnist
from core.data.spec import MNIST
from core.defenses.autoencoder import Autoencoder, build_autoencoder
from core.defenses.generative_file import NetworkCard, digest_of, path_of, save
from core.defenses.generator import Generator, build_decoder, build_encoder
from core.network.model import named_weights
from core.training.augmentation import stateless_seed

HELD_BACK = 5_000  # the last training images: no step sees them
_LOGGED = 100  # steps between two lines of the log


@dataclass(frozen=True)
class GenerativeSettings:
    """Adam with a cosine to 0 over `epochs`; the seed orders images, weights and draws.

    noise: the autoencoder's images get normal noise whose standard deviation is drawn up to this.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    noise: float = 0.0
    seed: int = 1

    @property
    def steps(self) -> int:
        """All optimizer steps."""
        return self.epochs * ((MNIST.training_images - HELD_BACK) // self.batch_size)


AUTOENCODER = GenerativeSettings(epochs=4, noise=0.4)
GENERATOR = GenerativeSettings(epochs=30)

Losses = Callable[[Tensor, Tensor], Tensor]


def train_and_save(name: str) -> NetworkCard:
    """Train the network `name` and write its file; prints a log."""
    settings = {"autoencoder": AUTOENCODER, "generator": GENERATOR}[name]
    started, dataset = time.process_time(), load_mnist()
    images = to_float(dataset.train.images)
    train = train_autoencoder if name == "autoencoder" else train_generator
    network: Autoencoder | Generator = train(images[:-HELD_BACK], settings)
    held_back, test = images[-HELD_BACK:], to_float(dataset.test.images)
    if isinstance(network, Generator):
        network = network.ordered(held_back)
    weights = {
        name: array for part in network.models for name, array in named_weights(part).items()
    }
    card = NetworkCard(
        name=name,
        settings=asdict(settings),
        seconds=round(time.process_time() - started, 1),
        error=float(network.reconstruction_error(test).mean()),
        test_images=len(test),
        version=digest_of(weights),
        data_digest=dataset.digest,
        kl=tuple(map(float, network.kl(held_back))) if isinstance(network, Generator) else (),
    )
    save(path_of(name), weights, card)
    print(card)
    return card


def train_autoencoder(images: FloatArray, settings: GenerativeSettings) -> Autoencoder:
    """Gives clean images [n, 28, 28, 1] back from noisy ones: cross-entropy of each pixel.

    MagNet (Meng & Chen 2017, arXiv:1705.09064), with noise of many strengths instead of one.
    """
    model = build_autoencoder(seed=settings.seed)

    def losses(images: Tensor, seed: Tensor) -> Tensor:
        size = settings.noise * tf.random.stateless_uniform(
            [tf.shape(images)[0], 1, 1, 1], stateless_seed(seed, 1)
        )
        noise = tf.random.stateless_normal(tf.shape(images), stateless_seed(seed, 2))
        noisy = tf.clip_by_value(images + size * noise, 0.0, 1.0)
        return _pixel_loss(images, model(noisy, training=True))

    _train(losses, model.trainable_variables, images, settings)
    return Autoencoder(model)


def train_generator(images: FloatArray, settings: GenerativeSettings) -> Generator:
    """A variational autoencoder of images [n, 28, 28, 1]: pixel cross-entropy plus divergence.

    Kingma & Welling (2013), arXiv:1312.6114.
    """
    encoder, decoder = build_encoder(seed=settings.seed), build_decoder(seed=settings.seed + 1)

    def losses(images: Tensor, seed: Tensor) -> Tensor:
        mean, log_variance = tf.split(encoder(images, training=True), 2, axis=1)
        draw = tf.random.stateless_normal(tf.shape(mean), stateless_seed(seed, 1))
        decoded = decoder(mean + tf.exp(log_variance / 2) * draw, training=True)
        divergence = (mean**2 + tf.exp(log_variance) - 1 - log_variance) / 2
        return _pixel_loss(images, decoded) + tf.reduce_sum(divergence, axis=1)

    variables = encoder.trainable_variables + decoder.trainable_variables
    _train(losses, variables, images, settings)
    return Generator(encoder, decoder)


def _pixel_loss(images: Tensor, made: Tensor) -> Tensor:
    """Nats of all pixels of an image, each read as the probability of ink: [n]."""
    made = tf.clip_by_value(made, 1e-6, 1 - 1e-6)
    nats = images * tf.math.log(made) + (1 - images) * tf.math.log(1 - made)
    return -tf.reduce_sum(nats, axis=(1, 2, 3))


def _train(
    losses: Losses, variables: Tensor, images: FloatArray, settings: GenerativeSettings
) -> None:
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(settings.learning_rate, settings.steps)
    )
    optimizer.build(variables)

    def step(batch: Tensor, number: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(losses(batch, (settings.seed, number)))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    compiled = tf.function(step, autograph=False, reduce_retracing=True)
    for number, rows in enumerate(_batches(len(images), settings), 1):
        loss = compiled(tf.constant(images[rows]), tf.constant(number))
        if number % _LOGGED == 0:
            print(f"step {number:6,d} of {settings.steps:,}  loss {float(loss):.2f}", flush=True)


def _batches(count: int, settings: GenerativeSettings) -> Iterator[IntArray]:
    for epoch in range(settings.epochs):
        order = np.random.default_rng((settings.seed, epoch)).permutation(count)
        for start in range(0, count - settings.batch_size + 1, settings.batch_size):
            yield order[start : start + settings.batch_size]
