"""What is sent to the neuron microscope: all convolutions of one or two networks, packed once.

The browser computes every number it shows from these arrays; nothing is asked of the server while
a person points or goes from layer to layer.
"""

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.inspection.feature_maps import (
    Convolution,
    DoubleArray,
    MapComparison,
    channel_arithmetic,
    feature_maps,
    is_dead,
    is_saturated,
    kernels,
    seen_rows,
    under_kernel,
)
from core.network.stages.reach import padding_before
from ui.components import described

if TYPE_CHECKING:
    from core.arrays import FloatArray
    from core.network.classifier import Classifier

BUDGET = 200_000  # bytes of one message, compressed
_HEADER_ROOM = 10_000  # of them: names, settings, receptive fields
KERNEL_LIMIT = 0.5
_END = zlib.compressobj(wbits=-15).flush()
Asked = dict[str, int | None]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Side:
    """A network, an image float32 [1, …], one convolution, and its channels' states.

    active: the share of positions of the first test images at which each channel is above 0; NaN
    where nobody has measured it.
    """

    title: str
    classifier: "Classifier"
    image: "FloatArray"
    convolution: Convolution
    active: DoubleArray

    def maps(self, stage: str = "before ReLU") -> "FloatArray":
        """Float32 [h, w, channels] of the image at a stage of the convolution."""
        return feature_maps(self.classifier, self.image, self.convolution.stages[stage])[0]


@dataclass(frozen=True, eq=False)
class ShownLayer:
    """A convolution on one or two sides, and how its maps are laid out: stage, order of channels.

    problem: why nothing lies beside the first side though something was asked for.
    """

    sides: tuple[Side, ...]
    stage: str
    order: list[int]
    comparison: MapComparison | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The convolution's name in the first network."""
        return self.sides[0].convolution.name


def pack(
    layers: list[ShownLayer], settings: dict[str, Any], *, opened: str, asked: Asked | None = None
) -> bytes:
    """Header and arrays, deflated: 4 bytes with the header's length, JSON, then the arrays.

    `asked` is what the browser has asked for, layer → channel, the latest first. Where 200 kB do
    not hold everything, that goes first, then the opened layer, then the others: layers with the
    kernels of one channel each, then all kernels. Raises ValueError if not even one layer fits.
    """
    asked = asked or {}
    parts = [_Part(layer, asked.get(layer.name)) for layer in layers]
    ranks = {name: rank for rank, name in enumerate(dict.fromkeys([*asked, opened]))}
    _choose(sorted(parts, key=lambda part: ranks.get(part.layer.name, len(ranks))))
    if not any(part.sent for part in parts):
        raise ValueError(" ".join(part.absence() for part in parts))
    sides = max(layers, key=lambda layer: len(layer.sides)).sides
    images = [{"image": side.image[0]} for side in sides]
    head = {
        **settings,
        "open": opened,
        "images": described(layers[0].sides[0].classifier.spec),
        "oneNetwork": len(_networks(sides)) == 1,
        "kernelLimit": KERNEL_LIMIT,
        "sides": [
            {"title": side.title, "arrays": _listed(image)}
            for side, image in zip(sides, images, strict=True)
        ],
        "layers": [part.header() for part in parts],
    }
    text = json.dumps(head).encode()
    beginning = _deflated(len(text).to_bytes(4, "little") + text)
    return b"".join([beginning, *map(_joined, images), *(part.body() for part in parts), _END])


def _choose(parts: "list[_Part]") -> None:
    """Mark what is sent: as many layers as fit, then as many of them with all kernels."""
    room = BUDGET - _HEADER_ROOM
    for part in parts:
        part.sent = len(part.maps) + len(part.one) <= room
        room -= part.sent * (len(part.maps) + len(part.one))
    for part in parts:
        more = len(part.all) - len(part.one)
        part.whole = part.sent and more <= room
        room -= part.whole * more


class _Part:
    """A layer on its way: deflated maps, kernels of one channel, and all kernels."""

    def __init__(self, layer: ShownLayer, channel: int | None) -> None:
        first = layer.sides[0]
        if channel is None or not 0 <= channel < first.convolution.channels:
            channel = int(first.maps("after ReLU").max(axis=(0, 1)).argmax())
        self.layer, self.channel = layer, channel
        self.sent = self.whole = False
        described = [_describe(side) for side in layer.sides]
        self.headers = [header for header, _ in described]
        self.maps = b"".join(_joined(arrays) for _, arrays in described)
        own = slice(channel, channel + 1)
        networks = _networks(layer.sides)
        self.one = b"".join(_deflated(_kernel(side)[..., own]) for side in networks)
        self.all = b"".join(map(_all_kernels, networks))

    def header(self) -> dict[str, Any]:
        """What the browser must know before it reads the arrays."""
        if not self.sent:
            return {"name": self.layer.name, "absent": self.absence()}
        comparison, channels = self.layer.comparison, self.layer.sides[0].convolution.channels
        differences = [] if comparison is None else comparison.by_channel
        return {
            "name": self.layer.name,
            "stage": self.layer.stage,
            "order": self.layer.order,
            "notes": [f"{each:.2f}" for each in differences] or [""] * channels,
            "channel": self.channel,
            "whole": self.whole,
            "networks": len(_networks(self.layer.sides)),
            "sides": self.headers,
        }

    def body(self) -> bytes:
        """The arrays that the header announces."""
        return self.maps + (self.all if self.whole else self.one) if self.sent else b""

    def absence(self) -> str:
        """Why the layer is not sent."""
        size = len(self.maps) + len(self.one)
        if size > BUDGET - _HEADER_ROOM:
            return (
                f"{self.layer.name} and what it reads take {size // 1000} kB compressed: too much "
                "to send. Compare nothing, or choose another model."
            )
        return f"{self.layer.name} does not fit beside the others: its button above fetches it."


def _networks(sides: tuple[Side, ...]) -> list[Side]:
    """One side of each network."""
    return list({side.classifier.version: side for side in sides}.values())


def _kernel(side: Side) -> "FloatArray":
    return kernels(side.classifier.model, side.convolution.name)


def _all_kernels(side: Side) -> bytes:
    """Deflated once per network: they take longest, and no image changes them."""
    return side.classifier.compiled(
        f"deflated_{side.convolution.name}", lambda _: _deflated(_kernel(side))
    )


def _deflated(data: "bytes | NDArray[Any]") -> bytes:
    """A piece of a deflate stream that ends at a byte, so that pieces can be joined."""
    squeezer = zlib.compressobj(6, wbits=-15)
    plain = data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()
    return squeezer.compress(plain) + squeezer.flush(zlib.Z_SYNC_FLUSH)


def _joined(arrays: Arrays) -> bytes:
    return _deflated(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays.values()))


def _listed(arrays: Arrays) -> list[Any]:
    """Name, type and shape of each array."""
    return [[name, array.dtype.name, list(array.shape)] for name, array in arrays.items()]


def _describe(side: Side) -> tuple[dict[str, Any], Arrays]:
    """What the browser must know of one side of a layer: plain values, and arrays by name."""
    own, model = side.convolution, side.classifier.model
    under, added = under_kernel(side.classifier, side.image, own)
    source = under[0]
    before = side.maps()
    low, high = before.min(axis=(0, 1)), before.max(axis=(0, 1))
    arithmetic = channel_arithmetic(model, own)
    arrays = {
        "source": source,
        "bias": arithmetic.bias,
        "scale": arithmetic.scale,
        "shift": arithmetic.shift,
        "low": low,
        "high": high,
        "maps": _as_bytes(before, low, high),
    } | ({} if added is None else {"added": added[0]})
    header = {
        "convolution": own.name,
        "sourceName": f"{own.name}, within" if own.shortcut else own.source,
        "side": own.side,
        "sourceSide": source.shape[0],
        "channels": own.channels,
        "inputs": own.input_channels,
        "kernelSize": own.kernel_size,
        "stride": own.stride,
        "padding": padding_before(source.shape[0], own.kernel_size, own.stride),
        "pooling": own.pooling if own.pooled else 0,
        "averages": own.averages,
        "normalized": own.normalized,
        "sees": seen_rows(model, own.name).tolist(),
        "states": channel_states(side.active, high),
        "arrays": _listed(arrays),
    }
    return header, arrays


def channel_states(active: DoubleArray, highest: "FloatArray") -> list[str]:
    """“dead”, “saturated”, “silent” (for this image) or “” for each channel."""
    kinds = zip(is_dead(active), is_saturated(active), highest <= 0, strict=True)
    return [
        "dead" if dead else "saturated" if saturated else "silent" if silent else ""
        for dead, saturated, silent in kinds
    ]


def _as_bytes(maps: "FloatArray", low: "FloatArray", high: "FloatArray") -> NDArray[np.int8]:
    """Maps for the eye, int8 [channels, h, w]: 127 is the channel's high, −127 its low."""
    up, down = np.maximum(high, 1e-12), np.maximum(-low, 1e-12)
    levels = np.where(maps > 0, maps / up, maps / down) * 127
    return np.moveaxis(np.rint(levels), -1, 0).astype(np.int8)
