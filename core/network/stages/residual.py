"""The residual block: He et al. (2015), arXiv:1512.03385."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.arrays import FloatArray, IntArray, Tensor
from core.later import offered
from core.network.stages.batch_normalization import BatchNormalization
from core.network.stages.chain import reach, steps
from core.network.stages.convolution import Conv2D
from core.network.stages.halves import Halves
from core.network.stages.relu import ReLU
from core.network.stages.roles import Block
from core.network.stages.stage import Stage, Step, Sums

_layer = offered("core.network.stages.residual_sum", "ResidualSum")
_WITHIN = {stage.kind: stage for stage in (Conv2D, BatchNormalization, ReLU)}


class Residual(Block):
    """Two convolutions with a ReLU between, and a shortcut past both: a convolution of 1 × 1.

    The shortcut has weights in every block (option C of the paper), so that channels and stride
    may change. The ReLU behind the sum is a layer of its own.
    """

    kind, title, key, prefix = "ResidualSum", "residual block", "residual", "res"
    label = "Residual"
    decisive = ("kernel_size", "stride", "normalized")
    drawn = weighted = shortcut = True
    linear = False

    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        self._branch = [_WITHIN[type(each).__name__](each) for each in layer.branch]
        self._past = Conv2D(layer.past)

    @staticmethod
    def layers(
        name: str, filters: int, size: int, stride: int, *, normalized: bool, seed: int
    ) -> list[Any]:
        """As of every block: normalization stands behind either of its convolutions."""
        made: Any = _layer("ResidualSum")
        return [made(filters, size, stride, normalized, seed, name=name)]

    @staticmethod
    def kernels(channels: int, filters: int, size: int) -> list[tuple[int, ...]]:
        """As of every block."""
        return [
            *Conv2D.kernels(channels, filters, size),
            *Conv2D.kernels(filters, filters, size),
            *Conv2D.kernels(channels, filters, 1),
        ]

    @property
    def variables(self) -> dict[str, Any]:
        """As of every stage, such as first/kernel."""
        return {
            f"{stage.name}/{name}": variable
            for stage in (*self._branch, self._past)
            for name, variable in stage.variables.items()
        }

    def forward(self) -> Step:
        """As of every stage."""
        branch, past = _chain(self._branch), self._past.forward()
        return lambda maps: branch(maps) + past(maps)

    def train(self, halves: Halves) -> Halves:
        """As of every stage."""
        before = after = halves.settled()
        for stage in self._branch:
            after = stage.train(after)
        after, past = after.settled(), self._past.train(before).settled()
        parts = [a + b for a, b in zip(after.parts, past.parts, strict=True)]
        return replace(after, parts=parts)

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """As of every stage: the sum of both ways' bounds, as if they did not know each other."""
        past_low, past_high = self._past.bounds(low, high)
        for stage in self._branch:
            low, high = stage.bounds(low, high)
        return low + past_low, high + past_high

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """As of every stage."""
        return sum(stage.multiply_adds(shape) for stage in (*self._branch, self._past))

    @property
    def window(self) -> tuple[int, int]:
        """As of every stage: that of both convolutions, in which the shortcut's lies."""
        return reach(self._branch)

    def rows_before(self, rows: IntArray, side: int) -> IntArray:
        """As of every stage."""
        first, *others = self._branch
        for stage in reversed(others):
            rows = stage.rows_before(rows, int(self.layer.output.shape[1]))
        return first.rows_before(rows, side)

    @property
    def sums(self) -> Sums:
        """As of every stage: the second convolution over the maps of the first, and the shortcut.

        What the second reads comes from within the block.
        """
        place = self._second
        normalization = self._branch[-1] if len(self._branch) > place + 1 else None
        return Sums(
            convolution=self._branch[place].layer,
            normalization=normalization,
            within=_chain(self._branch[:place]),
            added=self._past.forward(),
        )

    def scaled(self, scale: FloatArray, shift: FloatArray) -> Step:
        """As of every stage."""
        filters = len(scale)
        first = _chain(self._branch[: self._second])
        second = self._branch[self._second].scaled(scale, shift)
        past = self._past.scaled(np.ones(filters, np.float32), np.zeros(filters, np.float32))
        return lambda maps, factors: second(first(maps), factors) + past(maps, factors)

    @property
    def per_channel(self) -> tuple[str, ...]:
        """As of every stage."""
        ends = (self._branch[-1], self._past)
        return tuple(f"{stage.name}/{name}" for stage in ends for name in stage.per_channel)

    @property
    def _second(self) -> int:
        """The place of the second convolution in the branch."""
        return [stage.rectifies for stage in self._branch].index(True) + 1


def _chain(stages: Sequence[Stage]) -> Step:
    """In graphs: layers one behind the other, as one step."""
    every = [step for _, step in steps(stages)]
    return lambda maps: functools.reduce(lambda x, step: step(x), every, maps)
