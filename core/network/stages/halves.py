"""The two halves of a batch on their way through a network that learns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.later import tf

TRAINING, ATTACKING, ANSWERING = "training", "attacking", "answering"


@dataclass(frozen=True)
class Halves:
    """What the layers so far have made of both, and what is still to be done to it.

    normalization: the batch normalization (a stage) to be done first. bias, rectified: to be added,
    and whether ReLU follows. Max pooling commutes with all of them and comes before them, on a
    quarter of the numbers. mode: TRAINING moves the averages of batch
    normalization; ANSWERING goes by them, without dropout. seeds: for the number of a dropout layer
    and a half, the seed of its draws. dropped: how many such layers came before.
    """

    parts: list[Any]
    mode: str
    seeds: Callable[[int, int], Any]
    normalization: Any = None
    bias: Any = None
    rectified: bool = False
    dropped: int = 0

    def mapped(self, function: Callable[[Any], Any]) -> "Halves":
        """The same with `function` of each half."""
        return replace(self, parts=[function(part) for part in self.parts])

    def settled(self) -> "Halves":
        """The same with nothing left to be done."""
        done = self
        if self.normalization is not None:
            done = self.normalization.settled(self)
        elif self.bias is not None:
            done = replace(done.mapped(lambda part: part + self.bias), bias=None)
        if self.rectified:
            done = replace(done.mapped(tf.nn.relu), rectified=False)
        return done
