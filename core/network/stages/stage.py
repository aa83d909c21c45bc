"""A layer of a network, asked for all that depends on its kind."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.arrays import FloatArray, IntArray, Tensor
from core.later import tf
from core.network.stages.halves import Halves

Step = Callable[..., Any]


@dataclass(frozen=True)
class Sums:
    """How a unit of maps comes about: scale · (maps under a kernel + bias) + shift + added.

    convolution: the Keras layer whose kernel and bias these are. normalization: what gives scale
    and shift within the layer itself. within, added: in graphs, of the layer's input: the maps
    under the kernel, where that is not the input, and what is added.
    """

    convolution: Any
    normalization: "Stage | None" = None
    within: Step | None = None
    added: Step | None = None


class Stage:
    """One layer of a built model. What stands here holds of a kind that nobody has written down.

    Class attributes, by kind: kind, Keras's name; title, on screen; decisive, what of its
    configuration its answers follow from (None: all of it). Whether it: drawn, shows in the drawn
    network; weighted, has a kernel; idle, hands on the numbers that it gets; linear, makes weighted
    sums of its inputs; pools, makes of maps smaller ones or one number of each; rectifies, is a
    ReLU; passes_relu, has ReLU as well behind it as before it; sees_all, sees the whole image with
    each output; shortcut, lets its input go past it as well.
    """

    kind = ""
    title = ""
    decisive: tuple[str, ...] | None = None
    drawn = weighted = idle = pools = rectifies = passes_relu = sees_all = shortcut = False
    linear = True

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.layer.name)

    @property
    def variables(self) -> dict[str, Any]:
        """Its stored variables by name, in order."""
        return {variable.name: variable for variable in self.layer.weights}

    def forward(self) -> Step:
        """In graphs, at inference: input to output, with a fast gradient where one is known."""
        return lambda x: self.layer(x, training=False)

    def joined(self, following: "Stage") -> Step | None:
        """This layer and the following in one step, if that is faster."""

    def affine(self) -> tuple[FloatArray, FloatArray] | None:
        """Scale and shift of each channel, if that is all that the layer does."""

    def train(self, halves: Halves) -> Halves:
        """In graphs, while the network learns: the two halves of a batch, one layer on."""
        raise ValueError(f"{self.name} cannot be trained: a layer of kind {self._kind} is unknown.")

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """In graphs: least and largest outputs, from those of the inputs."""
        raise ValueError(
            f"Interval bounds have no rule for {self.name} ({self._kind}): "
            "choose a network of convolutions, dense layers, ReLU and pooling."
        )

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """For one image, from the output shape without the batch axis."""
        return 0

    @property
    def window(self) -> tuple[int, int]:
        """Rows of its input that an output sees, and by how many the next output's lie below."""
        return getattr(self.layer, "window", 1), 1  # a defense in front says its own

    def rows_before(self, rows: IntArray, side: int) -> IntArray:
        """First and last rows [h, 2] of its input, which has `side`, under `rows` of its output."""
        return rows

    @property
    def sums(self) -> Sums | None:
        """The arithmetic behind a unit of its maps, if the microscope can show it."""

    def scaled(self, scale: FloatArray, shift: FloatArray) -> Step:
        """In graphs, of maps and factors: scale · output + shift, times a factor per channel."""
        raise ValueError(f"The channels of {self.name} cannot be scaled: choose another layer.")

    @property
    def per_channel(self) -> tuple[str, ...]:
        """Variables whose last axis, multiplied by factors, multiplies the output's channels."""
        return ()

    def count(self, *names: str) -> int:
        """How many numbers the variables of these names hold."""
        return sum(
            math.prod(variable.shape)
            for name, variable in self.variables.items()
            if name.rsplit("/")[-1] in names
        )

    @property
    def _kind(self) -> str:
        return type(self.layer).__name__


def with_gradient(function: Step, gradient: Step) -> Step:
    """A linear function whose gradient is computed by `gradient`."""
    return tf.custom_gradient(lambda x: (function(x), gradient))  # type: ignore[no-any-return]
