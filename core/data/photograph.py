"""The ink on a photograph: its paper, with its shadows, taken away.

Paper is what a flat square, wider than a stroke, can cover without touching ink: gray closing, and
opening for bright ink (Serra, "Image Analysis and Mathematical Morphology", 1982). It keeps the
edge of a shadow where it is, however sharp. Ink is then measured relative to its paper, so that a
stroke in the shadow is as dark as its other half in the light.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, ByteArray, FloatArray
from core.data.pale import pale_strokes
from core.data.sheet import Sheet, find_digits

_FLOOR = 24.0  # of 255: what is darker than this is compared as if it were lighter by so much
_SCALES = 8  # widths of strokes that are tried
_WIDEST = 3  # strokes are narrower than this part of the shorter side
_RIVAL = (
    0.55  # of the longest line: as long and narrower is ink of the other sign, on a patch of light
)
_ROOM = 2.0  # the square's side, in widths of a stroke
_MIN_CONTRAST = 0.02  # between ink and paper, relative to the paper
_MIN_SEPARATION = 4  # of the paper's own standard deviation; halves of noise reach 2.2
_MAX_COVERAGE = 0.5  # more ink than this is no digit on paper
_PATCH = 8  # patches of light are broader than this part of the shorter side, most strokes narrower
_DEEP = 2.6  # times as light as elsewhere: what is read there may be the edge of a shadow
_MAX_THICKNESS = 0.4  # of a digit's longer side; thicker is a blot, or a patch of light


@dataclass(frozen=True, eq=False)
class Photograph:
    """What was found on a picture.

    ink: uint8 [h, w], 0 is paper and 255 ink; bright: whether ink is brighter than paper; paper:
    the paper's lowest and highest brightness, of 255; sheet: the digits on it; faintest: a mark
    that differs from its paper by less, of 255, may be taken for paper; uneven: whether the light
    differs so much over the picture that the edge of a shadow may pass for ink.
    """

    ink: ByteArray
    bright: bool
    paper: tuple[int, int]
    sheet: Sheet
    faintest: int
    uneven: bool

    def digit(self, number: int | None) -> ByteArray:
        """The ink of digit `number`, counted from 0, alone; None: all ink, specks too."""
        alone: ByteArray = self.ink * self.sheet.around(number)
        return alone


def read_photograph(gray: FloatArray) -> Photograph:
    """The digits on a picture float32 [h, w] in 0 to 255.

    Bright and dark ink, dark and unevenly lit paper are dealt with. Raises ValueError with one
    sentence where no digit stands out, and where something runs across the picture.
    """
    brightest = float(gray.max())
    if brightest <= 0:
        raise _nothing()
    values = _smooth(gray) * np.float32(255 / brightest)  # a dark picture is as good as a bright
    width, bright = _stroke(values)
    raised, paper = _raised(values, width, bright)
    threshold = _otsu(raised)
    inked = raised > threshold
    if not _stands_out(raised, inked):
        raise _nothing()
    thickness = _thickness(inked)
    pale = pale_strokes(raised, inked, thickness)
    sheet = find_digits(inked | pale.strokes)
    sheet = replace(sheet, left_out=sheet.left_out + pale.left_out)
    if thickness > _MAX_THICKNESS * max(max(b - t, r - x) for t, x, b, r in sheet.digits):
        raise ValueError(
            "What stands out from the background is a blot or a patch of light, no strokes: write "
            "a digit with a pen on plain paper, and photograph it in even light."
        )
    low = (np.median(raised[~inked]) + threshold) / 2
    strength = np.clip((raised - low) / (np.median(raised[inked]) - low), 0, 1)
    strength = np.maximum(strength, pale.strength)
    darkest, lightest = np.percentile(paper, [1, 99]) * brightest / 255
    ends = round(float(darkest)), round(float(lightest))
    faintest = math.ceil(pale.told * (lightest + _FLOOR * brightest / 255))
    ink, uneven = np.rint(255 * strength).astype(np.uint8), _unevenness(values) > _DEEP
    return Photograph(ink, bright, ends, sheet, faintest, uneven)


def _nothing() -> ValueError:
    return ValueError(
        "No digit stands out from its background: write one with a thick pen on plain paper, "
        "and fill the picture with it."
    )


def _smooth(values: FloatArray) -> FloatArray:
    """Without the noise of single pixels, where there are pixels enough."""
    smooth: FloatArray = ndimage.gaussian_filter(values, max(values.shape) / 400)
    return smooth


def _stroke(values: FloatArray) -> tuple[int, bool]:
    """The width of the strokes, in pixels, and whether they are bright on dark.

    Of all widths and both signs those under which the ink makes the longest and slimmest line: what
    a square of that width cannot reach, by its area over the width to the power of 1.5. Holes in a
    digit are shorter than its strokes, and shadows and patches of light are broader. Where both
    signs make lines nearly as long, the broader is the paper between the strokes, in a patch of
    light; the narrowest width finds noise.
    """
    logarithm = np.log(values + _FLOOR)[::2, ::2]
    widest = max(3, min(logarithm.shape) // _WIDEST)
    sides = sorted({int(side) | 1 for side in np.geomspace(3, widest, _SCALES)})
    dark, bright = (
        max((_length(logarithm, side, sign), side, sign) for side in sides)
        for sign in (False, True)
    )
    longer, other = max(dark, bright), min(dark, bright)
    is_rival = other[0] > _RIVAL * longer[0] and sides[0] < other[1] < longer[1]
    _, side, is_bright = other if is_rival else longer
    return 2 * side, is_bright


def _length(logarithm: FloatArray, side: int, bright: bool) -> float:
    """How long and slim a line is what a square of that side cannot reach."""
    wider = np.pad(logarithm, side, "edge")  # a strip at the border is no line
    hat = np.abs(_covered(wider, side, bright) - wider)[side:-side, side:-side]
    return float(_above_noise(hat).mean() / side**1.5)


def _above_noise(hat: FloatArray) -> FloatArray:
    above: FloatArray = np.maximum(hat - 3 * np.median(hat) - 0.02, 0)
    return above


def _covered(values: FloatArray, side: int, bright: bool) -> FloatArray:
    """The values without what is darker, or brighter, and narrower than `side`."""
    way = ndimage.grey_opening if bright else ndimage.grey_closing
    covered: FloatArray = way(values, (side, side))
    return covered


def _raised(values: FloatArray, width: int, bright: bool) -> tuple[FloatArray, FloatArray]:
    """How far ink stands from its paper, as a share of it, and the paper; both float32 [h, w]."""
    widest = max(3, min(values.shape) // _WIDEST) | 1
    side = min(int(_ROOM * width) | 1, widest)
    while True:
        paper = _covered(values, side, bright)
        raised = np.abs(values - paper) / (paper + _FLOOR)
        thick = _thickness(raised > _otsu(raised))
        if side >= widest or 1.4 * thick < side:
            return raised, paper
        side = min(int(1.5 * side) | 1, widest)


def _unevenness(values: FloatArray) -> float:
    """How many times as light as its darkest its lightest part is, whichever sign the ink has."""
    halved = values[::2, ::2]
    side = max(3, min(halved.shape) // _PATCH) | 1
    without_ink = [_covered(halved, side, bright) + _FLOOR for bright in (False, True)]
    darkest, lightest = np.percentile(without_ink, [1, 99], axis=(1, 2))
    return float((lightest / darkest).min())


def _thickness(inked: BoolArray) -> float:
    """How thick the thicker strokes are, in pixels."""
    depth = ndimage.distance_transform_edt(np.pad(inked, 1))
    ridge = depth[(depth == ndimage.maximum_filter(depth, 3)) & (depth > 1)]
    return 2 * float(np.percentile(ridge, 90)) if len(ridge) else 0.0


def _stands_out(raised: FloatArray, inked: BoolArray) -> bool:
    """Whether the ink is little, and far above the paper and its noise."""
    if not 0 < inked.mean() < _MAX_COVERAGE:
        return False
    contrast = np.median(raised[inked]) - np.median(raised[~inked])
    return bool(contrast > max(_MIN_CONTRAST, _MIN_SEPARATION * raised[~inked].std()))


def _otsu(values: FloatArray) -> float:
    """The threshold between two classes of least variance: Otsu (1979), in 256 steps."""
    counts, edges = np.histogram(values, 256, (0, max(float(values.max()), 1e-6)))
    below, sums = np.cumsum(counts, dtype=float), np.cumsum(counts * np.arange(256.0))
    split = below * (below[-1] - below)  # 0 where one class is empty
    between = (sums * below[-1] - below * sums[-1]) ** 2 / np.maximum(split, 1)
    return float(edges[between.argmax() + 1])
