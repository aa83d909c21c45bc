"""The network as attacks, maps and image optimizations run it: with a fast gradient to the pixels.

The same values as the Keras model at inference. TensorFlow's own gradients of a convolution with
one input channel and of a large dense layer take two to three times as long as these.
"""

from collections.abc import Callable, Sequence
from typing import Any

from core.arrays import Tensor
from core.backend import keras, tf
from core.network.stages.chain import steps
from core.network.stages.stage import Step
from core.network.stages.table import stages_of


def forward(model: keras.Model) -> Step:
    """A function for graphs: images [n, h, w, c] to logits [n, classes]."""
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
    """A function for graphs: images [n, h, w, c] to what each named layer puts out."""
    chain = steps(stages_of(model), names)

    def run(images: Tensor) -> dict[str, Tensor]:
        x, found = images, {}
        for name, step in chain:
            x = step(x)
            if name in names:
                found[name] = x
        return found

    return run
