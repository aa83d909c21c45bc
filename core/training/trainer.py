"""The traced training step of an architecture, and whose weights it is working on.

A trace costs a second and six megabytes that do not come back, so there is one trainer per
architecture. Trainings take turns on it: each owns a `TrainingState` that is seated before its
steps run and taken off when another is seated.
"""

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core.arrays import BoolArray, ByteArray, FloatArray, Tensor, byte_shape
from core.backend import settle, tf
from core.checks import check_seed
from core.network.architecture import Architecture
from core.network.margins import log_odds_against
from core.network.model import Weights, assign_weights, build_model, layer_table, named_weights
from core.network.stages.table import stages_of
from core.training.augmentation import augment, scaled
from core.training.inner_attack import attack_share, image_draws, inner_attack, step_draws
from core.training.optimizer_steps import update
from core.training.settings import OPTIMIZERS
from core.training.training_forward import ANSWERING, ATTACKING, TrainingForward

_ATTACK = {"epsilon": 0.0, "attack_step": 0.0, "attack_steps": 0.0, "clean_share": 0.0}
_SCALARS = ("learning_rate", "weight_decay", "label_smoothing", "shift", "rotation", *_ATTACK)
_AT_ONCE = 128  # images that are scored
SCORING_STEPS = 10  # of the attack that scores: PGD-10
_SCORING_STEP = 2.5 / SCORING_STEPS  # in units of ε: 2.5 ε in all, as Madry et al. 2017


@dataclass(eq=False)
class TrainingState:
    """Where a training stands: steps done, weights, and the optimizer's two slots per weight.

    recent float32 [k, 4 + layers]: of the last steps the images, seconds, loss, share of correct
    images and gradient norms, which the next record may reach back to. planned: the steps whose
    weights are kept, the last that is planned at the end. While it is seated on a
    trainer the arrays here are those of the moment it sat down; `Trainer.unseat` brings them up to
    date.
    """

    step: int
    weights: Weights
    slots: list[FloatArray] = field(default_factory=list)
    recent: FloatArray = field(default_factory=lambda: np.empty(0, np.float32))
    planned: list[int] = field(default_factory=list)

    @classmethod
    def untrained(cls, architecture: Architecture, seed: int) -> "TrainingState":
        """Step 0 with the initial weights of `build_model`, slots at zero."""
        seed = check_seed(seed)
        return cls(0, named_weights(build_model(architecture, seed=seed)))


@dataclass(frozen=True)
class StepResults:
    """Of each step run: loss [k], share of correct images [k], gradient norm [k, layers]."""

    losses: FloatArray
    hits: FloatArray
    gradient_norms: FloatArray


class UnderAttack(NamedTuple):
    """Of each image whether it is right under one step, and under PGD-10; bool [n] each.

    flat: whether its own input gradient is 0 in every pixel, so that neither has anything to
    follow.
    """

    one: BoolArray
    ten: BoolArray
    flat: BoolArray


@functools.lru_cache(maxsize=4)
def trainer_for(architecture: Architecture) -> "Trainer":
    """The one trainer of this architecture; the least recently used of four is dropped."""
    return Trainer(architecture)


class Trainer:
    """One model with its optimizer slots, and the compiled function that trains it."""

    def __init__(self, architecture: Architecture) -> None:
        self.lock = threading.RLock()
        self.traces = 0
        self._settled = False
        self._architecture = architecture
        self._model = build_model(architecture)
        self._forward = TrainingForward(self._model)
        self._variables = [variable.value for variable in self._model.trainable_variables]
        self._slots = [tf.Variable(tf.zeros(v.shape)) for v in self._variables for _ in range(2)]
        self._seated: TrainingState | None = None
        integer = tf.TensorSpec([], tf.int32)
        pixels = byte_shape(architecture.input_shape)
        self._run_steps = tf.function(
            self._trace_steps,
            autograph=False,  # rewriting the source takes most of the time of a trace
            input_signature=[
                tf.TensorSpec([None, None, *pixels], tf.uint8),
                tf.TensorSpec([None, None], tf.uint8),
                integer,
                integer,
                integer,
                {name: tf.TensorSpec([], tf.float32) for name in _SCALARS},
            ],
        )
        self._logits = tf.function(
            self._trace_logits,
            autograph=False,
            input_signature=[tf.TensorSpec([None, *pixels], tf.uint8)],
        )
        number = tf.TensorSpec([], tf.float32)
        self._standing = tf.function(
            self._trace_standing,
            autograph=False,
            input_signature=[
                tf.TensorSpec([None, *pixels], tf.uint8),
                tf.TensorSpec([None], tf.uint8),
                number,
                number,
                integer,
            ],
        )

    @property
    def seated(self) -> TrainingState | None:
        """The state whose weights are in the model now."""
        return self._seated

    @property
    def multiply_adds(self) -> int:
        """Of one image on its way forward."""
        return sum(row.multiply_adds for row in layer_table(self._model))

    @property
    def layer_names(self) -> list[str]:
        """The weighted layers whose gradient norms `run` reports, in order."""
        return [name for name, _ in self._weighted_layers()]

    def seat(self, state: TrainingState) -> None:
        """Go on with `state`; the arrays of the one that sat here are brought up to date."""
        if self._seated is state:
            return
        self.unseat()
        assign_weights(self._model, state.weights)
        zeros = [np.zeros(slot.shape, np.float32) for slot in self._slots]
        for slot, value in zip(self._slots, state.slots or zeros, strict=True):
            slot.assign(value)
        self._seated = state

    def unseat(self) -> None:
        """Bring the seated state's arrays up to date and let go of it."""
        if self._seated is not None:
            self._seated.weights = self.weights()
            self._seated.slots = [slot.numpy().copy() for slot in self._slots]
            self._seated = None

    def weights(self) -> Weights:
        """Copies of the weights as they are now."""
        return named_weights(self._model)

    def logits(self, images: ByteArray) -> FloatArray:
        """Logits [n, classes] of images uint8 [n, …] with the weights as they are now."""
        if len(images) == 1:  # as in `run`
            return self.logits(images.repeat(2, axis=0))[:1]
        logits: FloatArray = self._logits(images).numpy()
        return logits

    def standing(
        self, images: ByteArray, labels: ByteArray, *, epsilon: float, single_step: float
    ) -> "UnderAttack":
        """Which images uint8 [n, …], n ≥ 2, stay right under one step and under PGD-10.

        Both attack the weights as they are now in L∞, from the same random start in the ball; the
        one step is of single_step · ε.
        """

        def standing(step: float, steps: int) -> tuple[BoolArray, BoolArray]:
            attack = np.float32(epsilon), np.float32(step * epsilon), np.int32(steps)
            right, flat = self._standing(images, labels, *attack)
            return right.numpy(), flat.numpy()

        one, _ = standing(single_step, 1)
        return UnderAttack(one, *standing(_SCORING_STEP, SCORING_STEPS))

    def run(
        self,
        images: ByteArray,
        labels: ByteArray,
        *,
        optimizer: str,
        seed: int,
        **scalars: float,
    ) -> StepResults:
        """Train the seated state, a step per batch: uint8 [k, batch, …] with [k, batch].

        `scalars`: learning_rate, weight_decay, label_smoothing, shift (pixels), rotation (degrees);
        of the attack on each batch epsilon, attack_step (in pixel values, as epsilon),
        attack_steps and clean_share, without which there is none.
        """
        seed = check_seed(seed)
        assert self._seated is not None
        if images.shape[1] == 1:  # convolutions of an empty half fail; twice the image is the same
            images, labels = images.repeat(2, axis=1), labels.repeat(2, axis=1)
        losses, hits, norms = self._run_steps(
            images,
            labels,
            np.int32(self._seated.step),
            np.int32(seed),
            np.int32(OPTIMIZERS.index(optimizer)),
            {name: np.float32(value) for name, value in (_ATTACK | scalars).items()},
        )
        self._seated.step += len(images)
        if not self._settled:
            settle()
            self._settled = True
        return StepResults(losses.numpy(), hits.numpy(), norms.numpy())

    # What follows is traced.

    def _trace_steps(
        self,
        images: Tensor,
        labels: Tensor,
        first_step: Tensor,
        seed: Tensor,
        optimizer: Tensor,
        scalars: Any,
    ) -> Tensor:
        self.traces += 1
        steps = tf.shape(images)[0]
        arrays = tuple(tf.TensorArray(tf.float32, steps) for _ in range(3))

        def one_step(index: Tensor, arrays: Any) -> Any:
            step = first_step + index
            batch = augment(scaled(images[index]), (seed, step), scalars)
            targets = tf.cast(labels[index], tf.int32)
            batch = self._attacked(batch, targets, (seed, step), scalars)
            loss, logits, gradients = self._gradients(batch, targets, (seed, step), scalars)
            update(
                self._variables, gradients, self._slots, step=step, optimizer=optimizer,
                learning_rate=scalars["learning_rate"], decay=scalars["weight_decay"],
            )  # fmt: skip
            hits = tf.cast(tf.argmax(logits, axis=1, output_type=tf.int32) == targets, tf.float32)
            results = loss, tf.reduce_mean(hits), self._layer_norms(gradients)
            written = (a.write(index, r) for a, r in zip(arrays, results, strict=True))
            return index + 1, tuple(written)

        _, arrays = tf.while_loop(
            lambda index, _: index < steps,
            one_step,
            (tf.constant(0), arrays),
            parallel_iterations=1,
        )
        return tuple(array.stack() for array in arrays)

    def _attacked(self, images: Tensor, labels: Tensor, seed: Tensor, scalars: Any) -> Tensor:
        """The batch, attacked on the weights as they are now if the settings say so.

        The network works as in the step that it then trains, on the attacked rows alone: if all
        are attacked, with the same draws of dropout and statistics of the whole batch; with a clean
        share, dropout falls otherwise, and batch normalization goes by the attacked images.
        """

        def attack(images: Tensor, labels: Tensor) -> Tensor:
            number, step = seed
            return inner_attack(
                lambda x: self._forward(x, seed, ATTACKING),
                images,
                labels,
                # No training has a negative seed: these draws are the attack's own.
                step_draws(images, (-1 - number, step)),
                epsilon=scalars["epsilon"],
                step_size=scalars["attack_step"],
                steps=tf.cast(scalars["attack_steps"], tf.int32),
            )

        return tf.cond(
            scalars["attack_steps"] > 0,
            lambda: attack_share(attack, images, labels, scalars["clean_share"]),
            lambda: images,
        )

    def _trace_logits(self, images: Tensor) -> Tensor:
        """In parts as small as batches: the maps of 500 images at once take twice as long."""
        total = tf.shape(images)[0]
        count = (total + _AT_ONCE - 1) // _AT_ONCE
        bounds = tf.range(count + 1) * total // count

        def one_part(index: Tensor, parts: Tensor) -> Any:
            some = scaled(images[bounds[index] : bounds[index + 1]])
            return index + 1, parts.write(index, self._forward(some, (0, 0), ANSWERING))

        _, parts = tf.while_loop(
            lambda index, _: index < count,
            one_part,
            (
                tf.constant(0),
                tf.TensorArray(
                    tf.float32,
                    count,
                    infer_shape=False,
                    element_shape=[None, self._architecture.classes],
                ),
            ),
            parallel_iterations=1,
        )
        return parts.concat()

    def _trace_standing(
        self, images: Tensor, labels: Tensor, epsilon: Tensor, step_size: Tensor, steps: Tensor
    ) -> Any:
        def logits_of(images: Tensor) -> Tensor:
            return self._forward(images, (0, 0), ANSWERING)

        labels = tf.cast(labels, tf.int32)
        images = scaled(images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            log_odds = log_odds_against(logits_of(images), labels)
        flat = tf.reduce_all(tape.gradient(log_odds, images) == 0, axis=[1, 2, 3])
        attacked = inner_attack(
            logits_of, images, labels, image_draws(images),
            epsilon=epsilon, step_size=step_size, steps=steps,
        )  # fmt: skip
        predicted = tf.argmax(logits_of(attacked), axis=1, output_type=tf.int32)
        return predicted == labels, flat

    def _gradients(self, images: Tensor, labels: Tensor, seed: Tensor, scalars: Any) -> Any:
        classes = self._architecture.classes
        targets = tf.one_hot(labels, classes)
        targets += scalars["label_smoothing"] * (1 / classes - targets)  # Szegedy 2015, 1512.00567
        with tf.GradientTape() as tape:
            logits = self._forward(images, seed)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        zero = tf.UnconnectedGradients.ZERO  # of a bias that batch normalization takes away
        gradients = tape.gradient(loss, self._variables, unconnected_gradients=zero)
        return loss, logits, gradients

    def _layer_norms(self, gradients: list[Tensor]) -> Any:
        of = {variable.ref(): g for variable, g in zip(self._variables, gradients, strict=True)}
        return tf.stack(
            [
                tf.linalg.global_norm([of[variable.value.ref()] for variable in variables])
                for _, variables in self._weighted_layers()
            ]
        )

    def _weighted_layers(self) -> Iterator[tuple[str, list[Any]]]:
        for stage in stages_of(self._model):
            if stage.weighted:
                yield stage.name, stage.layer.trainable_variables
