"""The compiled step that trains robust models: an attack, interval bounds, Adam, and an average.

Adversarial training (Madry et al. 2017, arXiv:1706.06083), interval bounds (Gowal et al. 2018,
arXiv:1810.12715), and the weighted sum of both losses (MTL-IBP, De Palma et al. 2023,
arXiv:2305.13991), with the initialization and the tightness term of Shi et al. (2021),
arXiv:2103.17268.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.arrays import ByteArray, FloatArray, Tensor, byte_shape
from core.backend import tf
from core.network.architecture import Architecture
from core.network.model import Weights
from core.training.augmentation import augment, scaled
from core.training.inner_attack import inner_attack, keep_clean, step_draws
from core.training.robust.network import RobustNetwork, folded
from core.training.robust.settings import SCHEDULE, RobustSettings

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Kingma & Ba 2014, arXiv:1412.6980
_CLIP = 10.0  # the largest norm of the gradient of all weights
_AVERAGE = 0.999  # of the past in the weights that are saved
_TIGHTNESS = 0.5  # weight of the term


class RobustTrainer:
    """A network with its averages and optimizer slots, and the one graph that trains it."""

    def __init__(self, architecture: Architecture, settings: RobustSettings) -> None:
        self.architecture, self.settings = architecture, settings
        self.step, self.traces = 0, 0
        self.network = RobustNetwork(architecture, settings)
        variables, self._trained = self.network.variables, self.network.trained
        self._averages = {name: tf.Variable(variable) for name, variable in variables.items()}
        self._slots = {
            f"{name}/{moment}": tf.Variable(tf.zeros_like(variables[name]))
            for name in self._trained
            for moment in ("m", "v")
        }
        self._run_steps = tf.function(
            self._trace_steps,
            autograph=False,
            input_signature=[
                tf.TensorSpec([None, None, *byte_shape(architecture.input_shape)], tf.uint8),
                tf.TensorSpec([None, None], tf.uint8),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([None, len(SCHEDULE)], tf.float32),
            ],
        )

    def run(self, images: ByteArray, labels: ByteArray, schedule: FloatArray) -> FloatArray:
        """Train a step per batch: images uint8 [k, batch, …], labels [k, batch].

        schedule [k, 5]: rows of `RobustSettings.schedule`. Returns the mean loss on attacked
        images, that on bounds, and the share of attacked images read right: float32 [3].
        """
        results = self._run_steps(images, labels, np.int32(self.step), schedule).numpy()
        self.step += len(images)
        means: FloatArray = results.mean(axis=0)
        return means

    def folded(self) -> Weights:
        """The averaged weights as those of `build_model(architecture)`, normalization folded in."""
        return folded({name: variable.numpy() for name, variable in self._averages.items()})

    def save(self, path: Path, seconds: float) -> None:
        """Write everything that a training needs to go on; a break leaves the old file whole.

        seconds: what it has taken so far.
        """
        unfinished = path.with_suffix(".part.npz")
        arrays = {name: variable.numpy() for name, variable in self._stored().items()}
        np.savez(
            unfinished, step=self.step, seconds=seconds, settings=self._settings_text(), **arrays
        )
        unfinished.replace(path)

    def restore(self, path: Path) -> float:
        """Go on where `save` was called; returns the seconds until there.

        Raises ValueError if the file is of other settings; until the learning rate begins to
        fall, the number of epochs may be another.
        """
        with np.load(path, allow_pickle=False) as arrays:
            self.step = int(arrays["step"])
            if json.loads(str(arrays["settings"])) != json.loads(self._settings_text()):
                raise ValueError(f"{path.name} is a training with other settings: delete it.")
            for name, variable in self._stored().items():
                variable.assign(arrays[name])
            return float(arrays["seconds"])

    def _settings_text(self) -> str:
        values = self.settings.to_dict()
        if self.step <= self.settings.steps_before_fall:
            del values["epochs"]
        return json.dumps([self.architecture.to_dict(), values], sort_keys=True)

    def _stored(self) -> dict[str, tf.Variable]:
        groups = {"now": self.network.variables, "average": self._averages, "slot": self._slots}
        return {f"{g}:{name}": v for g, group in groups.items() for name, v in group.items()}

    # What follows is traced.

    def _trace_steps(
        self, images: Tensor, labels: Tensor, first: Tensor, schedule: Tensor
    ) -> Tensor:
        self.traces += 1
        steps = tf.shape(images)[0]

        def one_step(index: Tensor, results: Tensor) -> Any:
            batch = scaled(images[index])
            result = self._one_step(
                batch, tf.cast(labels[index], tf.int32), first + index, schedule[index]
            )
            return index + 1, results.write(index, result)

        _, results = tf.while_loop(
            lambda index, _: index < steps,
            one_step,
            (tf.constant(0), tf.TensorArray(tf.float32, steps)),
            parallel_iterations=1,
        )
        return results.stack()

    def _one_step(self, images: Tensor, labels: Tensor, step: Tensor, row: Tensor) -> Tensor:
        settings = self.settings
        now = dict(zip(SCHEDULE, tf.unstack(row), strict=True))
        seed = (tf.constant(settings.seed), step)
        moves = {"shift": tf.constant(float(settings.shift)), "rotation": tf.constant(0.0)}
        images = augment(images, seed, moves)
        attacked = inner_attack(
            self.network.logits_of_halves, images, labels, step_draws(images, seed),
            epsilon=now["attack_epsilon"],
            step_size=settings.attack_step * now["attack_epsilon"], steps=settings.attack_steps,
        )  # fmt: skip
        attacked = keep_clean(images, attacked, settings.clean_share)
        variables = [self.network.variables[name] for name in self._trained]
        with tf.GradientTape() as tape:
            logits, scales = self.network.train_forward(attacked)
            adversarial = _mean_cross_entropy(labels, logits)
            loss, bounded = now["adversarial_share"] * adversarial, tf.constant(0.0)
            if settings.certifies:
                margins, tightness = self.network.bounds(
                    images, labels, now["certified_epsilon"], scales
                )
                bounded = _mean_cross_entropy(labels, -margins)
                loss += (1 - now["adversarial_share"]) * bounded
                loss += _TIGHTNESS * (1 - now["ramp"]) * tightness
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), _CLIP)
        self._update(gradients, step, now["learning_rate"])
        right = tf.argmax(logits, axis=1, output_type=tf.int32) == labels
        return tf.stack([adversarial, bounded, tf.reduce_mean(tf.cast(right, tf.float32))])

    def _update(self, gradients: list[Tensor], step: Tensor, learning_rate: Tensor) -> None:
        time = tf.cast(step + 1, tf.float32)
        for name, gradient in zip(self._trained, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=self.network.variables[name].handle, grad=gradient, lr=learning_rate,
                m=self._slots[f"{name}/m"].handle, v=self._slots[f"{name}/v"].handle,
                beta1_power=_BETA_1**time, beta2_power=_BETA_2**time,
                beta1=_BETA_1, beta2=_BETA_2, epsilon=_EPSILON,
            )  # fmt: skip
        keep = tf.minimum(_AVERAGE, time / (time + 9))  # the first weights are soon forgotten
        for name, average in self._averages.items():
            average.assign(keep * average + (1 - keep) * self.network.variables[name])


def _mean_cross_entropy(labels: Tensor, logits: Tensor) -> Tensor:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return tf.reduce_mean(losses)
