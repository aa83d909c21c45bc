"""Max pooling."""

from typing import Any

from core.arrays import Tensor
from core.later import keras, tf
from core.network.stages.halves import Halves
from core.network.stages.roles import Pooling
from core.network.stages.stage import Step


class MaxPooling(Pooling):
    """The largest value of each window."""

    kind, title, key, label = "MaxPooling2D", "max pooling", "max", "Max"
    passes_relu = True
    linear = False

    @staticmethod
    def built(name: str, window: int) -> Any:
        """A new Keras layer."""
        return keras.layers.MaxPooling2D(window, name=name)

    def forward(self) -> Step:
        """As of every stage."""
        layer = self.layer
        return lambda x: tf.nn.max_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())

    def train(self, halves: Halves) -> Halves:
        """As of every stage: normalization, bias and ReLU may come after it."""
        window = self.window[0]
        if halves.normalization is None:
            return halves.mapped(self.shrink)
        if any(side % window for side in halves.parts[0].shape[1:3]):  # some pixels count only here
            return halves.settled().mapped(self.shrink)
        return halves.normalization.max_pooled(halves, window)  # type: ignore[no-any-return]

    def shrink(self, maps: Tensor) -> Tensor:
        """As of all that shrinks."""
        from core.network.pooling import max_pool

        return max_pool(maps, self.window[0])
