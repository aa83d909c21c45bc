"""The network as attacks and image optimizations run it: logits, with a fast gradient to pixels."""

from collections.abc import Callable
from typing import Any

from core.backend import keras


def forward(model: keras.Model) -> Callable[[Any], Any]:
    """A function for graphs: images [n, 28, 28, 1] to logits [n, classes]."""
    return lambda images: model(images, training=False)
