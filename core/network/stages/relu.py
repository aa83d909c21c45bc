"""The rectified linear unit."""

from dataclasses import replace
from typing import Any

from core.later import keras, tf
from core.network.stages.halves import Halves
from core.network.stages.roles import Monotone
from core.network.stages.stage import Stage, Step


class ReLU(Monotone):
    """What is above 0 stays, the rest becomes 0."""

    kind, title = "ReLU", "ReLU"
    decisive = ("max_value", "negative_slope", "threshold")
    rectifies = True
    linear = False

    @staticmethod
    def built(name: str) -> Any:
        """A new Keras layer."""
        return keras.layers.ReLU(name=f"{name}_relu")

    def joined(self, following: Stage) -> Step | None:
        """The larger of two after ReLU is the ReLU of the larger."""
        if not following.passes_relu:
            return None
        step = following.forward()
        return lambda x: tf.nn.relu(step(x))

    def train(self, halves: Halves) -> Halves:
        """As of every stage; it is left for later."""
        return replace(halves, rectified=True)
