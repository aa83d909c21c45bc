"""The network as attacks, maps and image optimizations run it: with a fast gradient to the pixels.

The same values as the Keras model at inference. TensorFlow's own gradients of a convolution with
one input channel and of a large dense layer take two to three times as long as these.
"""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from core.arrays import FloatArray
from core.backend import keras, tf

Step = Callable[..., Any]
_BLOCK = 4  # the gradient of an image is computed 4 × 4 pixels at a time, as 16 channels
_transposed: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # of dense layers, shared by graphs


def forward(model: keras.Model) -> Step:
    """A function for graphs: images [n, 28, 28, 1] to logits [n, classes]."""
    last = model.layers[-1].name
    outputs = layer_outputs(model, [last])
    return lambda images: outputs(images)[last]


def in_loop(function: Step) -> Step:
    """`function` for the inside of a loop, as a graph of its own.

    TensorFlow exchanges the gradient of max pooling for one that is ten times as fast only where
    it meets the pooling first, which in a graph with a cycle is a matter of chance.
    """
    own_graph: Step = tf.function(
        function, autograph=False, experimental_attributes={"_noinline": True}
    )
    return own_graph


def layer_outputs(model: keras.Model, names: Sequence[str]) -> Callable[[Any], dict[str, Any]]:
    """A function for graphs: images [n, 28, 28, 1] to what each named layer puts out."""
    steps = _steps(model, names)

    def run(images: Any) -> dict[str, Any]:
        x, found = images, {}
        for name, step in steps:
            x = step(x)
            if name in names:
                found[name] = x
        return found

    return run


def _steps(model: keras.Model, names: Sequence[str]) -> list[tuple[str, Step]]:
    """The layers one behind the other; two become one where nobody asks for what is between."""
    kinds = keras.layers
    steps: list[tuple[str, Step]] = []
    layers = list(model.layers)
    while layers:
        layer = layers.pop(0)
        following = layers[0] if layers and layer.name not in names else None
        if isinstance(layer, kinds.InputLayer):
            steps.append((layer.name, tf.identity))
        elif isinstance(layer, kinds.Conv2D) and isinstance(following, kinds.BatchNormalization):
            steps.append((layers.pop(0).name, _convolution(layer, *_scale_and_shift(following))))
        elif isinstance(layer, kinds.Conv2D):
            steps.append((layer.name, _convolution(layer)))
        elif isinstance(layer, kinds.ReLU) and isinstance(following, kinds.MaxPooling2D):
            pool = layers.pop(0)  # the larger of two after ReLU is the ReLU of the larger
            steps.append((pool.name, lambda x, pool=pool: tf.nn.relu(_pooled(pool, x))))
        elif isinstance(layer, kinds.MaxPooling2D):
            steps.append((layer.name, lambda x, layer=layer: _pooled(layer, x)))
        elif isinstance(layer, kinds.Dense):
            steps.append((layer.name, _dense(layer)))
        elif isinstance(layer, kinds.BatchNormalization):
            scale, shift = _scale_and_shift(layer)
            steps.append((layer.name, lambda x, a=scale, b=shift: a * x + b))
        else:
            steps.append((layer.name, lambda x, layer=layer: layer(x, training=False)))
    return steps


def _pooled(layer: Any, maps: Any) -> Any:
    return tf.nn.max_pool2d(maps, layer.pool_size, layer.strides, layer.padding.upper())


def _scale_and_shift(layer: Any) -> tuple[FloatArray, FloatArray]:
    """Batch normalization at inference is scale · x + shift (Ioffe & Szegedy 2015)."""
    gamma, beta, mean, variance = (np.asarray(weight) for weight in layer.weights)
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return scale, beta - mean * scale


def _convolution(
    layer: Any, scale: FloatArray | float = 1.0, shift: FloatArray | float = 0.0
) -> Step:
    """Convolution and bias, then scale · x + shift, in one."""
    weights = np.asarray(layer.kernel) * np.float32(scale)
    kernel, bias = tf.constant(weights), tf.constant(np.asarray(layer.bias) * scale + shift)
    padding = layer.padding.upper()

    def convolve(maps: Any) -> Any:
        return tf.nn.bias_add(tf.nn.conv2d(maps, kernel, layer.strides, padding), bias)

    side, inputs = layer.input.shape[1], weights.shape[2]
    if padding != "SAME" or layer.strides != (1, 1) or weights.shape[0] % 2 == 0:
        return convolve
    if inputs == 1 and side % _BLOCK == 0:
        return _with_gradient(convolve, _block_gradient(weights))
    flipped = tf.constant(np.ascontiguousarray(weights[::-1, ::-1].transpose(0, 1, 3, 2)))
    return _with_gradient(convolve, lambda rise: tf.nn.conv2d(rise, flipped, 1, "SAME"))


def _block_gradient(weights: FloatArray) -> Step:
    """From the gradient of a convolution's output to that of its one input channel.

    One convolution with a stride of a block gives all pixels of a block as channels; its kernel
    is the flipped kernel, placed once for each pixel.
    """
    size, _, _, filters = weights.shape
    border = size // 2
    kernel = np.zeros((_BLOCK + 2 * border,) * 2 + (filters, _BLOCK, _BLOCK), np.float32)
    for row in range(_BLOCK):
        for column in range(_BLOCK):
            place = kernel[row : row + size, column : column + size, :, row, column]
            place[:] = weights[::-1, ::-1, 0]
    kernel = tf.constant(kernel.reshape(*kernel.shape[:3], _BLOCK**2))
    around = [[0, 0], [border, border], [border, border], [0, 0]]
    return lambda rise: tf.nn.depth_to_space(tf.nn.conv2d(rise, kernel, _BLOCK, around), _BLOCK)


def _dense(layer: Any) -> Step:
    if layer not in _transposed:
        _transposed[layer] = tf.constant(np.ascontiguousarray(np.asarray(layer.kernel).T))
    transposed = _transposed[layer]

    def product(x: Any) -> Any:
        kernel = tf.convert_to_tensor(layer.kernel)
        return _with_gradient(
            lambda x: tf.matmul(x, kernel), lambda rise: tf.matmul(rise, transposed)
        )(x)

    return lambda x: tf.nn.bias_add(product(x), tf.convert_to_tensor(layer.bias))


def _with_gradient(function: Step, gradient: Step) -> Step:
    """A linear function whose gradient is computed by `gradient`."""
    return tf.custom_gradient(lambda x: (function(x), gradient))  # type: ignore[no-any-return]
