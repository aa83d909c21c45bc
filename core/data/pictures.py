"""Pictures out of anyone's PNG or JPEG files: decoded apart from the server, with care."""

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.apart import apart
from core.arrays import ByteArray, FloatArray
from core.data import provenance
from core.data.file_kind import kind_of
from core.data.spec import MNIST

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000  # what a telephone takes; 100 MB while it is unpacked
MIN_SIDE = 20
LONGEST = 512  # the longer side of what is looked at
_EIGHT = "Its 16-bit levels are no larger than 255: they are read as levels of 255."
_ROUNDED = "Its 16-bit levels are rounded to 256 here."


@dataclass(frozen=True, eq=False)
class Picture:
    """What a file shows.

    gray: float32 [h, w] in 0 to 255, at most 512 long, with the fractions of 16-bit files; exact:
    uint8 [28, 28] where the file is such a picture without color, else None; notes: what had to be
    decided to see it, a sentence each; about: what Convscope wrote into it.
    """

    gray: FloatArray
    exact: ByteArray | None
    notes: tuple[str, ...]
    about: Mapping[str, str]

    @property
    def dark_on_light(self) -> bool:
        """Whether the border is light, which is paper in MNIST's sense only if it is dark."""
        ends = [self.gray[0], self.gray[-1], self.gray[:, 0], self.gray[:, -1]]
        return bool(np.median(np.concatenate(ends)) > 127)


def read_picture(data: bytes) -> Picture:
    """The picture in a PNG or JPEG file, unpacked in a process of its own.

    Raises ValueError with one sentence on any other file, and on one that takes too long.
    """
    _check_file(data)
    return _unpacked(apart(decode, data))


def _check_file(data: bytes) -> None:
    if not data:
        raise ValueError("The file is empty: choose a PNG or JPEG picture of a digit.")
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"The file has {len(data) / 2**20:.1f} MB, more than {MAX_BYTES // 2**20}: "
            "make the picture smaller."
        )
    if not data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        kind = kind_of(data)
        what = f"{kind}, neither" if kind else "neither"
        raise ValueError(
            f"The file is {what} a PNG nor a JPEG picture: choose one saved as PNG or JPEG."
        )


def _unpacked(packed: bytes) -> Picture:
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        told = json.loads(arrays["told"].tobytes())
        exact = arrays.get("exact")
        return Picture(arrays["gray"], exact, tuple(told["notes"]), told["about"])


def decode(data: bytes) -> bytes:
    """`Picture` of a PNG or JPEG file as an .npz file; ValueError likewise. To be called apart."""
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    with _open(data) as image:
        _check_size(*image.size)
        notes = [_first_of(image)] if getattr(image, "n_frames", 1) > 1 else []
        try:
            image.draft(None, (LONGEST, LONGEST))  # a JPEG need not be unpacked at full size
            image.load()
            about = provenance.read(getattr(image, "text", {}))
            upright = ImageOps.exif_transpose(image)
        except Exception:  # as in `_open`: what is broken may show only now
            raise _damaged() from None
        gray, found = _gray(upright)
        exact = _exact(upright, gray)
    notes += found
    if upright.mode.startswith("I") and exact is not None and not np.array_equal(exact, gray):
        notes.append(_ROUNDED)
    arrays = {"gray": gray} if exact is None else {"gray": gray, "exact": exact}
    told = np.frombuffer(json.dumps({"notes": notes, "about": about}).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, told=told, **arrays)
    return file.getvalue()


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_large() from None
    except Exception:  # Pillow meets broken files with a dozen kinds of error
        raise _damaged() from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large()
    if min(width, height) * min(1, LONGEST / max(width, height)) < MIN_SIDE:
        raise ValueError(
            f"The picture has {width} × {height} pixels, too few or too narrow for a digit: "
            f"use one of at least {MIN_SIDE} × {MIN_SIDE}."
        )


def _too_large() -> ValueError:
    return ValueError(f"The picture has more than {MAX_PIXELS:,} pixels: make it smaller.")


def _damaged() -> ValueError:
    return ValueError("The picture is damaged or cut off: save it again.")


def _first_of(image: Image.Image) -> str:
    return f"The file holds {getattr(image, 'n_frames', 1)} pictures: this is the first."


def _gray(image: Image.Image) -> tuple[FloatArray, list[str]]:
    """Without color and transparency, at its working size; and what was decided for that."""
    notes: list[str] = []
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would keep the lowest 8
        image, notes = _sixteen_bits(image)
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    else:
        image = image.convert("L")
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] != 255:
        values = np.asarray(image.convert("L"), np.float32)
        return _on_paper(values, np.asarray(image.getchannel("A"), np.float32) / np.float32(255))
    return np.asarray(image.convert("F" if image.mode == "F" else "L"), np.float32), notes


def _sixteen_bits(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """A gray picture of 16 bits with its fractions of 255; of levels to 255, as they are."""
    levels: NDArray[np.integer] = np.asarray(image)
    notes: list[str] = []
    values: FloatArray = levels.astype(np.float32)
    if 0 < int(levels.max()) <= 255:  # 8 bits in a wider type: black in any other sense
        notes.append(_EIGHT)
    else:
        values /= 257
    clear = levels == image.info.get("transparency", -1)
    if clear.any():
        values, found = _on_paper(values, (~clear).astype(np.float32))
        notes += found
    return Image.fromarray(values), notes


def _on_paper(values: FloatArray, cover: FloatArray) -> tuple[FloatArray, list[str]]:
    """A transparent picture on white, or on black if what is drawn on it is bright.

    values: in 0 to 255; cover: in 0 to 1, both float32 [h, w].
    """
    bright = (values * cover).sum() > 127.5 * cover.sum()
    paper = 0 if bright else 255
    color = "black" if bright else "white"
    note = f"The picture is transparent in places: it lies on {color} here."
    return (values * cover + paper * (1 - cover)).astype(np.float32), [note]


def _exact(image: Image.Image, gray: FloatArray) -> ByteArray | None:
    """The levels of a picture of 28 × 28 pixels whose colors are gray."""
    if image.size != MNIST.byte_shape:
        return None
    if not image.mode.startswith(("I", "L", "1")):
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)
        if not (np.array_equal(red, green) and np.array_equal(red, blue)):
            return None
    return np.rint(gray).astype(np.uint8)
