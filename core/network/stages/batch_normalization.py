"""Batch normalization: Ioffe & Szegedy (2015), arXiv:1502.03167."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from core.arrays import FloatArray, Tensor
from core.later import keras, tf
from core.network.stages.halves import ANSWERING, TRAINING, Halves
from core.network.stages.roles import Linear
from core.network.stages.stage import Step


class BatchNormalization(Linear):
    """Each channel by its mean and variance, then a scale and an offset that are learned."""

    kind, title = "BatchNormalization", "batch normalization"
    decisive = ("axis", "epsilon")

    @staticmethod
    def built(name: str) -> Any:
        """A new Keras layer."""
        return keras.layers.BatchNormalization(name=f"{name}_bn")

    def forward(self) -> Step:
        """As of every stage."""
        scale, shift = self.affine()
        return lambda x: scale * x + shift

    def affine(self) -> tuple[FloatArray, FloatArray]:
        """As of every stage."""
        gamma, beta, mean, variance = (np.asarray(weight) for weight in self.layer.weights)
        scale = gamma / np.sqrt(variance + self.layer.epsilon)
        return scale, beta - mean * scale

    def train(self, halves: Halves) -> Halves:
        """As of every stage; it is left for later."""
        return replace(halves, normalization=self)

    def settled(self, halves: Halves) -> Halves:
        """`halves` normalized, by the statistics of both, so that splitting changes nothing."""
        answering = halves.mode == ANSWERING
        return self._normalized(halves, *(() if answering else _moments(halves.parts)))

    def max_pooled(self, halves: Halves, window: int) -> Halves:
        """The same, pooled first: it is monotone in each channel, and then has less to do."""
        from core.network.pooling import max_pool, max_pool_and_moments

        signs = tf.where(self.layer.gamma < 0, -1.0, 1.0)
        if halves.mode == ANSWERING:
            return self._normalized(halves.mapped(lambda part: max_pool(part, window, signs)))
        parts, *moments = max_pool_and_moments(halves.parts, signs, window)
        return self._normalized(replace(halves, parts=parts), *moments)

    def _normalized(self, halves: Halves, *moments: Tensor) -> Halves:
        """By mean and variance [c], or the moving ones.

        The mean takes the bias before it away again, so that is only added to the moving mean.
        """
        layer, bias = self.layer, halves.bias
        mean, variance = moments or (layer.moving_mean - bias, layer.moving_variance)
        if halves.mode == TRAINING:
            keep = layer.momentum
            layer.moving_mean.assign(keep * layer.moving_mean + (1 - keep) * (mean + bias))
            layer.moving_variance.assign(keep * layer.moving_variance + (1 - keep) * variance)
        scale = layer.gamma * tf.math.rsqrt(variance + layer.epsilon)
        done = halves.mapped(lambda part: part * scale + (layer.beta - mean * scale))
        return replace(done, normalization=None, bias=None)

    def around(self, center: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """As of every linear layer."""
        layer = self.layer
        scale = layer.gamma * tf.math.rsqrt(layer.moving_variance + layer.epsilon)
        return (center - layer.moving_mean) * scale + layer.beta, radius * tf.abs(scale)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """As of every stage."""
        return math.prod(shape)

    @property
    def per_channel(self) -> tuple[str, ...]:
        """As of every stage."""
        return ("gamma", "beta")


def _moments(parts: list[Tensor]) -> tuple[Any, Any]:
    """Mean and variance of each channel, over all parts."""
    axes = list(range(len(parts[0].shape) - 1))
    count = tf.cast(tf.add_n([tf.size(part) for part in parts]), tf.float32) / parts[0].shape[-1]
    mean = tf.add_n([tf.reduce_sum(part, axes) for part in parts]) / count
    variance = tf.add_n([tf.reduce_sum((part - mean) ** 2, axes) for part in parts]) / count
    return mean, variance
