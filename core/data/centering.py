"""A drawing of any size as MNIST's makers stored theirs, and squeezed without their care.

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition" (1998), section III.A: scaled into 20 × 20 pixels with the aspect ratio kept, gray from
anti-aliasing, and moved so that the center of mass is at the center of the 28 × 28 field. Measured
on the 10,000 test images: the longer side of the ink is 20 pixels in all but three, and the center
of mass is at row and column 14, to half a pixel.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.arrays import ByteArray
from core.data.spec import MNIST

FIT = 20
CENTER = MNIST.side // 2
FAINTEST = 64  # of 255: the darkest pixel of each MNIST digit is 254 or 255
LEAST_INK = 5.0  # pixels of full ink: no MNIST digit has less than 19.9
_LEAST_SQUEEZED = 2.0  # a small digit on a large sheet keeps no more
_REMEDY = "Draw thicker strokes, closer together."


@dataclass(frozen=True, eq=False)
class CenteringSteps:
    """What becomes of a drawing, step by step; every array is uint8, 0 is paper and 255 ink.

    drawn: the drawing [h, w]; box: top, left, bottom and right of its ink, half open; fitted:
    [20, 20]; mass: row and column of the center of mass in it, 0 is the first pixel's middle;
    centered: [28, 28].
    """

    drawn: ByteArray
    box: tuple[int, int, int, int]
    fitted: ByteArray
    mass: tuple[float, float]
    centered: ByteArray

    @property
    def crop(self) -> ByteArray:
        """The drawing inside the box."""
        top, left, bottom, right = self.box
        return self.drawn[top:bottom, left:right]


def center(drawing: NDArray[np.number]) -> CenteringSteps:
    """The steps from a drawing [h, w], ink 0 to 255 in any number type, to 28 × 28.

    The digit stays whole: where its center of mass lies so near its edge that the other side would
    leave the field, it stops at the border. Raises ValueError on an empty drawing, and on one of
    which too little is left to be seen.
    """
    drawn = _bytes(drawing)
    top, left, bottom, right = box = _box(drawn)
    digit = _scale(drawn[top:bottom, left:right])
    _check_dark(digit)
    _check_ink(float(digit.sum()) / 255, LEAST_INK)
    mass = _center_of_mass(digit)
    middle = tuple((FIT - side) // 2 for side in digit.shape)
    return CenteringSteps(
        drawn,
        box,
        fitted=_place(digit, FIT, middle),
        mass=(mass[0] + middle[0], mass[1] + middle[1]),
        centered=_place(digit, MNIST.side, tuple(math.ceil(CENTER - 0.5 - at) for at in mass)),
    )


def squeeze(drawing: NDArray[np.number]) -> ByteArray:
    """The whole drawing [h, w], wherever its ink is, as uint8 [28, 28].

    What centering is measured against. Raises ValueError like `center`.
    """
    drawn = _bytes(drawing)
    _box(drawn)
    squeezed = _resize(drawn, *MNIST.byte_shape)
    check_visible(squeezed)
    return squeezed


def check_visible(
    image: ByteArray, remedy: str = _REMEDY, *, least: float = _LEAST_SQUEEZED
) -> None:
    """Raise ValueError, with what to do, if nothing stands out on the image uint8 [h, w].

    least: pixels of full ink, counted from the paper, which may be of any gray.

    Ink is averaged away where strokes are thin, or so far apart that they are made small; and where
    all is ink, or of one gray, there is no digit.
    """
    _check_dark(image, remedy)
    if (contrast := int(np.ptp(image))) < FAINTEST:
        raise ValueError(
            f"Nothing to see: the pixels that the network would read differ by {contrast} of 255, "
            f"less than {FAINTEST}. {remedy}"
        )
    _check_ink(float(np.abs(image - np.median(image)).sum()) / 255, least, remedy)


def _check_dark(image: ByteArray, remedy: str = _REMEDY) -> None:
    if (darkest := int(image.max())) < FAINTEST:
        raise ValueError(
            f"Too faint: the darkest pixel that the network would read is {darkest} of 255, "
            f"below {FAINTEST}. {remedy}"
        )


def _check_ink(pixels: float, least: float, remedy: str = _REMEDY) -> None:
    if pixels < least:
        raise ValueError(
            f"Too little ink: it would fill {pixels:.1f} pixels of the digit, fewer than "
            f"{least:g}. {remedy}"
        )


def _bytes(drawing: NDArray[np.number]) -> ByteArray:
    if drawing.ndim != 2 or not drawing.size:
        raise ValueError(f"The drawing is {list(drawing.shape)}, not [height, width]: flatten it.")
    if not (drawing.min() >= 0 and drawing.max() <= 255):  # also false for NaN
        raise ValueError(
            f"Ink runs from {drawing.min():g} to {drawing.max():g}, outside 0 to 255: scale it."
        )
    return np.round(drawing).astype(np.uint8)


def _box(drawn: ByteArray) -> tuple[int, int, int, int]:
    """Where the ink is: top, left, bottom, right."""
    if not drawn.any():
        raise ValueError("There is no ink: draw a digit first.")
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _scale(crop: ByteArray) -> ByteArray:
    """The crop with 20 pixels along its longer side."""
    scale = FIT / max(crop.shape)
    return _resize(crop, *(max(1, round(scale * side)) for side in crop.shape))


def _resize(drawn: ByteArray, height: int, width: int) -> ByteArray:
    """Averages over the area that each new pixel covers: the gray of an edge is its coverage."""
    resized = Image.fromarray(drawn).resize((width, height), Image.Resampling.BOX)
    return np.asarray(resized, np.uint8)


def _center_of_mass(digit: ByteArray) -> tuple[float, float]:
    weights = digit.astype(np.int64)  # whole numbers, so that halves are exact
    rows, columns = (np.arange(side) for side in digit.shape)
    ink = weights.sum()
    return float(weights.sum(axis=1) @ rows / ink), float(weights.sum(axis=0) @ columns / ink)


def _place(digit: ByteArray, side: int, corner: tuple[int, ...]) -> ByteArray:
    """The digit on side × side of paper, its corner as near to `corner` as keeps it whole."""
    field = np.zeros((side, side), np.uint8)
    top, left = (
        min(max(at, 0), side - length) for at, length in zip(corner, digit.shape, strict=True)
    )
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return field
