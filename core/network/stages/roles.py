"""What several kinds of layer have in common, and what an architecture can choose among."""

from typing import Any

from core.arrays import IntArray, Tensor
from core.later import keras
from core.network.stages.halves import Halves
from core.network.stages.reach import rows_under
from core.network.stages.stage import Stage


class Linear(Stage):
    """A layer whose bounds follow from the middle of its inputs and their distance from it."""

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """As of every stage."""
        center, radius = self.around((low + high) / 2, (high - low) / 2)
        return center - radius, center + radius

    def around(self, center: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """The output's center and radius: the radius goes through the magnitudes of the weights."""
        raise NotImplementedError


class Weighted(Linear):
    """A layer whose outputs are its inputs under one kernel, and a bias."""

    drawn = weighted = True

    def weigh(self, x: Tensor, kernel: Tensor) -> Tensor:
        """In graphs: the sums that `kernel`, in place of its own, gives; without a bias."""
        raise NotImplementedError


class Monotone(Stage):
    """A layer none of whose outputs falls where an input rises."""

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """As of every stage."""
        return self.layer(low), self.layer(high)


class Block(Stage):
    """What a convolution block of an architecture can be. key: in cards and links; label: in lists;
    prefix: of its layers' names.
    """

    key = label = prefix = ""

    @staticmethod
    def layers(
        name: str, filters: int, size: int, stride: int, *, normalized: bool, seed: int
    ) -> list[Any]:
        """New Keras layers up to the ReLU. size: of the kernels; seed: of their Glorot values."""
        raise NotImplementedError

    @staticmethod
    def kernels(channels: int, filters: int, size: int) -> list[tuple[int, ...]]:
        """Shapes of the kernels at every position of its output, of an input with `channels`."""
        raise NotImplementedError


class Shrinking(Monotone):
    """What can make less of maps. key: in cards and links; label: in lists."""

    key = label = ""

    def shrink(self, maps: Tensor) -> Tensor:
        """In graphs: its output, with a gradient that is fast while the network learns."""
        raise NotImplementedError

    def shrink_around(self, center: Tensor, radius: Tensor) -> tuple[Tensor, Tensor]:
        """In graphs: center and radius of its outputs, from those of its inputs."""
        if self.linear:
            return self.shrink(center), self.shrink(radius)
        low, high = self.shrink(center - radius), self.shrink(center + radius)
        return (low + high) / 2, (high - low) / 2

    def train(self, halves: Halves) -> Halves:
        """As of every stage."""
        return halves.settled().mapped(self.shrink)


class Pooling(Shrinking):
    """What can make a block's maps smaller, window by window."""

    decisive = ("pool_size", "strides", "padding")
    drawn = pools = True

    @staticmethod
    def built(name: str, window: int) -> Any:
        """A new Keras layer."""
        raise NotImplementedError

    @property
    def window(self) -> tuple[int, int]:
        """As of every stage."""
        return int(self.layer.pool_size[0]), int(self.layer.strides[0])

    def rows_before(self, rows: IntArray, side: int) -> IntArray:
        """As of every stage."""
        return rows_under(rows, side, *self.window, self.layer.padding)


class Ending(Shrinking):
    """What can make one row of numbers of the last maps."""

    sees_all = True

    @staticmethod
    def built() -> Any:
        """A new Keras layer."""
        raise NotImplementedError

    @staticmethod
    def units(side: int, channels: int) -> int:
        """How many numbers it makes of square maps."""
        raise NotImplementedError


def glorot(seed: int) -> Any:
    """Where kernels begin: uniform (Glorot & Bengio 2010)."""
    return keras.initializers.GlorotUniform(seed=seed)
