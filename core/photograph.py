"""The ink on a photograph: anyone's PNG or JPEG file, read with care, and its paper taken away."""

import io
import threading
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from core.data import ByteArray, FloatArray

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000  # what a telephone takes; 100 MB while it is unpacked
MIN_SIDE = 20
_SIDE = 512  # the longer side of what is looked at
_GRID = 64  # cells along it, to model the paper and to tell pieces of ink apart
_MIN_CONTRAST = 20  # of 255, between ink and paper
_MIN_SEPARATION = 4  # of the paper's own standard deviation; halves of noise reach 2.2
_MAX_COVERAGE = 0.5  # more ink than this is no digit on paper
_PIECE = 0.1  # of the largest piece; smaller ones are specks

BoolArray = NDArray[np.bool_]

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
_one_at_a_time = threading.Lock()  # twenty at once would unpack two gigabytes


@dataclass(frozen=True, eq=False)
class Photograph:
    """gray: what the picture shows; ink: 0 is paper and 255 ink; both uint8 [h, w]."""

    gray: ByteArray
    ink: ByteArray


def read_photograph(data: bytes) -> Photograph:
    """The picture in a PNG or JPEG file, at most 512 pixels long, and the digit's ink on it.

    Bright and dark ink, shaded paper and specks beside the digit are dealt with. Raises ValueError
    with one sentence on any other file, and where no digit stands out.
    """
    if not data:
        raise ValueError("The file is empty: choose a PNG or JPEG picture of a digit.")
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"The file has {len(data) / 2**20:.1f} MB, more than {MAX_BYTES // 2**20}: "
            "make the picture smaller."
        )
    with _one_at_a_time, _open(data) as image:
        _check_size(*image.size)
        gray = _gray(image)
    return Photograph(gray, _ink(gray))


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_large() from None
    except UnidentifiedImageError:
        raise ValueError("This is neither a PNG nor a JPEG picture: choose another file.") from None
    except Exception:  # Pillow meets broken files with a dozen kinds of error
        raise _damaged() from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large()
    if min(width, height) * min(1, _SIDE / max(width, height)) < MIN_SIDE:
        raise ValueError(
            f"The picture has {width} × {height} pixels, too few or too narrow for a digit: "
            f"use one of at least {MIN_SIDE} × {MIN_SIDE}."
        )


def _too_large() -> ValueError:
    return ValueError(f"The picture has more than {MAX_PIXELS:,} pixels: make it smaller.")


def _damaged() -> ValueError:
    return ValueError("The picture is damaged or cut off: save it again.")


def _gray(image: Image.Image) -> ByteArray:
    """The picture upright, without color and transparency, at its working size."""
    try:
        image.draft(None, (_SIDE, _SIDE))  # a JPEG need not be unpacked at full size
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
            image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
        image = image.convert("RGBA" if image.has_transparency_data else "L")
        image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    except Exception:  # as above: what is broken may show only now
        raise _damaged() from None
    return _on_paper(image) if image.mode == "RGBA" else np.asarray(image)


def _on_paper(image: Image.Image) -> ByteArray:
    """A transparent picture on white, or on black if what is drawn on it is bright."""
    values = np.asarray(image.convert("L"), np.float32)
    cover = np.asarray(image.getchannel("A"), np.float32) / 255
    bright = (values * cover).sum() > 127.5 * cover.sum()
    paper = 0 if bright else 255
    return np.round(values * cover + paper * (1 - cover)).astype(np.uint8)


def _ink(gray: ByteArray) -> ByteArray:
    """The digit alone, its paper 0 and most of its ink 255."""
    values = _smooth(_dark_paper(gray))
    raised = np.clip(values - _paper(values), 0, 255)
    threshold = _otsu(raised)
    inked = raised > threshold
    if not _stands_out(raised, inked):
        raise ValueError(
            "No digit stands out from its background: write one with a thick pen on plain paper, "
            "and fill the picture with it."
        )
    paper, ink = np.median(raised[~inked]), np.median(raised[inked])
    low = (paper + threshold) / 2
    strength = np.clip((raised - low) / (ink - low), 0, 1) * _around_the_digit(inked)
    ink_only: ByteArray = np.round(255 * strength).astype(np.uint8)
    return ink_only


def _stands_out(raised: FloatArray, inked: BoolArray) -> bool:
    """Whether the ink is little, and far above the paper and its noise."""
    if not 0 < inked.mean() < _MAX_COVERAGE:
        return False
    contrast = np.median(raised[inked]) - np.median(raised[~inked])
    return bool(contrast > max(_MIN_CONTRAST, _MIN_SEPARATION * raised[~inked].std()))


def _dark_paper(gray: ByteArray) -> ByteArray:
    """Inverted if the border is bright, so that ink is high."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    low, high = np.percentile(gray, [0.5, 99.5])
    if np.median(border) <= (low + high) / 2:
        return gray
    inverted: ByteArray = np.bitwise_not(gray)
    return inverted


def _smooth(values: ByteArray) -> ByteArray:
    """Without the noise of single pixels, where there are pixels enough."""
    radius = max(values.shape) / 300
    return np.asarray(Image.fromarray(values).filter(ImageFilter.GaussianBlur(radius)))


def _paper(values: ByteArray) -> FloatArray:
    """The paper's brightness everywhere: what opening leaves of what is wider than a stroke."""
    coarse = Image.fromarray(values)
    coarse.thumbnail((_GRID, _GRID), Image.Resampling.BOX)
    window = min(coarse.size) // 6 * 2 + 1
    opened = coarse.filter(ImageFilter.MinFilter(window)).filter(ImageFilter.MaxFilter(window))
    blurred = opened.filter(ImageFilter.GaussianBlur(window / 4))
    height, width = values.shape
    return np.asarray(blurred.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _otsu(values: FloatArray) -> float:
    """The threshold between two classes of least variance: Otsu (1979), in steps of 1."""
    counts = np.bincount(values.astype(np.int64).ravel(), minlength=256).astype(float)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    split = below * (below[-1] - below)  # 0 where one class is empty
    between = (sums * below[-1] - below * sums[-1]) ** 2 / np.maximum(split, 1)
    return float(between.argmax()) + 0.5


def _around_the_digit(inked: BoolArray) -> BoolArray:
    """The cells, as pixels, of the digit's pieces and of their neighbors."""
    scale = max(1.0, max(inked.shape) / _GRID)
    rows, columns = ((np.arange(side) / scale).astype(np.int64) for side in inked.shape)
    cells = np.zeros((rows[-1] + 1, columns[-1] + 1), bool)
    y, x = np.nonzero(inked)
    cells[rows[y], columns[x]] = True
    digit: BoolArray = np.any(_neighborhoods(_digit(cells)), axis=(2, 3))
    around: BoolArray = digit[rows[:, np.newaxis], columns]
    return around


def _digit(cells: BoolArray) -> BoolArray:
    """The largest piece and what lies above or below it; digits stand side by side.

    A piece at the border is a shadow or the table, unless there is nothing else.
    """
    pieces = _pieces(cells)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    inside = sizes.copy()
    inside[np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])] = 0
    if inside.max() >= _PIECE * sizes.max():
        sizes = inside
    columns = (pieces == sizes.argmax()).any(axis=0)
    digit = np.zeros_like(cells)
    for piece in np.flatnonzero(sizes >= _PIECE * sizes.max()):
        own = (pieces == piece).any(axis=0)
        if 2 * (own & columns).sum() >= own.sum():
            digit |= pieces == piece
    return digit


def _pieces(cells: BoolArray) -> NDArray[np.int64]:
    """A number for every piece of cells that touch, 0 for none: the largest index spreads."""
    pieces = np.where(cells, np.arange(1, cells.size + 1).reshape(cells.shape), 0)
    while True:
        spread = _neighborhoods(pieces).max(axis=(2, 3)) * cells
        if np.array_equal(spread, pieces):
            return pieces
        pieces = spread


def _neighborhoods(cells: NDArray[Any]) -> NDArray[Any]:
    """Every cell with its eight neighbors: [h, w, 3, 3]."""
    return sliding_window_view(np.pad(cells, 1), (3, 3))
