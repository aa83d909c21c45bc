"""Pictures out of anyone's PNG or JPEG files: decoded apart from the server, with care."""

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from core import provenance
from core.apart import apart
from core.data import SIDE, ByteArray, FloatArray

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000  # what a telephone takes; 100 MB while it is unpacked
MIN_SIDE = 20
LONGEST = 512  # the longer side of what is looked at
_KINDS = {  # how other files begin, to be called by their names
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"RIFF": "WebP",
    b"%PDF": "PDF",
    b"\0\0\0": "HEIC or AVIF",
}


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
        kinds = [kind for start, kind in _KINDS.items() if data.startswith(start)]
        what = f"looks like {kinds[0]}, which is" if kinds and any(data[:12]) else "is"
        raise ValueError(f"The file {what} neither a PNG nor a JPEG picture: save it as one.")


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
        gray, transparent = _gray(upright)
        exact = _exact(upright, gray)
    if transparent:
        notes.append(transparent)
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


def _gray(image: Image.Image) -> tuple[FloatArray, str]:
    """Without color and transparency, at its working size; and what became of transparency."""
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would keep the lowest 8
        image = Image.fromarray(np.asarray(image).astype(np.float32) / 257)
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    else:
        image = image.convert("L")
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    if image.mode != "RGBA" or image.getchannel("A").getextrema()[0] == 255:
        return np.asarray(image.convert("F" if image.mode == "F" else "L"), np.float32), ""
    return _on_paper(image)


def _on_paper(image: Image.Image) -> tuple[FloatArray, str]:
    """A transparent picture on white, or on black if what is drawn on it is bright."""
    values = np.asarray(image.convert("L"), np.float32)
    cover = np.asarray(image.getchannel("A"), np.float32) / 255
    bright = (values * cover).sum() > 127.5 * cover.sum()
    paper = 0 if bright else 255
    color = "black" if bright else "white"
    note = f"The picture is transparent in places: it lies on {color} here."
    return (values * cover + paper * (1 - cover)).astype(np.float32), note


def _exact(image: Image.Image, gray: FloatArray) -> ByteArray | None:
    """The levels of a picture of 28 × 28 pixels whose colors are gray."""
    if image.size != (SIDE, SIDE):
        return None
    if not image.mode.startswith(("I", "L", "1")):
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)
        if not (np.array_equal(red, green) and np.array_equal(red, blue)):
            return None
    return np.rint(gray).astype(np.uint8)
