"""How much made images are like real ones, and the control that they must beat."""

import numpy as np

from core.data import FloatArray, IntArray


def shuffled(images: FloatArray, *, seed: int = 0) -> FloatArray:
    """The control: each image's pixels in random order, the same ink without its shape."""
    flat = images.reshape(len(images), -1)
    moved: FloatArray = np.random.default_rng(seed).permuted(flat, axis=1).reshape(images.shape)
    return moved


def most_similar(images: FloatArray, real: FloatArray) -> tuple[IntArray, FloatArray]:
    """For each image the real one at the smallest angle: its index [n] and the cosine [n].

    Both float32 [·, 28, 28, 1]. The cosine with an empty image is 0.
    """
    cosines = _directions(images) @ _directions(real).T
    best = cosines.argmax(axis=1)
    return best, cosines[np.arange(len(images)), best]


def _directions(images: FloatArray) -> FloatArray:
    flat = images.reshape(len(images), -1)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return (flat / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def roughness(images: FloatArray) -> FloatArray:
    """Total variation for each unit of ink, [n] of images [n, 28, 28, 1]; NaN of an empty image."""
    flat = images[..., 0]
    variation = sum(np.abs(np.diff(flat, axis=axis)).sum((1, 2)) for axis in (1, 2))
    amount = flat.sum((1, 2))
    found: FloatArray = np.full(len(flat), np.nan, np.float32)
    np.divide(variation, amount, out=found, where=amount > 0)
    return found
