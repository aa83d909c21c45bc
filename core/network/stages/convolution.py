"""The convolution."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor
from core.later import keras, tf
from core.network.stages.batch_normalization import BatchNormalization
from core.network.stages.halves import Halves
from core.network.stages.reach import rows_under
from core.network.stages.roles import Block, Weighted, glorot
from core.network.stages.stage import Stage, Step, Sums, with_gradient

_BLOCK = 4  # the gradient of an image is computed 4 × 4 pixels at a time, as 16 channels


class Conv2D(Weighted, Block):
    """Square kernels, with “same” padding where this project builds it."""

    kind, title, key, prefix = "Conv2D", "convolution", "convolution", "conv"
    label = "Plain"
    decisive = ("strides", "padding", "dilation_rate", "groups", "activation")

    @staticmethod
    def layers(
        name: str, filters: int, size: int, stride: int, *, normalized: bool, seed: int
    ) -> list[Any]:
        """As of every block."""
        convolution = keras.layers.Conv2D(
            filters, size, strides=stride, padding="same", kernel_initializer=glorot(seed),
            name=name,
        )  # fmt: skip
        return [convolution, *([BatchNormalization.built(name)] if normalized else [])]

    @staticmethod
    def kernels(channels: int, filters: int, size: int) -> list[tuple[int, ...]]:
        """As of every block."""
        return [(size, size, channels, filters)]

    def forward(self) -> Step:
        """As of every stage. TensorFlow's gradient to one input channel takes twice as long."""
        return self._convolve(np.asarray(self.layer.kernel), np.asarray(self.layer.bias))

    def joined(self, following: Stage) -> Step | None:
        """With batch normalization behind it, scale and shift go into kernel and bias."""
        affine = following.affine()
        if affine is None:
            return None
        scale, shift = affine
        weights = np.asarray(self.layer.kernel) * np.float32(scale)
        return self._convolve(weights, np.asarray(self.layer.bias) * scale + shift)

    def _convolve(self, weights: FloatArray, bias: FloatArray) -> Step:
        strides, padding = self.layer.strides, self.layer.padding.upper()
        kernel, offset = tf.constant(weights), tf.constant(bias)

        def convolve(maps: Tensor) -> Tensor:
            return tf.nn.bias_add(tf.nn.conv2d(maps, kernel, strides, padding), offset)

        if padding != "SAME" or strides != (1, 1) or weights.shape[0] % 2 == 0:
            return convolve
        to_pixels = _block_gradient(kernel) if weights.shape[2] == 1 else None
        flipped = tf.constant(np.ascontiguousarray(weights[::-1, ::-1].transpose(0, 1, 3, 2)))

        def fast(maps: Tensor) -> Tensor:
            if to_pixels and maps.shape[1] % _BLOCK == 0:
                return with_gradient(convolve, to_pixels)(maps)
            return with_gradient(convolve, lambda rise: tf.nn.conv2d(rise, flipped, 1, "SAME"))(
                maps
            )

        return fast

    def train(self, halves: Halves) -> Halves:
        """As of every stage; the bias is left for later."""
        kernel, stride = tf.convert_to_tensor(self.layer.kernel), self.layer.strides[0]

        def convolve(part: Tensor) -> Tensor:
            side, channels = part.shape[1], part.shape[3]
            if channels == 1 and stride == 1 and kernel.shape[0] % 2 and side % _BLOCK == 0:
                return _convolve_gray(part, kernel)
            return tf.nn.conv2d(part, kernel, stride, "SAME")

        return replace(halves.settled().mapped(convolve), bias=self.layer.bias)

    def weigh(self, x: Tensor, kernel: Tensor) -> Tensor:
        """As of every layer with a kernel."""
        stride = self.layer.strides[0]
        if x.shape[-1] == 1:
            return _convolve_pixels(x, kernel, stride)
        return tf.nn.conv2d(x, kernel, stride, "SAME")

    def around(self, center: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """As of every linear layer."""
        layer, padding = self.layer, self.layer.padding.upper()
        center = tf.nn.conv2d(center, layer.kernel, layer.strides, padding) + layer.bias
        return center, tf.nn.conv2d(radius, tf.abs(layer.kernel), layer.strides, padding)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """As of every stage: the kernel, at every position."""
        return math.prod((*shape[:2], *self.layer.kernel.shape))

    @property
    def window(self) -> tuple[int, int]:
        """As of every stage."""
        return int(self.layer.kernel_size[0]), int(self.layer.strides[0])

    def rows_before(self, rows: IntArray, side: int) -> IntArray:
        """As of every stage."""
        return rows_under(rows, side, *self.window, self.layer.padding)

    @property
    def sums(self) -> Sums:
        """As of every stage."""
        return Sums(self.layer)

    def scaled(self, scale: FloatArray, shift: FloatArray) -> Step:
        """As of every stage: all goes into the weights, one fused operation."""
        kernel = np.asarray(self.layer.kernel) * scale
        bias = scale * np.asarray(self.layer.bias) + shift
        stride = self.layer.strides[0]

        def convolve(maps: Tensor, factors: Tensor) -> Tensor:
            sums = tf.nn.conv2d(maps, kernel * factors, stride, "SAME")
            return tf.nn.bias_add(sums, bias * factors)

        return convolve

    @property
    def per_channel(self) -> tuple[str, ...]:
        """As of every stage."""
        return ("kernel", "bias")


def _convolve_gray(images: Tensor, kernel: Tensor) -> Tensor:
    """Images of one channel under an odd kernel, with a fast gradient where they are attacked."""

    def convolve(images: Tensor, kernel: Tensor) -> Any:
        def gradients(rise: Tensor) -> Any:
            of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=images, filter_sizes=kernel.shape, out_backprop=rise,
                strides=[1, 1, 1, 1], padding="SAME",
            )  # fmt: skip
            return _block_gradient(kernel)(rise), of_kernel

        return tf.nn.conv2d(images, kernel, 1, "SAME"), gradients

    return tf.custom_gradient(convolve)(images, kernel)


def _block_gradient(kernel: Tensor) -> Step:
    """From the gradient of a convolution's output to that of its one input channel.

    One convolution with a stride of a block gives all pixels of a block as channels; its kernel
    is the flipped kernel, placed once for each pixel.
    """
    size, _, _, filters = kernel.shape
    border = size // 2
    places = np.full((_BLOCK + 2 * border,) * 2 + (_BLOCK, _BLOCK), size**2)  # of the 0 at the end
    flipped = np.arange(size**2)[::-1].reshape(size, size)
    for row in range(_BLOCK):
        for column in range(_BLOCK):
            places[row : row + size, column : column + size, row, column] = flipped
    numbers = tf.concat([tf.reshape(kernel, [size**2, filters]), tf.zeros([1, filters])], axis=0)
    placed = tf.gather(numbers, places.reshape(*places.shape[:2], _BLOCK**2))
    wide = tf.transpose(placed, [0, 1, 3, 2])
    around = [[0, 0], [border, border], [border, border], [0, 0]]
    return lambda rise: tf.nn.depth_to_space(tf.nn.conv2d(rise, wide, _BLOCK, around), _BLOCK)


def _convolve_pixels(images: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """The first convolution, over blocks of stride × stride pixels as channels where they fit.

    The same values; TensorFlow's gradient to a single channel takes three times as long.
    """
    side, _, _, filters = kernel.shape
    blocks = side // stride
    if stride == 1 or side % stride or images.shape[1] % stride:
        return tf.nn.conv2d(images, kernel, stride, "SAME")
    before = (side - stride) // 2
    pads = [before, side - stride - before]
    images = tf.nn.space_to_depth(tf.pad(images, [[0, 0], pads, pads, [0, 0]]), stride)
    kernel = tf.reshape(kernel, [blocks, stride, blocks, stride, filters])
    kernel = tf.transpose(kernel, [0, 2, 1, 3, 4])
    kernel = tf.reshape(kernel, [blocks, blocks, stride**2, filters])
    return tf.nn.conv2d(images, kernel, 1, "VALID")
