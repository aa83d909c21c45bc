"""Images that stand in for what is taken away: behind an occluding block, or as a baseline."""

import numpy as np

from core.arrays import FloatArray, check_images
from core.checks import check_choice, check_seed
from core.data.sets import source
from core.data.spec import MNIST, DatasetSpec

FILLS = ("black", "gray", "mean", "blurred", "noise")
BLUR = 3.0  # standard deviation in pixels: strokes of two to four pixels melt into a cloud


def fill_images(
    name: str, images: FloatArray, *, spec: DatasetSpec = MNIST, seed: int = 0
) -> FloatArray:
    """For each of `images` float32 [n, *spec.shape] its stand-in, of the same shape and range.

    black 0, gray 0.5, mean: the mean training image of the set `spec`, blurred: the image itself
    under a Gaussian of 3 pixels, noise: uniform in [0, 1], the same for all images, by `seed`.
    Raises ValueError on another name, and on images that are not the set's.
    """
    seed = check_seed(seed)
    check_choice("The fill", name, FILLS)
    check_images(images, spec.shape)
    if name == "blurred":
        return _blurred(images)
    if name == "mean":
        fill = source(spec.key).load().mean_image
    elif name == "noise":
        fill = np.random.default_rng(seed).random(spec.shape, np.float32)
    else:
        fill = np.full(spec.shape, 0.5 if name == "gray" else 0.0, np.float32)
    return np.broadcast_to(fill, images.shape).copy()


def _blurred(images: FloatArray) -> FloatArray:
    """Rows and columns under a Gaussian whose weights inside the image sum to 1."""
    side = np.arange(images.shape[1])
    distance = np.subtract.outer(side, side)
    weights = np.exp(-(distance**2) / (2 * BLUR**2))
    weights /= weights.sum(axis=1, keepdims=True)
    blurred = np.einsum("ij,njkc,lk->nilc", weights, images, weights, optimize=True)
    clipped: FloatArray = np.clip(blurred, 0, 1).astype(np.float32)
    return clipped
