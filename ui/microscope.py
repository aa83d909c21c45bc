"""What the neuron microscope gets to see: one layer of one or two networks, packed once.

The browser computes every number it shows from these arrays; nothing is asked of the server while
a person points.
"""

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.feature_maps import (
    Convolution,
    DoubleArray,
    channel_arithmetic,
    feature_maps,
    is_dead,
    is_saturated,
    kernels,
    padding_before,
    seen_rows,
)
from ui import theme
from ui.components import colors, component

if TYPE_CHECKING:
    from core.classifier import Classifier
    from core.data import FloatArray

BUDGET = 200_000  # bytes before compression
KERNEL_LIMIT = 0.5
_microscope = component("microscope")
_KEY = "microscope"


@dataclass(frozen=True, eq=False)
class Side:
    """A network, an image float32 [1, 28, 28, 1], one convolution, and its channels' states.

    active: the share of positions of the first test images at which each channel is above 0.
    """

    title: str
    classifier: "Classifier"
    image: "FloatArray"
    convolution: Convolution
    active: DoubleArray

    def maps(self, stage: str = "before ReLU") -> "FloatArray":
        """Float32 [h, w, channels] of the image at a stage of the convolution."""
        return feature_maps(self.classifier, self.image, self.convolution.stages[stage])[0]


def asked_channel(layer: str) -> int | None:
    """The channel whose kernels the browser has asked for, None if none of this layer."""
    asked = st.session_state.get(_KEY, {}).get("channel") or {}
    known = isinstance(asked, dict) and asked.get("layer") == layer
    channel = asked.get("channel") if known else None
    return channel if isinstance(channel, int) else None


def show(
    sides: list[Side], *, stage: str, order: list[int], shared: bool, notes: list[str]
) -> None:
    """Draw the microscope; `order` lists channels, `notes` stand beside their numbers."""
    settings = {"stage": stage, "order": order, "shared": shared, "notes": notes}
    _microscope(key=_KEY, data=pack(sides, settings), on_channel_change=lambda: None)


def pack(sides: list[Side], settings: dict[str, Any]) -> bytes:
    """Header and arrays, compressed: 4 bytes with the header's length, JSON, then the arrays.

    Raises ValueError with one sentence on maps too large to send; kernels too large to send are
    cut to those of one channel.
    """
    first = sides[0]
    strongest = int(first.maps("after ReLU").max(axis=(0, 1)).argmax())
    channel = asked_channel(first.convolution.name)
    if channel is None or not 0 <= channel < first.convolution.channels:
        channel = strongest
    described = [_describe(side) for side in sides]
    weights = [kernels(side.classifier.model, side.convolution.name) for side in sides]
    size = sum(array.nbytes for _, arrays in described for array in arrays.values())
    if size > BUDGET:
        raise ValueError(
            f"{first.convolution.name} and what it reads take {size // 1000} kB, above "
            f"{BUDGET // 1000} kB: choose another layer, or compare nothing."
        )
    whole = size + sum(array.nbytes for array in weights) <= BUDGET
    packed: list[NDArray[Any]] = []
    for (header, arrays), weight in zip(described, weights, strict=True):
        arrays["kernel"] = weight if whole else weight[..., channel : channel + 1]
        header["arrays"] = [
            [name, array.dtype.name, list(array.shape)] for name, array in arrays.items()
        ]
        packed += arrays.values()
    palette = theme.palette()
    head = {
        **settings,
        "layer": first.convolution.name,
        "channel": channel,
        "oneNetwork": len({side.classifier.version for side in sides}) == 1,
        "whole": whole,
        "kernelLimit": KERNEL_LIMIT,
        "colors": {**colors(palette), "quiet": palette.quiet_text},
        "sides": [header for header, _ in described],
    }
    text = json.dumps(head).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in packed)
    return zlib.compress(len(text).to_bytes(4, "little") + text + body, 6)


def _describe(side: Side) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the browser must know of one side: plain values, and arrays by name."""
    own, model = side.convolution, side.classifier.model
    source = side.classifier.activations(side.image, own.source)[0]
    before = side.maps()
    low, high = before.min(axis=(0, 1)), before.max(axis=(0, 1))
    arithmetic = channel_arithmetic(model, own)
    header = {
        "title": side.title,
        "convolution": own.name,
        "sourceName": own.source,
        "side": own.side,
        "sourceSide": source.shape[0],
        "channels": own.channels,
        "inputs": own.input_channels,
        "kernelSize": own.kernel_size,
        "stride": own.stride,
        "padding": padding_before(source.shape[0], own.kernel_size, own.stride),
        "pooling": own.pooling if own.pooled else 0,
        "normalized": own.normalized,
        "sees": seen_rows(model, own.name).tolist(),
        "states": channel_states(side.active, high),
    }
    arrays = {
        "image": side.image[0, :, :, 0],
        "source": source,
        "bias": arithmetic.bias,
        "scale": arithmetic.scale,
        "shift": arithmetic.shift,
        "low": low,
        "high": high,
        "maps": _as_bytes(before, low, high),
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
