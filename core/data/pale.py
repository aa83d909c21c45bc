"""Strokes paler than the threshold of a whole picture, next to ink that is far above it.

One threshold between ink and paper (Otsu, 1979) lies far above the paper where the pen is black,
and takes for paper what a weaker pressure or a pencil has drawn. Such a stroke stands out of the
paper's noise, away from the blurred edges of the ink, and is about as thick as a stroke.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, FloatArray, IntArray

_LEAST = 0.045  # of the paper's brightness: texture and compression stay below
_NOISE = 8  # robust standard deviations of the paper
_EDGE = 0.6  # of a stroke's thickness: how far its edge may be blurred
_THICKEST = 2.8  # thicknesses of the ink; what is thicker is a shadow


@dataclass(frozen=True, eq=False)
class Pale:
    """Pieces of pale ink: int64 [h, w], the number of a pixel's piece, 0 for none; and how far the
    ink of each stands from its paper, float [pieces + 1].
    """

    pieces: IntArray
    levels: FloatArray
    low: float

    def strength(self, raised: FloatArray) -> FloatArray:
        """The ink of the pieces, each relative to its own level: float [h, w] in 0 to 1."""
        level = self.levels[self.pieces]
        share = (raised - self.low) / np.maximum(level - self.low, 1e-6)
        strength: FloatArray = np.clip(share, 0, 1) * (self.pieces > 0)
        return strength


def pale_strokes(raised: FloatArray, inked: BoolArray, thickness: float) -> Pale:
    """What stands out of the paper's noise beside the ink bool [h, w], and is shaped like a stroke.

    raised: float [h, w], how far each pixel stands from its paper; thickness: of the ink, pixels.
    """
    paper = raised[~inked]
    median = float(np.median(paper))
    noise = 1.4826 * float(np.median(np.abs(paper - median)))
    low = median + max(_LEAST, _NOISE * noise)
    weak = (raised > low) & ~inked
    distance = ndimage.distance_transform_edt(~inked)
    reach = max(2.0, _EDGE * thickness)
    seeds = weak & (distance > reach)
    grown = weak & (ndimage.distance_transform_edt(~seeds) <= reach) if seeds.any() else seeds
    pieces, count = ndimage.label(grown, np.ones((3, 3), bool))
    kept = [0]
    for number, place in enumerate(ndimage.find_objects(pieces), 1):
        own = pieces[place] == number
        core = own & (raised[place] > np.median(raised[place][own]) / 2)
        if _at_border(place, raised.shape) or core.sum() < thickness**2:
            continue
        if _is_slim(core, thickness):
            kept.append(number)
    names = np.zeros(count + 1, np.int64)
    names[kept] = np.arange(len(kept))
    named = names[pieces]
    levels = [1.0, *(float(np.median(raised[named == each])) for each in range(1, len(kept)))]
    return Pale(named, np.array(levels), (median + low) / 2)


def _is_slim(piece: BoolArray, thickness: float) -> bool:
    thick = 2 * float(ndimage.distance_transform_edt(np.pad(piece, 1)).max())
    return thick <= max(6.0, _THICKEST * thickness)


def _at_border(place: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    return any(
        each.start == 0 or each.stop == side for each, side in zip(place, shape, strict=True)
    )
