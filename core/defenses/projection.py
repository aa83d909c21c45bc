"""Projection on what a generator can draw: Defense-GAN in front of a network.

Samangouei et al. (2018), arXiv:1805.06605. An image is exchanged for the nearest one that the
generator makes, found by gradient descent on its latent numbers from several starts.
"""

import functools
import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from core.arrays import FloatArray, Tensor, check_image, check_images
from core.backend import compiled, keras, tf
from core.checks import check_choice, check_whole
from core.data.spec import MNIST, DatasetSpec
from core.defenses.filters import PLAIN, STAND_INS, STRAIGHT_THROUGH, InFront, Mode
from core.defenses.generator import LATENT, Generator, generator
from core.network.classifier import Classifier, in_batches
from core.optimization.engine import Trajectory

MAX_ITERATIONS, MAX_RESTARTS = 200, 10
LEARNING_RATE = 0.2
_DAMPING = 1.0
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Kingma & Ba (2014), arXiv:1412.6980
_STARTS = np.random.default_rng(0).standard_normal((MAX_RESTARTS - 1, LATENT)).astype(np.float32)
_COUNT = tf.TensorSpec([], tf.int32)
_TYPES = [tf.TensorSpec([None, *MNIST.shape], tf.float32), _COUNT, _COUNT]
_BATCH = 100
_STEPS_A_LOOK = 10  # steps of descent, each down the generator and up, that Model 1's pass costs


class Descent(NamedTuple):
    """Latent numbers float32 [..., restarts, n, 16] and ‖G(z) − x‖² float32 [..., restarts, n]."""

    latent: Tensor
    distance: Tensor


@dataclass(frozen=True)
class Projection:
    """The nearest image that the generator makes; a part of a defense.

    iterations (1 to 200) of Adam at 0.2 from each of restarts (1 to 10): the encoder's mean, then
    normal draws, the same for every image, so that the answer is always the same. It has no useful
    derivative: the stand-ins are the identity, the generator's tangent space ("smooth"), or none.
    """

    iterations: int = 60
    restarts: int = 4

    def __post_init__(self) -> None:
        _check(self.iterations, self.restarts)
        object.__setattr__(self, "iterations", int(self.iterations))
        object.__setattr__(self, "restarts", int(self.restarts))

    @property
    def key(self) -> str:
        """The projection in links, such as projection-60x4."""
        return f"projection-{self.iterations}x{self.restarts}"

    @property
    def identity(self) -> str:
        """All that the projection's answers follow from: its counts and the generator."""
        return f"{self.key} {generator().version}"

    @property
    def looks(self) -> float:
        """What an image through it costs, in images through Model 1: ten steps are one look."""
        return self.iterations * self.restarts / _STEPS_A_LOOK

    @property
    def title(self) -> str:
        """The projection on screen, such as Projection 60 × 4."""
        return f"Projection {self.iterations} × {self.restarts}"

    @property
    def trained_on(self) -> DatasetSpec | None:
        """MNIST, as its generator."""
        return MNIST

    @property
    def gradient(self) -> str:
        """STRAIGHT_THROUGH."""
        return STRAIGHT_THROUGH

    def layer(self, mode: Mode = PLAIN) -> keras.Layer:
        """A layer [n, 28, 28, 1] → [n, 28, 28, 1]. Raises ValueError without the generator."""
        check_choice("The stand-in", mode.stand_in, STAND_INS)
        made_by = generator()

        def apply(images: Tensor) -> Tensor:
            given = tf.stop_gradient(images)
            latent = nearest(descend(made_by, given, self.iterations, self.restarts))
            return passing(
                made_by.decode(latent), _stand_in(made_by, latent, images, mode.stand_in)
            )

        return InFront(apply, name=self.key)

    def __call__(self, images: FloatArray) -> FloatArray:
        """The projected images float32 [n, 28, 28, 1] in [0, 1]."""
        return projected(images, iterations=self.iterations, restarts=self.restarts)


def projection_of(key: str) -> Projection:
    """The projection that a key such as projection-60x4 names. ValueError on another text."""
    if not (numbers := re.fullmatch(r"projection-([0-9]{1,4})x([0-9]{1,4})", key)):
        raise ValueError(
            f"There is no defense {key!r}: write it like autoencoder or projection-60x4."
        )
    return Projection(*map(int, numbers.groups()))


def projected(images: FloatArray, *, iterations: int = 60, restarts: int = 4) -> FloatArray:
    """The nearest image of the generator that the descent finds, for each of [n, 28, 28, 1]."""
    check_images(images, MNIST.shape)
    numbers = _check(iterations, restarts)
    if not len(images):
        return images.copy()
    run = generator().compiled("projected", functools.partial(_compile_projected, generator()))
    made: FloatArray = in_batches(lambda x: run(x, *numbers), images, batch=_BATCH)
    return made


def projection_path(
    classifier: Classifier, image: FloatArray, *, iterations: int = 60, restarts: int = 4
) -> Trajectory:
    """The way of the projection of one image [1, 28, 28, 1]: of each restart its G(z) by steps.

    The trajectory has one image for each restart; its term "distance" is ‖G(z) − x‖².
    """
    check_image(image, MNIST.shape)
    numbers = _check(iterations, restarts)
    run = generator().compiled("path", functools.partial(_compile_path, generator()))
    latent, distance = (each.numpy() for each in run(tf.constant(image), *numbers))
    images = generator().images(latent.reshape(-1, LATENT))
    frames = images.reshape(iterations + 1, restarts, *MNIST.shape)
    logits = classifier.logits(images).reshape(iterations + 1, restarts, -1)
    steps = np.arange(iterations + 1, dtype=np.int64)
    return Trajectory(frames, steps, logits, {"distance": distance[..., 0]})


def descend(made_by: Generator, images: Tensor, iterations: Tensor, restarts: Tensor) -> Descent:
    """In graphs: where the descent ends for images [n, 28, 28, 1]; the counts may be tensors."""
    start = starts(made_by, images, restarts)
    zeros = tf.zeros_like(start)
    latent, *_ = tf.while_loop(
        lambda *state: state[3] < iterations,
        functools.partial(_step, made_by, images),
        (start, zeros, zeros, tf.constant(0)),
    )
    return Descent(latent, distances(made_by, images, latent))


def starts(made_by: Generator, images: Tensor, restarts: Tensor) -> Tensor:
    """In graphs: [restarts, n, 16], first the encoder's mean, then draws that all images share."""
    draws = tf.constant(_STARTS)[: restarts - 1, None]
    count = tf.shape(images)[0]
    return tf.concat([made_by.mean_of(images)[None], tf.tile(draws, [1, count, 1])], axis=0)


def nearest(descent: Descent) -> Any:
    """In graphs: of each image the latent numbers [n, 16] of the restart that came closest."""
    best = tf.argmin(descent.distance, axis=0)
    return tf.gather(tf.transpose(descent.latent, [1, 0, 2]), best, batch_dims=1)


def distances(made_by: Generator, images: Tensor, latent: Tensor) -> Tensor:
    """In graphs: ‖G(z) − x‖² float32 [restarts, n] for latent [restarts, n, 16]."""
    made = made_by.decode(tf.reshape(latent, [-1, LATENT]))
    made = tf.reshape(made, [tf.shape(latent)[0], -1, math.prod(MNIST.shape)])
    return tf.reduce_sum((made - _flat(images)) ** 2, axis=2)


def passing(value: Tensor, stand_in: Tensor) -> Tensor:
    """In graphs: exactly `value` going forward, the gradient of `stand_in` coming back."""
    return tf.custom_gradient(lambda _: (tf.identity(value), lambda rise: rise))(stand_in)


def _stand_in(made_by: Generator, latent: Tensor, images: Tensor, stand_in: str) -> Tensor:
    match stand_in:
        case "identity":
            return images
        case "smooth":
            return _on_tangents(made_by, tf.stop_gradient(latent), images)
        case _:
            return 0.0 * images


def _on_tangents(made_by: Generator, latent: Tensor, images: Tensor) -> Tensor:
    """The part of the images along what the generator can change at `latent`.

    Its gradient is that of a projection that has converged on a range without curvature, damped
    where the range is narrow: J (JᵀJ + λ)⁻¹ Jᵀ.
    """
    tangents = tf.stop_gradient(made_by.tangents(latent))
    along = tf.einsum("nlp,np->nl", tangents, _flat(images))
    metric = tf.matmul(tangents, tangents, transpose_b=True) + _DAMPING * tf.eye(LATENT)
    moves = tf.linalg.solve(metric, along[..., None])
    return tf.reshape(tf.matmul(tangents, moves, transpose_a=True), [-1, *MNIST.shape])


def adam(
    latent: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: Tensor, rate: float
) -> Any:
    """In graphs: one step down the gradient, and Adam's two averages behind it."""
    time = tf.cast(step + 1, tf.float32)
    mean = _BETA_1 * mean + (1 - _BETA_1) * gradient
    square = _BETA_2 * square + (1 - _BETA_2) * gradient**2
    corrected = rate * tf.sqrt(1 - _BETA_2**time) / (1 - _BETA_1**time)
    return latent - corrected * mean / (tf.sqrt(square) + _EPSILON), mean, square


def _step(
    made_by: Generator, images: Tensor, latent: Tensor, mean: Tensor, square: Tensor, step: Tensor
) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(latent)
        distance = distances(made_by, images, latent)
    gradient = tape.gradient(distance, latent)
    return *adam(latent, gradient, mean, square, step, LEARNING_RATE), step + 1


def _flat(images: Tensor) -> Tensor:
    return tf.reshape(images, [-1, math.prod(MNIST.shape)])


def _compile_projected(made_by: Generator) -> Any:
    def run(images: Tensor, iterations: Tensor, restarts: Tensor) -> Tensor:
        return made_by.decode(nearest(descend(made_by, images, iterations, restarts)))

    return compiled(run, *_TYPES)


def _compile_path(made_by: Generator) -> Any:
    def run(images: Tensor, iterations: Tensor, restarts: Tensor) -> Any:
        latent = starts(made_by, images, restarts)
        rows = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[None, None, LATENT])
        far = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[None, None])

        def step(rows: Tensor, far: Tensor, *state: Any) -> Any:
            now = state[3]
            rows = rows.write(now, state[0])
            far = far.write(now, distances(made_by, images, state[0]))
            return rows, far, *_step(made_by, images, *state)

        zeros = tf.zeros_like(latent)
        rows, far, *_ = tf.while_loop(
            lambda *state: state[5] <= iterations,
            step,
            (rows, far, latent, zeros, zeros, tf.constant(0)),
        )
        return rows.stack(), far.stack()

    return compiled(run, *_TYPES)


def _check(iterations: int, restarts: int) -> tuple[Any, Any]:
    """Both as tensors."""
    iterations = check_whole("The number of iterations", iterations, 1, MAX_ITERATIONS)
    restarts = check_whole("The number of restarts", restarts, 1, MAX_RESTARTS)
    return tf.constant(iterations, tf.int32), tf.constant(restarts, tf.int32)
