"""A network in robust training: its variables, its logits, and its bounds in the same graph."""

import math
from typing import Any, NamedTuple

import numpy as np

from core.arrays import FloatArray, Tensor
from core.backend import tf
from core.certification.interval_bounds import margins_of
from core.network.architecture import Architecture
from core.network.model import Weights, build_model
from core.network.stages.roles import Shrinking, Weighted
from core.network.stages.table import stages_of
from core.training.robust.settings import RobustSettings

_STATISTICS = 0.99  # of the past in the moving mean and variance
_VARIANCE_FLOOR = 1e-3
_NORMALIZATION = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
_TIGHT = 0.5  # how wide the input should be, as a share of any layer's width
_TINY = 1e-8


class Layer(NamedTuple):
    """A layer with a kernel, its variables, and what makes less of its maps behind its ReLU."""

    stage: Weighted
    variables: dict[str, tf.Variable]
    behind: list[Shrinking]


class RobustNetwork:
    """The variables by layer/variable, and functions for graphs."""

    def __init__(self, architecture: Architecture, settings: RobustSettings) -> None:
        self.architecture = architecture
        initial = initial_weights(architecture, settings)
        self.variables = {name: tf.Variable(value) for name, value in initial.items()}
        *self._hidden, output = _layers(architecture, self.variables)
        self._output = output.variables

    @property
    def trained(self) -> list[str]:
        """The variables that the optimizer moves: all but the moving statistics."""
        return [n for n in self.variables if not n.endswith(("moving_mean", "moving_variance"))]

    def logits(self, images: Tensor) -> Tensor:
        """In graphs: logits with the weights as they are now and the moving statistics."""
        x = images
        for layer in self._hidden:
            scale, offset = _scale_and_offset(layer)
            z = layer.stage.weigh(x, layer.variables["kernel"])
            x = _shrunk(layer, tf.nn.relu(z * scale + offset))
        return self._read_out(x)

    def logits_of_halves(self, images: Tensor) -> Tensor:
        """The same of n ≥ 2 images, on one core each."""
        half = (tf.shape(images)[0] + 1) // 2
        return tf.concat([self.logits(images[:half]), self.logits(images[half:])], axis=0)

    def train_forward(self, images: Tensor) -> Any:
        """Logits with the statistics of this batch, and each hidden layer's scale and offset."""
        x, scales = images, []
        for layer in self._hidden:
            z = layer.stage.weigh(x, layer.variables["kernel"])
            scale, offset = _batch_scale_and_offset(layer, z)
            x = _shrunk(layer, tf.nn.relu(z * scale + offset))
            scales.append((scale, offset))
        return self._read_out(x), scales

    def bounds(self, images: Tensor, labels: Tensor, epsilon: Tensor, scales: Tensor) -> Any:
        """Lower bounds of the margins [n, classes], and how loose the layers are."""
        low, high = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)
        input_width = tf.reduce_mean(high - low)
        center, radius = (low + high) / 2, (high - low) / 2
        tightness = []
        for layer, (scale, offset) in zip(self._hidden, scales, strict=True):
            kernel = layer.variables["kernel"] * scale
            center = layer.stage.weigh(center, kernel) + offset
            radius = layer.stage.weigh(radius, tf.abs(kernel))
            share = input_width / (2 * tf.reduce_mean(radius) + _TINY)
            tightness.append(tf.nn.relu(_TIGHT - share))
            center, radius = _bounds_of_relu(center, radius)
            for stage in layer.behind:
                center, radius = stage.shrink_around(center, radius)
        kernel, bias = self._output["kernel"], self._output["bias"]
        margins = margins_of(center, radius, kernel, bias, labels)
        return margins, tf.add_n(tightness) / len(tightness)

    def _read_out(self, x: Tensor) -> Tensor:
        return x @ self._output["kernel"] + self._output["bias"]


def _layers(architecture: Architecture, variables: dict[str, tf.Variable]) -> list[Layer]:
    """The layers with a kernel, the logits last; `variables` by layer/variable."""
    found: list[Layer] = []
    for stage in stages_of(build_model(architecture)):
        if isinstance(stage, Weighted):
            start = f"{stage.name}/"
            names = [name for name in variables if name.startswith(start)]
            own = {name.removeprefix(start): variables[name] for name in names}
            found.append(Layer(stage, own, []))
        elif isinstance(stage, Shrinking):
            found[-1].behind.append(stage)
    return found


def _shrunk(layer: Layer, x: Tensor) -> Tensor:
    for stage in layer.behind:
        x = stage.shrink(x)
    return x


def initial_weights(architecture: Architecture, settings: RobustSettings) -> Weights:
    """What a robust training begins with: layer/variable to array.

    Kernels are normal: with deviation √(2π) / inputs where bounds are trained, which keeps their
    width from layer to layer (Shi et al. 2021), else √(2 / inputs) (He et al. 2015). A normalized
    layer has a scale (gamma), an offset (beta) and moving statistics in place of its bias. Raises
    ValueError with one sentence on a kind of layer whose bounds cannot be trained.
    """
    random = np.random.default_rng(settings.seed)
    weights: Weights = {}
    for stage in stages_of(build_model(architecture)):
        if not stage.weighted:
            continue
        if not isinstance(stage, Weighted):
            raise ValueError(
                f"Robust training has no rule for {stage.name} ({stage.title}): "
                "choose a network of convolutions, pooling and dense layers."
            )
        shape = tuple(stage.layer.kernel.shape)
        inputs = math.prod(shape[:-1])
        deviation = math.sqrt(2 * math.pi) / inputs if settings.certifies else (2 / inputs) ** 0.5
        weights[f"{stage.name}/kernel"] = random.normal(0, deviation, shape).astype(np.float32)
        if stage.name in settings.normalized:
            for name, value in _NORMALIZATION.items():
                weights[f"{stage.name}/{name}"] = np.full(shape[-1], value, np.float32)
        else:
            weights[f"{stage.name}/bias"] = np.zeros(shape[-1], np.float32)
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


def folded(arrays: Weights) -> Weights:
    """`arrays` by layer/variable as those of `build_model`, normalization folded into its layer."""
    layers = dict.fromkeys(name.split("/")[0] for name in arrays)
    return {name: value for layer in layers for name, value in _fold(layer, arrays).items()}


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


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _bounds_of_relu(center: Tensor, radius: Tensor) -> Any:
    """Center and radius behind ReLU; fused, because these are many small steps on large maps."""
    low, high = tf.nn.relu(center - radius), tf.nn.relu(center + radius)
    return (low + high) / 2, (high - low) / 2


def _scale_and_offset(layer: Layer) -> Any:
    own = layer.variables
    if "bias" in own:
        return 1.0, own["bias"]
    scale = own["gamma"] * tf.math.rsqrt(own["moving_variance"] + _VARIANCE_FLOOR)
    return scale, own["beta"] - own["moving_mean"] * scale


def _batch_scale_and_offset(layer: Layer, z: Tensor) -> Any:
    """Scale and offset by the batch (Ioffe & Szegedy 2015, 1502.03167); moves the statistics."""
    own = layer.variables
    if "bias" in own:
        return 1.0, own["bias"]
    mean, variance = tf.nn.moments(z, list(range(len(z.shape) - 1)))
    for name, value in (("moving_mean", mean), ("moving_variance", variance)):
        own[name].assign(_STATISTICS * own[name] + (1 - _STATISTICS) * value)
    scale = own["gamma"] * tf.math.rsqrt(variance + _VARIANCE_FLOOR)
    return scale, own["beta"] - mean * scale
