"""Max pooling whose gradient is fast on a processor."""

from typing import Any

from core.arrays import Tensor
from core.backend import tf


def max_pool(maps: Tensor, window: int) -> Tensor:
    """Maps [n, h, w, c] max-pooled without overlap; at a tie the first pixel takes the gradient.

    The same values and gradient as TensorFlow's kernels, whose gradient takes ten times as long
    (6.1 against 0.6 ms for 32 images of MNIST with 32 channels on one thread).
    """
    if window == 1:
        return maps
    height, width = maps.shape[1] // window * window, maps.shape[2] // window * window
    if (height, width) != tuple(maps.shape[1:3]):  # slicing nothing off still costs: its gradient
        maps = maps[:, :height, :width]
    return _max_pool(maps, window)


def _max_pool(maps: Tensor, window: int) -> Tensor:
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def pool(maps: Tensor) -> Any:
        pooled = tf.nn.max_pool2d(maps, window, window, "VALID")
        return pooled, lambda gradient: _max_pool_gradient(maps, pooled, gradient, window)

    return pool(maps)


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _max_pool_gradient(maps: Tensor, pooled: Tensor, gradient: Tensor, window: int) -> Tensor:
    rows, columns, channels = pooled.shape[1:]
    windows = tf.reshape(maps, [-1, rows, window, columns, window, channels])
    pooled, left = pooled[:, :, None, :, None], gradient[:, :, None, :, None]
    lines = []
    for i in range(window):
        line = []
        for j in range(window):
            first = windows[:, :, i : i + 1, :, j : j + 1] == pooled
            line.append(tf.where(first, left, 0.0))
            left = tf.where(first, 0.0, left)
        lines.append(tf.concat(line, axis=4))
    return tf.reshape(tf.concat(lines, axis=2), tf.shape(maps))
