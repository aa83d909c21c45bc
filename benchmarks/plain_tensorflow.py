"""Adversarial and certified training as one writes them with TensorFlow, Keras and a tape."""

from collections.abc import Callable
from typing import Any

LEARNING_RATE = 5e-4
EPSILON = 0.3
STEPS, STEP = 7, 0.1  # of PGD
CERTIFIED_EPSILON, SHARE, CERTIFIED_STEPS = 0.32, 0.75, 2
Step = Callable[[Any, Any], Any]


def attacked_step(network: Any) -> Step:
    """A step of Madry et al. (2017), arXiv:1706.06083, on images attacked by PGD-7."""
    import keras as k
    import tensorflow as tf

    loss_of = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = k.optimizers.Adam(LEARNING_RATE)

    @tf.function
    def step(images: Any, labels: Any) -> Any:
        attacked = _pgd(lambda x: network(x, training=True), images, labels, EPSILON, STEP, STEPS)
        with tf.GradientTape() as tape:
            loss = loss_of(labels, network(attacked, training=True))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    return step


def certified_step() -> Step:
    """A step on the weighted sum of an attacked loss and one on interval bounds.

    De Palma et al. (2023), arXiv:2305.13991, with the tightness term of Shi et al. (2021),
    arXiv:2103.17268: the network, the attack and the losses of `core.training.robust`.
    """
    import keras as k
    import tensorflow as tf

    weighted = [
        k.layers.Conv2D(32, 4, strides=2, padding="same"),
        k.layers.Conv2D(64, 4, strides=2, padding="same", use_bias=False),
        k.layers.Dense(256, use_bias=False),
        k.layers.Dense(10),
    ]
    normal: list[Any] = [None, k.layers.BatchNormalization(), k.layers.BatchNormalization()]
    flatten = k.layers.Flatten()

    def logits_of(x: Any, training: bool) -> Any:
        for layer, normalization in zip(weighted, normal, strict=False):
            x = layer(x if isinstance(layer, k.layers.Conv2D) else flatten(x))
            x = tf.nn.relu(normalization(x, training=training) if normalization else x)
        return weighted[-1](x)

    logits_of(tf.zeros([1, 28, 28, 1]), False)
    layers = [*weighted, *filter(None, normal)]
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    averages = [tf.Variable(variable.numpy()) for variable in variables]
    loss_of = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = k.optimizers.Adam(LEARNING_RATE, global_clipnorm=10.0)

    def bounds_of(low: Any, high: Any) -> Any:
        width, tightness = tf.reduce_mean(high - low), 0.0
        for layer, normalization in zip(weighted, normal, strict=False):
            low, high = _through(layer, low, high)
            if normalization:
                low, high = _normalized(normalization, low, high)
            tightness += tf.nn.relu(0.5 - width / tf.reduce_mean(high - low))
            low, high = tf.nn.relu(low), tf.nn.relu(high)
        return *_through(weighted[-1], low, high), tightness / len(normal)

    @tf.function
    def step(images: Any, labels: Any) -> Any:
        attacked = _pgd(
            lambda x: logits_of(x, False), images, labels,
            CERTIFIED_EPSILON, 0.75 * CERTIFIED_EPSILON, CERTIFIED_STEPS,
        )  # fmt: skip
        low = tf.maximum(images - CERTIFIED_EPSILON, 0.0)
        high = tf.minimum(images + CERTIFIED_EPSILON, 1.0)
        with tf.GradientTape() as tape:
            adversarial = loss_of(labels, logits_of(attacked, True))
            lowest, highest, tightness = bounds_of(low, high)
            worst = tf.where(tf.one_hot(labels, 10) > 0, lowest, highest)
            loss = SHARE * adversarial + (1 - SHARE) * loss_of(labels, worst) + 0.5 * tightness
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for average, variable in zip(averages, variables, strict=True):
            average.assign(0.999 * average + 0.001 * variable)
        return loss

    return step


def _pgd(
    logits_of: Callable[[Any], Any], images: Any, labels: Any,
    epsilon: float, step_size: float, steps: int,
) -> Any:  # fmt: skip
    import tensorflow as tf

    low, high = tf.maximum(images - epsilon, 0.0), tf.minimum(images + epsilon, 1.0)
    x = tf.clip_by_value(images + tf.random.uniform(tf.shape(images), -epsilon, epsilon), 0.0, 1.0)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits_of(x))
        x = tf.clip_by_value(x + step_size * tf.sign(tape.gradient(loss, x)), low, high)
    return x


def _through(layer: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Interval bounds through a layer with a kernel."""
    import keras as k
    import tensorflow as tf

    center, radius = (low + high) / 2, (high - low) / 2
    if isinstance(layer, k.layers.Conv2D):
        center = tf.nn.conv2d(center, layer.kernel, layer.strides, "SAME")
        radius = tf.nn.conv2d(radius, tf.abs(layer.kernel), layer.strides, "SAME")
    else:
        inputs = layer.kernel.shape[0]
        center = tf.reshape(center, [-1, inputs]) @ layer.kernel
        radius = tf.reshape(radius, [-1, inputs]) @ tf.abs(layer.kernel)
    if layer.use_bias:
        center += layer.bias
    return center - radius, center + radius


def _normalized(layer: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Interval bounds through batch normalization by its moving statistics."""
    import tensorflow as tf

    scale = layer.gamma * tf.math.rsqrt(layer.moving_variance + layer.epsilon)
    offset = layer.beta - layer.moving_mean * scale
    center, radius = (low + high) / 2 * scale + offset, (high - low) / 2 * tf.abs(scale)
    return center - radius, center + radius
