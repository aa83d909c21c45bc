"""What a network looks like, as data: the report's two models, and any that a person designs."""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from core.checks import check_choice, check_range, check_switch, check_whole
from core.data.spec import MAX_SIDE, MIN_SIDE, MNIST
from core.fields import Fields
from core.network.stages.convolution import Conv2D
from core.network.stages.max_pooling import MaxPooling
from core.network.stages.passing import Flatten
from core.network.stages.table import BLOCKS, ENDINGS, POOLINGS

MAX_PARAMETERS = 16_000_000
MAX_MULTIPLY_ADDS = 100_000_000


@dataclass(frozen=True)
class ConvBlock:
    """A convolution (same padding), its ReLU, and pooling where `pooling` is above 1.

    kind: a key of `BLOCKS`, what stands in the convolution's place. pooling_kind: of `POOLINGS`.
    """

    filters: int = 32
    kernel_size: int = 3
    stride: int = 1
    pooling: int = 2
    kind: str = Conv2D.key
    pooling_kind: str = MaxPooling.key

    def __post_init__(self) -> None:
        check_whole("The number of filters", self.filters, 1, 256)
        check_whole("The kernel size", self.kernel_size, 1, 11)
        check_whole("The stride", self.stride, 1, 4)
        check_whole("The pooling window", self.pooling, 1, 4)
        check_choice("The kind of block", self.kind, tuple(BLOCKS))
        check_choice("The kind of pooling", self.pooling_kind, tuple(POOLINGS))


@dataclass(frozen=True)
class Architecture:
    """Convolution blocks, then hidden dense layers, then one logit per class.

    Batch normalization stands between every convolution or hidden dense layer and its ReLU.
    Dropout (a rate in [0, 0.9]) follows every hidden dense layer's ReLU. input_shape: (side, side,
    channels) of an image. ending: a key of `ENDINGS`, what makes a row of numbers of the last maps.
    """

    blocks: tuple[ConvBlock, ...] = (ConvBlock(), ConvBlock())
    hidden_units: tuple[int, ...] = (500,)
    batch_normalization: bool = False
    dropout: float = 0.0
    classes: int = len(MNIST.classes)
    input_shape: tuple[int, ...] = MNIST.shape
    ending: str = Flatten.key

    def __post_init__(self) -> None:
        check_whole("The number of convolution blocks", len(self.blocks), 1, 6)
        check_whole("The number of hidden dense layers", len(self.hidden_units), 0, 4)
        for units in self.hidden_units:
            check_whole("The number of hidden units", units, 1, 4096)
        check_switch("Batch normalization", self.batch_normalization)
        check_range("The dropout rate", self.dropout, 0, 0.9)
        check_whole("The number of classes", self.classes, 2, 1000)
        check_choice("The ending of the maps", self.ending, tuple(ENDINGS))
        check_whole("The number of axes of an image", len(self.input_shape), 3, 3)
        side, width, channels = self.input_shape
        check_whole("The side of an image in pixels", side, MIN_SIDE, MAX_SIDE)
        check_whole("The width of an image, which is square,", width, side, side)
        check_whole("The number of channels", channels, 1, 3)
        parameters, multiply_adds = self.size()
        if parameters > MAX_PARAMETERS or multiply_adds > MAX_MULTIPLY_ADDS:
            raise ValueError(
                f"The network has {parameters:,} weights and {multiply_adds:,} multiply-adds an "
                f"image, above {MAX_PARAMETERS:,} or {MAX_MULTIPLY_ADDS:,}: make it smaller."
            )

    def size(self) -> tuple[int, int]:
        """Weights and multiply-adds of one image, counted before anything is built."""
        parameters = multiply_adds = 0
        side, _, channels = self.input_shape
        for block, pooled in zip(self.blocks, self.output_sides(), strict=True):
            shapes = BLOCKS[block.kind].kernels(channels, block.filters, block.kernel_size)
            kernels = sum(map(math.prod, shapes))
            parameters += kernels
            multiply_adds += kernels * (-(-side // block.stride)) ** 2
            side, channels = pooled, block.filters
        widths = [ENDINGS[self.ending].units(side, channels), *self.hidden_units, self.classes]
        dense = sum(wide * narrow for wide, narrow in pairwise(widths))
        return parameters + dense, multiply_adds + dense

    def output_sides(self) -> list[int]:
        """Height (and width) in pixels after each block. ValueError if nothing is left."""
        side, sides = self.input_shape[0], []
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
        shape = (
            fields.wholes("input_shape", 3, 1, MAX_SIDE) if "input_shape" in fields else MNIST.shape
        )
        return cls(
            blocks=tuple(map(_block, fields.records("blocks", 6))),
            hidden_units=fields.wholes("hidden_units", 4, 1, 4096),
            batch_normalization=fields.flag("batch_normalization"),
            dropout=fields.number("dropout", 0, 0.9),
            classes=fields.whole("classes", 2, 1000),
            input_shape=shape,
            ending=_key(fields, "ending", Flatten.key),
        )


def _block(fields: Fields) -> ConvBlock:
    return ConvBlock(
        filters=fields.whole("filters", 1, 256),
        kernel_size=fields.whole("kernel_size", 1, 11),
        stride=fields.whole("stride", 1, 4),
        pooling=fields.whole("pooling", 1, 4),
        kind=_key(fields, "kind", Conv2D.key),
        pooling_kind=_key(fields, "pooling_kind", MaxPooling.key),
    )


def _key(fields: Fields, name: str, default: str) -> str:
    """What earlier cards do not name is the default."""
    return fields.text(name, 40) if name in fields else default


MODEL_1 = Architecture()
MODEL_2 = Architecture(batch_normalization=True)
