"""The compiled step that trains robust models: an attack, interval bounds, Adam, and an average.

Adversarial training (Madry et al. 2017, arXiv:1706.06083), interval bounds (Gowal et al. 2018,
arXiv:1810.12715), and the weighted sum of both losses (MTL-IBP, De Palma et al. 2023,
arXiv:2305.13991), with the initialization and the tightness term of Shi et al. (2021),
arXiv:2103.17268.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.architecture import Architecture
from core.augmentation import augment
from core.backend import keras, tf
from core.data import SIDE, ByteArray, FloatArray
from core.defenses.adversarial_training import inner_attack, keep_clean
from core.defenses.certified import margins_of
from core.defenses.settings import SCHEDULE, RobustSettings
from core.model import Weights, build_model
from core.pooling import max_pool

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Kingma & Ba 2014, arXiv:1412.6980
_CLIP = 10.0  # the largest norm of the gradient of all weights
_AVERAGE = 0.999  # of the past in the weights that are saved
_STATISTICS = 0.99  # of the past in the moving mean and variance
_VARIANCE_FLOOR = 1e-3
_TIGHTNESS = 0.5  # weight of the term, and the share of the input's width that it asks for
_TINY = 1e-8


class Layer(NamedTuple):
    """A convolution (with its stride and pooling) or a dense layer, and its variables."""

    name: str
    stride: int
    pooling: int
    variables: dict[str, tf.Variable]


class RobustTrainer:
    """A network with its averages and optimizer slots, and the one graph that trains it."""

    def __init__(self, architecture: Architecture, settings: RobustSettings) -> None:
        self.architecture, self.settings = architecture, settings
        self.step, self.traces = 0, 0
        initial = initial_weights(architecture, settings)
        self._variables = {name: tf.Variable(value) for name, value in initial.items()}
        self._trained = [n for n in initial if not n.endswith(("moving_mean", "moving_variance"))]
        self._averages = {name: tf.Variable(value) for name, value in initial.items()}
        self._slots = {
            f"{name}/{moment}": tf.Variable(tf.zeros_like(self._variables[name]))
            for name in self._trained
            for moment in ("m", "v")
        }
        names = [f"conv{number}" for number in range(1, len(architecture.blocks) + 1)]
        names += [f"dense{number}" for number in range(1, len(architecture.hidden_units) + 1)]
        self._hidden = [self._layer(name) for name in names]
        self._logits = self._layer("logits")
        self._run_steps = tf.function(
            self._trace_steps,
            autograph=False,
            input_signature=[
                tf.TensorSpec([None, None, SIDE, SIDE], tf.uint8),
                tf.TensorSpec([None, None], tf.uint8),
                tf.TensorSpec([], tf.int32),
                tf.TensorSpec([None, len(SCHEDULE)], tf.float32),
            ],
        )

    def run(self, images: ByteArray, labels: ByteArray, schedule: FloatArray) -> FloatArray:
        """Train a step per batch: images uint8 [k, batch, 28, 28], labels [k, batch].

        schedule [k, 5]: rows of `RobustSettings.schedule`. Returns the mean loss on attacked
        images, that on bounds, and the share of attacked images read right: float32 [3].
        """
        results = self._run_steps(images, labels, np.int32(self.step), schedule).numpy()
        self.step += len(images)
        means: FloatArray = results.mean(axis=0)
        return means

    def folded(self) -> Weights:
        """The averaged weights as those of `build_model(architecture)`, normalization folded in."""
        arrays = {name: variable.numpy() for name, variable in self._averages.items()}
        return {
            name: value
            for layer in [*self._hidden, self._logits]
            for name, value in _fold(layer.name, arrays).items()
        }

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
            if str(arrays["settings"]) != self._settings_text():
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
        groups = {"now": self._variables, "average": self._averages, "slot": self._slots}
        return {f"{g}:{name}": v for g, group in groups.items() for name, v in group.items()}

    def _layer(self, name: str) -> Layer:
        own = {
            path.split("/")[1]: variable
            for path, variable in self._variables.items()
            if path.startswith(f"{name}/")
        }
        if not name.startswith("conv"):
            return Layer(name, 0, 1, own)
        block = self.architecture.blocks[int(name.removeprefix("conv")) - 1]
        return Layer(name, block.stride, block.pooling, own)

    # What follows is traced.

    def _trace_steps(self, images: Any, labels: Any, first: Any, schedule: Any) -> Any:
        self.traces += 1
        steps = tf.shape(images)[0]

        def one_step(index: Any, results: Any) -> Any:
            batch = tf.cast(images[index], tf.float32)[..., None] / 255.0
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

    def _one_step(self, images: Any, labels: Any, step: Any, row: Any) -> Any:
        settings = self.settings
        now = dict(zip(SCHEDULE, tf.unstack(row), strict=True))
        seed = (tf.constant(settings.seed), step)
        moves = {"shift": tf.constant(float(settings.shift)), "rotation": tf.constant(0.0)}
        images = augment(images, seed, moves)
        attacked = inner_attack(
            self.logits, images, labels, seed, epsilon=now["attack_epsilon"],
            step_size=settings.attack_step * now["attack_epsilon"], steps=settings.attack_steps,
        )  # fmt: skip
        attacked = keep_clean(images, attacked, settings.clean_share)
        variables = [self._variables[name] for name in self._trained]
        with tf.GradientTape() as tape:
            logits, scales = self._train_forward(attacked)
            adversarial = _mean_cross_entropy(labels, logits)
            loss, bounded = now["adversarial_share"] * adversarial, tf.constant(0.0)
            if settings.certifies:
                margins, tightness = self._bounds(images, labels, now["certified_epsilon"], scales)
                bounded = _mean_cross_entropy(labels, -margins)
                loss += (1 - now["adversarial_share"]) * bounded
                loss += _TIGHTNESS * (1 - now["ramp"]) * tightness
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), _CLIP)
        self._update(gradients, step, now["learning_rate"])
        right = tf.argmax(logits, axis=1, output_type=tf.int32) == labels
        return tf.stack([adversarial, bounded, tf.reduce_mean(tf.cast(right, tf.float32))])

    def logits(self, images: Any) -> Any:
        """In graphs: logits with the weights as they are now and the moving statistics."""
        x = images
        for layer in self._hidden:
            scale, offset = _scale_and_offset(layer)
            z = _linear(layer, x, layer.variables["kernel"])
            x = max_pool(tf.nn.relu(z * scale + offset), layer.pooling)
        output = self._logits.variables
        return _flat(x) @ output["kernel"] + output["bias"]

    def _train_forward(self, images: Any) -> Any:
        """Logits with the statistics of this batch, and each hidden layer's scale and offset."""
        x, scales = images, []
        for layer in self._hidden:
            z = _linear(layer, x, layer.variables["kernel"])
            scale, offset = _batch_scale_and_offset(layer, z)
            x = max_pool(tf.nn.relu(z * scale + offset), layer.pooling)
            scales.append((scale, offset))
        output = self._logits.variables
        return _flat(x) @ output["kernel"] + output["bias"], scales

    def _bounds(self, images: Any, labels: Any, epsilon: Any, scales: Any) -> Any:
        """Lower bounds of the margins [n, classes], and how loose the layers are."""
        low, high = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)
        input_width = tf.reduce_mean(high - low)
        center, radius = (low + high) / 2, (high - low) / 2
        tightness = []
        for layer, (scale, offset) in zip(self._hidden, scales, strict=True):
            kernel = layer.variables["kernel"] * scale
            center = _linear(layer, center, kernel) + offset
            radius = _linear(layer, radius, tf.abs(kernel))
            share = input_width / (2 * tf.reduce_mean(radius) + _TINY)
            tightness.append(tf.nn.relu(_TIGHTNESS - share))
            center, radius = _bounds_of_relu(center, radius)
            if layer.pooling > 1:
                low = max_pool(center - radius, layer.pooling)
                high = max_pool(center + radius, layer.pooling)
                center, radius = (low + high) / 2, (high - low) / 2
        kernel, bias = self._logits.variables["kernel"], self._logits.variables["bias"]
        margins = margins_of(_flat(center), _flat(radius), kernel, bias, labels)
        return margins, tf.add_n(tightness) / len(tightness)

    def _update(self, gradients: list[Any], step: Any, learning_rate: Any) -> None:
        time = tf.cast(step + 1, tf.float32)
        for name, gradient in zip(self._trained, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=self._variables[name].handle, grad=gradient, lr=learning_rate,
                m=self._slots[f"{name}/m"].handle, v=self._slots[f"{name}/v"].handle,
                beta1_power=_BETA_1**time, beta2_power=_BETA_2**time,
                beta1=_BETA_1, beta2=_BETA_2, epsilon=_EPSILON,
            )  # fmt: skip
        keep = tf.minimum(_AVERAGE, time / (time + 9))  # the first weights are soon forgotten
        for name, average in self._averages.items():
            average.assign(keep * average + (1 - keep) * self._variables[name])


def initial_weights(architecture: Architecture, settings: RobustSettings) -> Weights:
    """What a robust training begins with: layer/variable to array.

    Kernels are normal: with deviation √(2π) / inputs where bounds are trained, which keeps their
    width from layer to layer (Shi et al. 2021), else √(2 / inputs) (He et al. 2015). A normalized
    layer has a scale (gamma), an offset (beta) and moving statistics in place of its bias.
    """
    random = np.random.default_rng(settings.seed)
    weights: Weights = {}
    for layer in build_model(architecture).layers:
        if not isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            continue
        shape = tuple(layer.kernel.shape)
        inputs = math.prod(shape[:-1])
        deviation = math.sqrt(2 * math.pi) / inputs if settings.certifies else (2 / inputs) ** 0.5
        weights[f"{layer.name}/kernel"] = _float(random.normal(0, deviation, shape))
        if layer.name in settings.normalized:
            for name, value in {
                "gamma": 1,
                "beta": 0,
                "moving_mean": 0,
                "moving_variance": 1,
            }.items():
                weights[f"{layer.name}/{name}"] = np.full(shape[-1], value, np.float32)
        else:
            weights[f"{layer.name}/bias"] = np.zeros(shape[-1], np.float32)
    if settings.threshold_start:
        _set_thresholds(weights["conv1/kernel"], weights["conv1/bias"], random)
    return weights


def _set_thresholds(kernel: FloatArray, bias: FloatArray, random: np.random.Generator) -> None:
    """Make each filter ask whether one pixel in the middle is above, or below, a threshold.

    Bounds through it stay tight, because most pixels of a digit are far from any threshold.
    """
    height, width, _, filters = kernel.shape
    kernel *= 0.3
    sign = np.where(random.random(filters) < 0.7, 1, -1)
    row, column = (
        random.integers((side - 1) // 2, side // 2 + 1, filters) for side in (height, width)
    )
    kernel[row, column, 0, np.arange(filters)] += 2 * sign
    bias[:] = -2 * sign * random.uniform(0.3, 0.7, filters)


def _float(values: Any) -> FloatArray:
    return np.asarray(values, np.float32)


def _fold(name: str, arrays: Weights) -> Weights:
    """Kernel and bias of the layer that does what `name` and its normalization do."""
    kernel = arrays[f"{name}/kernel"]
    if f"{name}/bias" in arrays:
        return {f"{name}/kernel": kernel, f"{name}/bias": arrays[f"{name}/bias"]}
    gamma, beta, mean, variance = (
        arrays[f"{name}/{each}"] for each in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + np.float32(_VARIANCE_FLOOR))
    return {f"{name}/kernel": kernel * scale, f"{name}/bias": beta - mean * scale}


def _linear(layer: Layer, x: Any, kernel: Any) -> Any:
    if not layer.stride:
        return _flat(x) @ kernel
    if x.shape[-1] == 1:
        return _convolve_pixels(x, kernel, layer.stride)
    return tf.nn.conv2d(x, kernel, layer.stride, "SAME")


def _convolve_pixels(images: Any, kernel: Any, stride: int) -> Any:
    """The first convolution, over blocks of stride × stride pixels as channels where they fit.

    The same values; TensorFlow's gradient to a single channel takes three times as long.
    """
    side, _, _, filters = kernel.shape
    blocks = side // stride
    if stride == 1 or side % stride or SIDE % stride:
        return tf.nn.conv2d(images, kernel, stride, "SAME")
    before = (side - stride) // 2
    pads = [before, side - stride - before]
    images = tf.nn.space_to_depth(tf.pad(images, [[0, 0], pads, pads, [0, 0]]), stride)
    kernel = tf.reshape(kernel, [blocks, stride, blocks, stride, filters])
    kernel = tf.transpose(kernel, [0, 2, 1, 3, 4])
    kernel = tf.reshape(kernel, [blocks, blocks, stride**2, filters])
    return tf.nn.conv2d(images, kernel, 1, "VALID")


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _bounds_of_relu(center: Any, radius: Any) -> Any:
    """Center and radius behind ReLU; fused, because these are many small steps on large maps."""
    low, high = tf.nn.relu(center - radius), tf.nn.relu(center + radius)
    return (low + high) / 2, (high - low) / 2


def _flat(x: Any) -> Any:
    return tf.reshape(x, [-1, math.prod(x.shape[1:])])


def _scale_and_offset(layer: Layer) -> Any:
    own = layer.variables
    if "bias" in own:
        return 1.0, own["bias"]
    scale = own["gamma"] * tf.math.rsqrt(own["moving_variance"] + _VARIANCE_FLOOR)
    return scale, own["beta"] - own["moving_mean"] * scale


def _batch_scale_and_offset(layer: Layer, z: Any) -> Any:
    """Scale and offset by the batch (Ioffe & Szegedy 2015, 1502.03167); moves the statistics."""
    own = layer.variables
    if "bias" in own:
        return 1.0, own["bias"]
    mean, variance = tf.nn.moments(z, list(range(len(z.shape) - 1)))
    for name, value in (("moving_mean", mean), ("moving_variance", variance)):
        own[name].assign(_STATISTICS * own[name] + (1 - _STATISTICS) * value)
    scale = own["gamma"] * tf.math.rsqrt(variance + _VARIANCE_FLOOR)
    return scale, own["beta"] - mean * scale


def _mean_cross_entropy(labels: Any, logits: Any) -> Any:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    return tf.reduce_mean(losses)
