"""The numbers of images as levels of 0 to 255: which range they are in is found, and undone."""

from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, ByteArray
from core.checks import check_choice
from core.data.reading.contents import Array
from core.data.reading.findings import DataFinding

_LOOKED_AT = 4_000  # images whose numbers tell
_EXACT = 1e-3  # of a level: how near to whole numbers levels must come
_THREE_DECIMALS = 0.13  # of a level: half a thousandth of 255
_PAPER = 200  # a border as bright as this, in most images, is paper

BYTES, BITS, SIXTEEN, UNIT, OF_256, SIGNED, TWICE, NORMALIZED, STRETCHED, WIDE, OFFSET = RANGES = (
    "0–255", "0–1 bits", "0–16", "0–1", "0–255/256", "−1–1", "divided twice", "normalized",
    "stretched", "0–65535", "−128–127",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Levels:
    """A level of 0 to 255 is scale · number + shift, each float64 [1], or [3] for three colors."""

    name: str
    scale: Array
    shift: Array
    finding: DataFinding

    def of(self, images: Array) -> ByteArray:
        """Uint8 levels of numbers [n, rows, columns] or with colors behind, rounded and clipped."""
        levels = np.empty(images.shape, np.uint8)
        for first in range(0, len(images), 1_000):
            part = images[first : first + 1_000].astype(np.float64) * self.scale + self.shift
            levels[first : first + 1_000] = np.clip(np.rint(part), 0, 255)
        return levels


def find_levels(images: Array, name: str = "") -> Levels:
    """The range of numbers [n, rows, columns] or with colors behind; or that of `name`, of RANGES.

    Raises ValueError on numbers that are not finite, or all the same.
    """
    if not np.isfinite(images).all():
        raise ValueError("The images hold numbers that are not finite: replace them.")
    least, most = float(images.min()), float(images.max())
    if least == most:
        raise ValueError(f"The images hold nothing but {least:g}: give images that show something.")
    if name:
        check_choice("The range of pixels", name, RANGES)
    else:
        name = _range(images[:_LOOKED_AT].astype(np.float64), least, most, images.dtype.kind)
    if name in _FIXED:
        scale, shift, why = _FIXED[name]
        sentence = f"{why} ({least:.6g} to {most:.6g}, {images.dtype})."
        return Levels(name, np.array([scale]), np.array([shift]), DataFinding("Range", sentence))
    if name == NORMALIZED:
        return _normalized(images[:_LOOKED_AT].astype(np.float64))
    scale = 255 / (most - least)
    sentence = (
        f"No known range ({least:.6g} to {most:.6g}, {images.dtype}): stretched so that the least "
        "becomes 0 and the largest 255."
    )
    return Levels(
        STRETCHED,
        np.array([scale]),
        np.array([-least * scale]),
        DataFinding("Range", sentence, True),
    )


_FIXED = {  # scale, shift, why
    BYTES: (1, 0, "Levels of 0 to 255"),
    BITS: (255, 0, "Bits: 0 is black and 1 is full"),
    SIXTEEN: (255 / 16, 0, "Counts of 0 to 16, as scikit-learn’s digits have them"),
    UNIT: (255, 0, "Numbers of 0 to 1"),
    OF_256: (256, 0, "Levels divided by 256 and not by 255: all are whole again × 256"),
    SIGNED: (127.5, 127.5, "Numbers of −1 to 1"),
    TWICE: (255 * 255, 0, "Divided by 255 twice: all are whole again × 255 × 255"),
    WIDE: (1 / 257, 0, "16 bits, of 0 to 65535"),
    OFFSET: (1, 128, "Signed bytes, of −128 to 127"),
}


def _range(some: Array, least: float, most: float, kind: str) -> str:
    if kind in "biu":
        return _of_whole(least, most)
    if least >= 0 and most <= 1 / 255 + 1e-9 and _whole(some * 255 * 255):
        return TWICE
    if least >= 0 and most <= 1:
        if most < 1 and _whole(some * 256) and not _whole(some * 255):
            return OF_256
        return UNIT
    if _whole(some):
        return _of_whole(least, most)
    if least >= -1 and most <= 1 and _whole((some + 1) * 127.5):
        return SIGNED
    if all(_spacing(channel) for channel in _channels(some)):
        return NORMALIZED
    return SIGNED if least >= -1 and most <= 1 else STRETCHED


def _of_whole(least: float, most: float) -> str:
    if least < 0:
        return OFFSET if least >= -128 and most <= 127 else STRETCHED
    for largest, name in ((1, BITS), (16, SIXTEEN), (255, BYTES), (65_535, WIDE)):
        if most <= largest:
            return name
    return STRETCHED


def _whole(levels: Array, tolerance: float = _EXACT) -> bool:
    return bool(np.abs(levels - np.rint(levels)).max() < tolerance)


def _channels(some: Array) -> list[Array]:
    return [some] if some.ndim == 3 else list(np.moveaxis(some, -1, 0))


def _spacing(some: Array) -> float | None:
    """The distance of neighboring levels, if all numbers lie on at most 256 even ones."""
    values = np.unique(some.astype(np.float32)).astype(np.float64)
    if not 2 < len(values) <= 3 * 256:
        return None
    gaps = np.diff(values)
    step = gaps[gaps > gaps.max() * 1e-4].min(initial=np.inf)
    places = (values - values[0]) / step
    if places[-1] > 255.5 or np.abs(places - np.rint(places)).max() > 0.02 * max(1, places[-1]):
        return None
    return float((values[-1] - values[0]) / np.rint(places[-1]))


def _normalized(some: Array) -> Levels:
    """Mean and deviation out of the distance of levels (1 / 255 deviations) and the least one."""
    channels = _channels(some)
    steps = [_spacing(channel) for channel in channels]
    if None in steps:
        raise ValueError("The images do not lie on even levels: choose another range.")
    least = [float(channel.min()) for channel in channels]
    deviation = [1 / (255 * step) for step in steps if step]
    mean = [-low * sd for low, sd in zip(least, deviation, strict=True)]
    told = ", ".join(f"{m:.4f} and {d:.4f}" for m, d in zip(mean, deviation, strict=True))
    sentence = (
        f"Normalized: mean and deviation {told} are found from the even distance of the levels, "
        "the least of which is taken for 0, and undone."
    )
    scale = np.array([1 / step for step in steps if step])
    shift = -np.array(least) * scale
    return Levels(NORMALIZED, scale, shift, DataFinding("Range", sentence, True))


def dark_on_light(images: ByteArray) -> BoolArray:
    """Of each image uint8 [n, rows, columns] or of colors, whether its border is mostly bright."""
    gray = images.mean(axis=3) if images.ndim == 4 else images
    border = np.concatenate([gray[:, 0], gray[:, -1], gray[:, :, 0], gray[:, :, -1]], axis=1)
    return np.asarray(np.median(border, axis=1) >= _PAPER)
