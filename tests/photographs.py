"""Pictures as a telephone takes them, made of MNIST's digits."""

import io

import numpy as np
from PIL import Image

from core.arrays import BoolArray, ByteArray, FloatArray
from core.data.pictures import LONGEST


def photograph(
    digit: ByteArray,
    *,
    seed: int = 0,
    bright_ink: bool = False,
    shape: tuple[int, int] = (800, 640),
) -> ByteArray:
    """A digit written small on shaded paper, with the camera's noise: uint8 [h, w]."""
    random = np.random.default_rng(seed)
    side = int(random.uniform(0.5, 0.9) * min(shape))
    ink = np.zeros(shape)
    top, left = (int(random.integers(0, length - side)) for length in shape)
    large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    ink[top : top + side, left : left + side] = np.asarray(large, float) / 255
    y, x = (at / length - 0.5 for at, length in zip(np.indices(shape), shape, strict=True))
    angle = random.uniform(0, 2 * np.pi)
    light = 200 + 45 * (np.cos(angle) * x + np.sin(angle) * y) - 60 * (x**2 + y**2)
    values = light * (1 - 0.7 * ink) + random.normal(0, 6, shape)
    values = np.clip(255 - values if bright_ink else values, 0, 255)
    return values.astype(np.uint8)


def shaded(picture: ByteArray, where: BoolArray, strength: float) -> ByteArray:
    """The picture uint8 [h, w] with a sharp shadow: brightness × strength where bool [h, w]."""
    return np.where(where, picture * strength, picture).astype(np.uint8)


def looked_at(picture: ByteArray) -> FloatArray:
    """A picture as the reader of files hands it on: float32, at most 512 pixels long."""
    image = Image.fromarray(picture)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    return np.asarray(image, np.float32)


def saved(picture: ByteArray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The picture as the bytes of a file."""
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


def on_phone(digit: ByteArray, **options: object) -> bytes:
    """A JPEG in color."""
    picture = Image.fromarray(photograph(digit, **options)).convert("RGB")  # type: ignore[arg-type]
    return saved(picture, "JPEG", quality=85)
