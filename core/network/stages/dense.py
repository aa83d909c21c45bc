"""The dense layer."""

import math
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from core.arrays import Tensor
from core.later import keras, tf
from core.network.stages.halves import Halves
from core.network.stages.roles import Weighted, glorot
from core.network.stages.stage import Step, with_gradient

_transposed: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # of layers, shared by graphs


class Dense(Weighted):
    """Every output is a weighted sum of all inputs."""

    kind, title = "Dense", "dense"
    decisive = ("activation",)
    sees_all = True

    @staticmethod
    def built(name: str, units: int, seed: int) -> Any:
        """A new Keras layer; seed: of its kernel."""
        return keras.layers.Dense(units, kernel_initializer=glorot(seed), name=name)

    def forward(self) -> Step:
        """As of every stage. TensorFlow's gradient of a large one takes two to three times as long.

        It rearranges the kernel each time.
        """
        layer = self.layer
        if layer not in _transposed:
            _transposed[layer] = tf.constant(np.ascontiguousarray(np.asarray(layer.kernel).T))
        transposed = _transposed[layer]

        def product(x: Tensor) -> Tensor:
            kernel = tf.convert_to_tensor(layer.kernel)
            return with_gradient(
                lambda x: tf.matmul(x, kernel), lambda rise: tf.matmul(rise, transposed)
            )(x)

        return lambda x: tf.nn.bias_add(product(x), tf.convert_to_tensor(layer.bias))

    def train(self, halves: Halves) -> Halves:
        """As of every stage; the bias is left for later."""
        halves = halves.settled()
        parts = _multiply(halves.parts, self.layer.kernel)
        return replace(halves, parts=parts, bias=self.layer.bias)

    def weigh(self, x: Tensor, kernel: Tensor) -> Tensor:
        """As of every layer with a kernel."""
        [product] = _multiply([x], kernel)
        return product

    def around(self, center: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """As of every linear layer."""
        kernel = self.layer.kernel
        return center @ kernel + self.layer.bias, radius @ tf.abs(kernel)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """As of every stage."""
        return math.prod(self.layer.kernel.shape)


def _multiply(parts: list[Tensor], kernel: Tensor) -> list[Tensor]:
    """Parts [n, inputs] @ kernel [inputs, units], with gradients made for a large kernel.

    Taken over all parts at once, they go through the kernel and its gradient once; and MatMul
    would first rearrange the kernel to transpose it, which takes longer than the product.
    """

    def multiply(kernel: Tensor, *parts: Tensor) -> Any:
        def gradients(*upstream: Tensor) -> Any:
            whole = tf.concat(upstream, axis=0)
            of_inputs = tf.raw_ops.BatchMatMulV2(x=whole, y=kernel, adj_y=True)
            of_kernel = tf.matmul(tf.concat(parts, axis=0), whole, transpose_a=True)
            with tf.control_dependencies([of_inputs]):  # a kernel in use is copied to be updated
                of_kernel = tf.identity(of_kernel)
            return of_kernel, *tf.split(of_inputs, [tf.shape(part)[0] for part in parts])

        return [part @ kernel for part in parts], gradients

    products: list[Any] = tf.custom_gradient(multiply)(tf.convert_to_tensor(kernel), *parts)
    return products
