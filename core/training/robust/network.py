"""A network in robust training: its variables, its logits, and its bounds in the same graph."""

import math
from typing import Any, NamedTuple

import numpy as np

from core.arrays import SIDE, FloatArray
from core.backend import keras, tf
from core.certification.interval_bounds import margins_of
from core.network.architecture import Architecture
from core.network.model import Weights, build_model
from core.network.pooling import max_pool
from core.training.robust.settings import RobustSettings

_STATISTICS = 0.99  # of the past in the moving mean and variance
_VARIANCE_FLOOR = 1e-3
_NORMALIZATION = {"gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1}
_TIGHT = 0.5  # how wide the input should be, as a share of any layer's width
_TINY = 1e-8


class Layer(NamedTuple):
    """A convolution (with its stride and pooling) or a dense layer, and its variables."""

    name: str
    stride: int
    pooling: int
    variables: dict[str, tf.Variable]


class RobustNetwork:
    """The variables by layer/variable, and functions for graphs."""

    def __init__(self, architecture: Architecture, settings: RobustSettings) -> None:
        self.architecture = architecture
        initial = initial_weights(architecture, settings)
        self.variables = {name: tf.Variable(value) for name, value in initial.items()}
        names = [f"conv{number}" for number in range(1, len(architecture.blocks) + 1)]
        names += [f"dense{number}" for number in range(1, len(architecture.hidden_units) + 1)]
        self._hidden = [self._layer(name) for name in names]
        self._output = self._layer("logits").variables

    @property
    def trained(self) -> list[str]:
        """The variables that the optimizer moves: all but the moving statistics."""
        return [n for n in self.variables if not n.endswith(("moving_mean", "moving_variance"))]

    def logits(self, images: Any) -> Any:
        """In graphs: logits with the weights as they are now and the moving statistics."""
        x = images
        for layer in self._hidden:
            scale, offset = _scale_and_offset(layer)
            z = _linear(layer, x, layer.variables["kernel"])
            x = max_pool(tf.nn.relu(z * scale + offset), layer.pooling)
        return self._read_out(x)

    def train_forward(self, images: Any) -> Any:
        """Logits with the statistics of this batch, and each hidden layer's scale and offset."""
        x, scales = images, []
        for layer in self._hidden:
            z = _linear(layer, x, layer.variables["kernel"])
            scale, offset = _batch_scale_and_offset(layer, z)
            x = max_pool(tf.nn.relu(z * scale + offset), layer.pooling)
            scales.append((scale, offset))
        return self._read_out(x), scales

    def bounds(self, images: Any, labels: Any, epsilon: Any, scales: Any) -> Any:
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
            tightness.append(tf.nn.relu(_TIGHT - share))
            center, radius = _bounds_of_relu(center, radius)
            if layer.pooling > 1:
                low = max_pool(center - radius, layer.pooling)
                high = max_pool(center + radius, layer.pooling)
                center, radius = (low + high) / 2, (high - low) / 2
        kernel, bias = self._output["kernel"], self._output["bias"]
        margins = margins_of(_flat(center), _flat(radius), kernel, bias, labels)
        return margins, tf.add_n(tightness) / len(tightness)

    def _read_out(self, x: Any) -> Any:
        return _flat(x) @ self._output["kernel"] + self._output["bias"]

    def _layer(self, name: str) -> Layer:
        own = {
            path.split("/")[1]: variable
            for path, variable in self.variables.items()
            if path.startswith(f"{name}/")
        }
        if not name.startswith("conv"):
            return Layer(name, 0, 1, own)
        block = self.architecture.blocks[int(name.removeprefix("conv")) - 1]
        return Layer(name, block.stride, block.pooling, own)


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
        weights[f"{layer.name}/kernel"] = random.normal(0, deviation, shape).astype(np.float32)
        if layer.name in settings.normalized:
            for name, value in _NORMALIZATION.items():
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
