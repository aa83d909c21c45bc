"""Layers that hand on the numbers that they get."""

import math
from dataclasses import replace
from typing import Any

from core.arrays import Tensor
from core.later import keras, tf
from core.network.stages.halves import ANSWERING, Halves
from core.network.stages.roles import Ending
from core.network.stages.stage import Stage, Step


class Input(Stage):
    """The image."""

    kind, title = "InputLayer", "input"
    decisive = ()
    drawn = idle = True

    def forward(self) -> Step:
        """As of every stage."""
        step: Step = tf.identity
        return step

    def train(self, halves: Halves) -> Halves:
        """As of every stage."""
        return halves

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """As of every stage."""
        return low, high


class Flatten(Ending):
    """Maps as one row of numbers."""

    kind, title, key, label = "Flatten", "flatten", "flatten", "Flatten"
    decisive = ()
    idle = True

    @staticmethod
    def built() -> Any:
        """A new Keras layer."""
        return keras.layers.Flatten(name="flatten")

    @staticmethod
    def units(side: int, channels: int) -> int:
        """Numbers that it makes of maps."""
        return side**2 * channels

    def shrink(self, maps: Tensor) -> Tensor:
        """As of all that shrinks."""
        return tf.reshape(maps, [-1, math.prod(maps.shape[1:])])


class Dropout(Stage):
    """Some numbers left out, while the network learns."""

    kind, title = "Dropout", "dropout"
    decisive = ()
    idle = True

    @staticmethod
    def built(name: str, rate: float) -> Any:
        """A new Keras layer."""
        return keras.layers.Dropout(rate, name=f"{name}_dropout")

    def train(self, halves: Halves) -> Halves:
        """As of every stage."""
        if halves.mode == ANSWERING:
            return halves
        halves, number = halves.settled(), halves.dropped + 1
        parts = [
            tf.nn.experimental.stateless_dropout(
                part, self.layer.rate, seed=halves.seeds(number, index)
            )
            for index, part in enumerate(halves.parts)
        ]
        return replace(halves, parts=parts, dropped=number)

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """As of every stage."""
        return low, high
