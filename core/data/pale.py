"""Strokes paler than the threshold of a whole picture, next to ink that is far above it.

One threshold between ink and paper (Otsu, 1979) lies far above the paper where the pen is black,
and takes for paper what a weaker pressure or a pencil has drawn. Such a stroke stands out of the
paper's noise, away from the blurred edges of the ink, and is about as thick as a stroke.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, FloatArray
from core.data.sheet import Box

_STROKES = 0.045, 8.0  # of the paper's brightness, and of its noise's robust standard deviation
_TOLD = 0.015, 5.0  # what stands out by less than a stroke may be paper: it is told, and not read
_CLEAR = 1.05  # times what stands out: paper that slopes beside the ink reaches just beyond it
_EDGE = 0.6  # of a stroke's thickness: how far its edge may be blurred
_THICKEST = 2.8  # thicknesses of the ink; what is thicker is a shadow

Place = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Pale:
    """What pale strokes add to the ink.

    strength: float [h, w] in 0 to 1, each piece relative to its own level; strokes: bool [h, w],
    the pieces that are strokes; left_out: the boxes of those that may be paper's, because they are
    fainter than 4.5 % of its brightness, or at the border of the picture, where shadows are; told:
    from which strength on they are, 1.5 % or more where the paper's noise hides more.
    """

    strength: FloatArray
    strokes: BoolArray
    left_out: tuple[Box, ...]
    told: float


def pale_strokes(raised: FloatArray, inked: BoolArray, thickness: float) -> Pale:
    """What stands out of the paper's noise beside the ink bool [h, w], and is shaped like a stroke.

    raised: float [h, w], how far each pixel stands from its paper; thickness: of the ink, pixels.
    """
    strength, strokes = np.zeros(raised.shape, np.float32), np.zeros(raised.shape, bool)
    left_out = []
    for least in (_STROKES, _TOLD):
        base, low = _floor(raised[~inked], *least)
        told = _CLEAR * low
        for place, own in _pieces(raised, inked, thickness, low):
            level = float(np.median(raised[place][own]))
            share = (raised[place] - base) / max(level - base, 1e-6)
            strength[place][own] = np.clip(share, 0, 1)[own]
            if least == _STROKES and not _at_border(place, raised.shape):
                strokes[place] |= own
            else:
                left_out.append(_box(place))
        inked = inked | (strength > 0)
    return Pale(strength, strokes, tuple(left_out), told)


def _floor(paper: FloatArray, least: float, deviations: float) -> tuple[float, float]:
    """Where ink begins, and where it stands out of the paper by `least` and out of its noise."""
    median = float(np.median(paper))
    noise = 1.4826 * float(np.median(np.abs(paper - median)))
    out = max(least, deviations * noise)
    return median + out / 2, median + out


def _pieces(
    raised: FloatArray, inked: BoolArray, thickness: float, low: float
) -> list[tuple[Place, BoolArray]]:
    """Pieces above `low`, beside the ink and shaped like strokes: where, and which pixels there."""
    weak = (raised > low) & ~inked
    reach = max(2.0, _EDGE * thickness)
    seeds = weak & (ndimage.distance_transform_edt(~inked) > reach)
    if not seeds.any():
        return []
    grown = weak & (ndimage.distance_transform_edt(~seeds) <= reach)
    labels, _ = ndimage.label(grown, np.ones((3, 3), bool))
    pieces = []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        own = labels[place] == number
        level = np.median(raised[place][own])
        if level < _CLEAR * low:
            continue
        core = own & (raised[place] > level / 2)
        if core.sum() >= thickness**2 and _is_slim(core, thickness):
            pieces.append((place, own))
    return pieces


def _is_slim(piece: BoolArray, thickness: float) -> bool:
    thick = 2 * float(ndimage.distance_transform_edt(np.pad(piece, 1)).max())
    return thick <= max(6.0, _THICKEST * thickness)


def _at_border(place: Place, shape: tuple[int, ...]) -> bool:
    return any(
        each.start == 0 or each.stop == side for each, side in zip(place, shape, strict=True)
    )


def _box(place: Place) -> Box:
    rows, columns = place
    return rows.start, columns.start, rows.stop, columns.stop
