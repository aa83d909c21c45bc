"""Images that stand in for what is taken away: behind an occluding block, or as a baseline."""

import functools

import numpy as np

from core.arrays import SIDE, FloatArray, check_images
from core.checks import check_choice, check_seed
from core.data.mnist import load_mnist

FILLS = ("black", "gray", "mean", "blurred", "noise")
BLUR = 3.0  # standard deviation in pixels: strokes of two to four pixels melt into a cloud


def fill_images(name: str, images: FloatArray, *, seed: int = 0) -> FloatArray:
    """For each of `images` float32 [n, 28, 28, 1] its stand-in, of the same shape and range.

    black 0, gray 0.5, mean: the mean training image, blurred: the image itself under a Gaussian
    of 3 pixels, noise: uniform in [0, 1], the same for all images, by `seed`. Raises ValueError
    on another name.
    """
    seed = check_seed(seed)
    check_choice("The fill", name, FILLS)
    check_images(images)
    if name == "blurred":
        return _blurred(images)
    if name == "mean":
        fill = mean_image()
    elif name == "noise":
        fill = np.random.default_rng(seed).random((SIDE, SIDE, 1), np.float32)
    else:
        fill = np.full((SIDE, SIDE, 1), 0.5 if name == "gray" else 0.0, np.float32)
    return np.broadcast_to(fill, images.shape).copy()


@functools.cache
def mean_image() -> FloatArray:
    """The mean of the 60,000 training images: float32 [28, 28, 1] in [0, 1]."""
    mean: FloatArray = (load_mnist().train.images.mean(axis=0) / 255).astype(np.float32)
    mean.flags.writeable = False
    return mean[..., np.newaxis]


def _blurred(images: FloatArray) -> FloatArray:
    """Rows and columns under a Gaussian whose weights inside the image sum to 1."""
    distance = np.subtract.outer(np.arange(SIDE), np.arange(SIDE))
    weights = np.exp(-(distance**2) / (2 * BLUR**2))
    weights /= weights.sum(axis=1, keepdims=True)
    blurred = np.einsum("ij,njkc,lk->nilc", weights, images, weights, optimize=True)
    clipped: FloatArray = np.clip(blurred, 0, 1).astype(np.float32)
    return clipped
