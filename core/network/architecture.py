"""What a network looks like, as data: the report's two models, and any that a person designs."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from core.arrays import CLASSES, SIDE
from core.checks import check_range, check_switch, check_whole
from core.fields import Fields

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
        check_switch("Batch normalization", self.batch_normalization)
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
    def from_dict(cls, values: object) -> "Architecture":
        """The inverse of `to_dict`. Raises ValueError on anything that is not an architecture."""
        fields = Fields(values, "The architecture")
        return cls(
            blocks=tuple(map(_block, fields.records("blocks", 6))),
            hidden_units=fields.wholes("hidden_units", 4, 1, 4096),
            batch_normalization=fields.flag("batch_normalization"),
            dropout=fields.number("dropout", 0, 0.9),
            classes=fields.whole("classes", 2, 1000),
        )


def _block(fields: Fields) -> ConvBlock:
    return ConvBlock(
        filters=fields.whole("filters", 1, 256),
        kernel_size=fields.whole("kernel_size", 1, 11),
        stride=fields.whole("stride", 1, 4),
        pooling=fields.whole("pooling", 1, 4),
    )


MODEL_1 = Architecture()
MODEL_2 = Architecture(batch_normalization=True)
