"""Many pictures in folders named by their classes, as arrays."""

import io
from collections import Counter
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from core.arrays import COLORS, ByteArray
from core.data.reading.contents import MOST_IMAGES, MOST_PIXEL_BYTES, Contents

PICTURE = rb"\x89PNG\r\n|\xff\xd8\xff|BM|GIF8|II\*\x00|MM\x00\*|RIFF.{4}WEBP"
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
_MOST_PIXELS = 25_000_000  # of one picture
LARGEST = 64  # pixels of a side that is kept
PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}


def gathered(files: dict[str, bytes]) -> Contents:
    """The pictures by their paths: images uint8 [n, side, side] or with colors, and their labels.

    A label is the name of the folder a picture lies in, the part that of a folder above it. All
    are brought to one square size, that of most of them. Raises ValueError on a damaged one.
    """
    if len(files) > MOST_IMAGES:
        raise ValueError(
            f"The archive holds {len(files):,} pictures, more than {MOST_IMAGES:,}: give fewer."
        )
    paths = sorted(files)
    pictures, sizes = zip(*(_opened(files[path], path) for path in paths), strict=True)
    side = min(LARGEST, Counter(max(picture.size) for picture in pictures).most_common(1)[0][0])
    channels = COLORS if any(_has_color(picture) for picture in pictures) else 1
    if len(paths) * side * side * channels > MOST_PIXEL_BYTES:
        raise ValueError(
            f"{len(paths):,} pictures of {side} × {side} are more than "
            f"{MOST_PIXEL_BYTES / 1e6:.0f} MB: give fewer."
        )
    mode = "RGB" if channels == COLORS else "L"
    images = np.stack([_square(np.asarray(each.convert(mode)), side) for each in pictures])
    resized = sum(size != (side, side) for size in sizes)
    note = (
        f"{resized:,} of {len(paths):,} pictures were brought to {side} × {side} pixels by "
        "Pillow’s antialiased bilinear filter, their aspect kept, the rest filled with their edge."
    )
    notes = (note,) if resized else ()
    arrays: dict[str, ByteArray] = {}
    for part in sorted({_part(path) for path in paths}):
        rows = [row for row, path in enumerate(paths) if _part(path) == part]
        above = f"{part}/" if part else ""
        arrays[f"{above}images"] = images[rows]
        arrays[f"{above}labels"] = np.array([PurePosixPath(paths[row]).parent.name for row in rows])
    return Contents(arrays, notes=notes)


def _part(path: str) -> str:
    folders = [folder.lower() for folder in PurePosixPath(path).parts[:-2]]
    return next((folder for folder in folders if folder in PARTS), "")


def _opened(data: bytes, path: str) -> tuple[Image.Image, tuple[int, int]]:
    """A picture upright, gray or RGB, on white, at most LARGEST a side; the size that it had."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as file:
            if file.width * file.height > _MOST_PIXELS:
                raise ValueError("too large")
            file.load()
            picture = _gray_or_colors(ImageOps.exif_transpose(file))
    except Exception:  # Pillow meets broken files with a dozen kinds of error
        name = PurePosixPath(path).name
        raise ValueError(
            f"The picture {name!r} is damaged or has too many pixels: leave it out."
        ) from None
    size = picture.size
    if max(size) > LARGEST:
        picture.thumbnail((LARGEST, LARGEST), Image.Resampling.BILINEAR)
    return picture, size


def _gray_or_colors(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    if picture.mode.startswith(("I", "F")):  # Pillow would cut off at 255, and not scale
        levels = np.asarray(picture).astype(np.float32)
        most = float(levels.max())
        scale = 255.0 if picture.mode == "F" and most <= 1 else 1 / 257 if most > 255 else 1.0
        picture = Image.fromarray(np.rint(levels * scale))
    return picture.convert("L" if picture.mode in ("1", "L", "F") else "RGB")


def _has_color(picture: Image.Image) -> bool:
    if picture.mode == "L":
        return False
    red, green, blue = np.moveaxis(np.asarray(picture), 2, 0)
    return not (np.array_equal(red, green) and np.array_equal(red, blue))


def fitted(image: ByteArray, side: int) -> ByteArray:
    """An image uint8 [h, w] or [h, w, 3] on a square of `side` pixels, its aspect kept.

    By Pillow's bilinear filter, which antialiases; the rest repeats the edge.
    """
    picture = Image.fromarray(image)
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    small = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    spare = side - small.shape[0], side - small.shape[1]
    widths = [(gap // 2, gap - gap // 2) for gap in spare] + [(0, 0)] * (small.ndim - 2)
    return np.pad(small, widths, mode="edge")


def _square(image: ByteArray, side: int) -> ByteArray:
    return image if image.shape[:2] == (side, side) else fitted(image, side)
