"""What a network looks like, as data: the report's two models, and any that a person designs."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from core.checks import check_range, check_whole
from core.data import CLASSES, SIDE

MAX_PARAMETERS = 16_000_000
MAX_MULTIPLY_ADDS = 100_000_000


@dataclass(frozen=True)
class ConvBlock:
    """A convolution (same padding), its ReLU, and max pooling where `pooling` is above 1."""

    filters: int = 32
    kernel_size: int = 3
    stride: int = 1
    pooling: int = 2

    def __post_init__(self) -> None:
        check_whole("The number of filters", self.filters, 1, 256)
        check_whole("The kernel size", self.kernel_size, 1, 11)
        check_whole("The stride", self.stride, 1, 4)
        check_whole("The pooling window", self.pooling, 1, 4)


@dataclass(frozen=True)
class Architecture:
    """Convolution blocks, then hidden dense layers, then one logit per class.

    Batch normalization stands between every convolution or hidden dense layer and its ReLU.
    Dropout (a rate in [0, 0.9]) follows every hidden dense layer's ReLU.
    """

    blocks: tuple[ConvBlock, ...] = (ConvBlock(), ConvBlock())
    hidden_units: tuple[int, ...] = (500,)
    batch_normalization: bool = False
    dropout: float = 0.0
    classes: int = CLASSES

    def __post_init__(self) -> None:
        check_whole("The number of convolution blocks", len(self.blocks), 1, 6)
        check_whole("The number of hidden dense layers", len(self.hidden_units), 0, 4)
        for units in self.hidden_units:
            check_whole("The number of hidden units", units, 1, 4096)
        check_range("The dropout rate", self.dropout, 0, 0.9)
        check_whole("The number of classes", self.classes, 2, 1000)
        parameters, multiply_adds = self.size()
        if parameters > MAX_PARAMETERS or multiply_adds > MAX_MULTIPLY_ADDS:
            raise ValueError(
                f"The network has {parameters:,} weights and {multiply_adds:,} multiply-adds an "
                f"image, above {MAX_PARAMETERS:,} or {MAX_MULTIPLY_ADDS:,}: make it smaller."
            )

    def size(self) -> tuple[int, int]:
        """Weights and multiply-adds of one image, counted before anything is built."""
        parameters = multiply_adds = 0
        side, channels = SIDE, 1
        for block, pooled in zip(self.blocks, self.output_sides(), strict=True):
            kernels = block.kernel_size**2 * channels * block.filters
            parameters += kernels
            multiply_adds += kernels * (-(-side // block.stride)) ** 2
            side, channels = pooled, block.filters
        widths = [side**2 * channels, *self.hidden_units, self.classes]
        dense = sum(wide * narrow for wide, narrow in pairwise(widths))
        return parameters + dense, multiply_adds + dense

    def output_sides(self) -> list[int]:
        """Height (and width) in pixels after each block. ValueError if nothing is left."""
        side, sides = SIDE, []
        for number, block in enumerate(self.blocks, 1):
            side = -(-side // block.stride) // block.pooling
            if side < 1:
                raise ValueError(
                    f"Block {number} pools its map away to nothing: pool or stride less before it."
                )
            sides.append(side)
        return sides

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Architecture":
        """The inverse of `to_dict`. Raises ValueError on anything that is not an architecture."""
        try:
            blocks = tuple(ConvBlock(**_whole(block)) for block in values["blocks"])
            units = tuple(_whole({"units": number})["units"] for number in values["hidden_units"])
            return cls(
                blocks=blocks,
                hidden_units=units,
                batch_normalization=bool(values["batch_normalization"]),
                dropout=float(values["dropout"]),
                classes=_whole({"classes": values["classes"]})["classes"],
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(
                f"The description of the architecture is incomplete ({error})."
            ) from None


def _whole(values: dict[str, Any]) -> dict[str, int]:
    for key, value in values.items():
        if type(value) is not int:
            raise TypeError(f"{key} is {value!r}, not a whole number")
    return values


MODEL_1 = Architecture()
MODEL_2 = Architecture(batch_normalization=True)
