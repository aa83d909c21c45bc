"""The forward pass of a network in training, in graphs: two halves of a batch, fast gradients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.backend import keras, tf
from core.network.architecture import Architecture
from core.network.pooling import max_pool
from core.training.augmentation import stateless_seed

TRAINING, ATTACKING, ANSWERING = "training", "attacking", "answering"


@dataclass(frozen=True)
class TrainingForward:
    """What `model`, built from `architecture`, computes while it learns."""

    architecture: Architecture
    model: keras.Model

    def __call__(self, images: Any, seed: Any, mode: str = TRAINING) -> Any:
        """Logits of images float32 [n, 28, 28, 1], n ≥ 2, on the two halves side by side.

        The same function as the model's own, arranged for speed: ReLU and the bias come after
        max pooling, with which both commute, on a quarter of the numbers; batch normalization
        takes its statistics over both halves, so that splitting changes nothing. Its averages
        move while TRAINING, and are what it normalizes by when ANSWERING, without dropout.
        """
        half = (tf.shape(images)[0] + 1) // 2
        parts = [images[:half], images[half:]]
        for number, block in enumerate(self.architecture.blocks, 1):
            kernel = self.model.get_layer(f"conv{number}").kernel
            parts = [tf.nn.conv2d(part, kernel, block.stride, "SAME") for part in parts]
            parts = self._activate(parts, f"conv{number}", block.pooling, mode)
        parts = [tf.reshape(part, [-1, int(np.prod(part.shape[1:]))]) for part in parts]
        for number in range(1, len(self.architecture.hidden_units) + 1):
            kernel = self.model.get_layer(f"dense{number}").kernel
            parts = self._activate(_multiply(parts, kernel), f"dense{number}", 1, mode)
            if (rate := self.architecture.dropout) and mode != ANSWERING:
                parts = [
                    tf.nn.experimental.stateless_dropout(
                        part, rate, seed=stateless_seed(seed, number, index)
                    )
                    for index, part in enumerate(parts)
                ]
        output = self.model.get_layer("logits")
        return tf.concat([part @ output.kernel + output.bias for part in parts], axis=0)

    def _activate(self, parts: list[Any], name: str, pooling: int, mode: str) -> list[Any]:
        """Bias, batch normalization, ReLU and max pooling of what the layer `name` computed."""
        bias = self.model.get_layer(name).bias
        if self.architecture.batch_normalization:
            layer = self.model.get_layer(f"{name}_bn")
            parts = _batch_normalize(parts, layer, bias, mode)
            return [tf.nn.relu(max_pool(part, pooling)) for part in parts]
        return [tf.nn.relu(max_pool(part, pooling) + bias) for part in parts]


def _multiply(parts: list[Any], kernel: Any) -> list[Any]:
    """Parts [n, inputs] @ kernel [inputs, units], with gradients made for a large kernel.

    Taken over all parts at once, they go through the kernel and its gradient once; and MatMul
    would first rearrange the kernel to transpose it, which takes longer than the product.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def multiply(kernel: Any, *parts: Any) -> Any:
        def gradients(*upstream: Any) -> Any:
            whole = tf.concat(upstream, axis=0)
            of_inputs = tf.raw_ops.BatchMatMulV2(x=whole, y=kernel, adj_y=True)
            of_kernel = tf.matmul(tf.concat(parts, axis=0), whole, transpose_a=True)
            return of_kernel, *tf.split(of_inputs, [tf.shape(part)[0] for part in parts])

        return [part @ kernel for part in parts], gradients

    products: list[Any] = multiply(tf.convert_to_tensor(kernel), *parts)
    return products


def _batch_normalize(parts: list[Any], layer: keras.Layer, bias: Any, mode: str) -> list[Any]:
    """Parts normalized by the mean and variance over all of them (Ioffe & Szegedy, 1502.03167).

    The mean takes the bias away again, so it is only added to the moving mean.
    """
    if mode == ANSWERING:
        mean, variance = layer.moving_mean - bias, layer.moving_variance
    else:
        mean, variance = _statistics(parts)
    if mode == TRAINING:
        keep = layer.momentum
        layer.moving_mean.assign(keep * layer.moving_mean + (1 - keep) * (mean + bias))
        layer.moving_variance.assign(keep * layer.moving_variance + (1 - keep) * variance)
    scale = layer.gamma * tf.math.rsqrt(variance + layer.epsilon)
    return [part * scale + (layer.beta - mean * scale) for part in parts]


def _statistics(parts: list[Any]) -> tuple[Any, Any]:
    """Mean and variance of each channel, over all parts."""
    axes = list(range(len(parts[0].shape) - 1))
    count = tf.cast(tf.add_n([tf.size(part) for part in parts]), tf.float32) / parts[0].shape[-1]
    mean = tf.add_n([tf.reduce_sum(part, axes) for part in parts]) / count
    variance = tf.add_n([tf.reduce_sum((part - mean) ** 2, axes) for part in parts]) / count
    return mean, variance
