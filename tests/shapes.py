"""A small data set that is not MNIST: 12 × 12 pixels, three colors, seven classes with names."""

import functools
from collections.abc import Callable

import numpy as np

from core.arrays import BoolArray, ByteArray
from core.data.dataset import Dataset, Split
from core.data.spec import DatasetSpec

SHAPES = DatasetSpec(
    key="shapes",
    name="Toybox",
    side=12,
    channels=3,
    classes=("oval", "ring", "square", "cross", "bar", "corner", "grating"),
    training_images=700,
    test_images=210,
    source="Drawn by the tests.",
    noun="shape",
)

_ROWS, _COLUMNS = np.mgrid[: SHAPES.side, : SHAPES.side].astype(float)
Drawn = Callable[[float, float], BoolArray]


def _distance(y: float, x: float) -> np.ndarray:
    return np.hypot(_ROWS - y, _COLUMNS - x)


_DRAWN: dict[str, Drawn] = {
    "oval": lambda y, x: np.hypot((_ROWS - y) / 1.5, _COLUMNS - x) < 2.6,
    "ring": lambda y, x: abs(_distance(y, x) - 3.5) < 0.8,
    "square": lambda y, x: np.maximum(abs(_ROWS - y), abs(_COLUMNS - x)) < 3.2,
    "cross": lambda y, x: np.minimum(abs(_ROWS - y), abs(_COLUMNS - x)) < 0.9,
    "bar": lambda y, x: abs(_ROWS - y) < 1.6,
    "corner": lambda y, x: (
        ((abs(_ROWS - y) < 1.4) & (x - 1 < _COLUMNS))
        | ((abs(_COLUMNS - x) < 1.4) & (y - 1 < _ROWS))
    ),
    "grating": lambda y, x: (_COLUMNS + round(x)) % 4 < 2,
}


@functools.cache
def shapes() -> Dataset:
    """Shapes in bright colors on dark grounds, a hundred of each class; the same every time."""
    draws = np.random.default_rng(0)
    return Dataset(_split(draws, SHAPES.training_images), _split(draws, SHAPES.test_images), SHAPES)


def _split(draws: np.random.Generator, count: int) -> Split:
    labels = draws.permutation(np.arange(count) % len(SHAPES.classes)).astype(np.uint8)
    images = np.stack([_drawn(draws, SHAPES.classes[label]) for label in labels])
    return Split(images, labels)


def _drawn(draws: np.random.Generator, name: str) -> ByteArray:
    inside = _DRAWN[name](*draws.uniform(4.5, 6.5, 2))
    ground, color = draws.uniform(0, 0.3, 3), draws.uniform(0.5, 1, 3)
    image = np.where(inside[..., None], color, ground) + draws.normal(0, 0.03, SHAPES.shape)
    pixels: ByteArray = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return pixels
