"""The control beside every attack: noise that is as long as the attack's change."""

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, check_image, check_images, largest_l2
from core.checks import check_choice, check_range, check_seed, check_whole
from core.keyed_noise import of_images
from core.network.classifier import Classifier
from core.statistics.rate import Rate

_DOUBLINGS = 10.0  # from the length asked for to where all pixels have long arrived at 0 or 1
_HALVINGS = 18
_TOGETHER = 32  # images at once, which stay in the processor's cache for all halvings


def noise_of_norm(
    images: FloatArray, lengths: FloatArray, *, seed: int = 0, draws: int = 1
) -> FloatArray:
    """Images after random noise of a given L2: float32 [n, h, w, c] in [0, 1].

    Normal noise is scaled, for each of images [n, h, w, c] in [0, 1], until what is left of it
    behind the clipping has the length asked for, lengths float [n] from 0. Where the box
    has no room for so much, the noise goes as far as it can. Its direction follows from `seed` and
    the image; `draws` rows in a row that hold the same image get different ones. Raises ValueError
    on other values.
    """
    seed = check_seed(seed)
    draws = check_whole("The number of draws", draws, 1, 10_000)
    check_images(images)
    shape = images.shape[1:]
    for length in lengths:
        check_range("The length of the noise", float(length), 0, largest_l2(shape))
    drawn = of_images(images, seed, "noise", draws).normal(*shape)
    noise = drawn.astype(np.float32)
    noise *= np.asarray(lengths / _length(noise), np.float32)[:, None, None, None]
    for start in range(0, len(images), _TOGETHER):
        rows = slice(start, start + _TOGETHER)
        noise[rows] = _stretched(images[rows], noise[rows], lengths[rows])
    return noise


def _stretched(images: FloatArray, noise: FloatArray, lengths: NDArray[np.floating]) -> FloatArray:
    """Images after so many times their noise that what the clipping leaves has these lengths."""
    low, high = np.zeros(len(images)), np.full(len(images), _DOUBLINGS)
    change = np.empty_like(noise)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        np.subtract(_added(images, noise, middle, out=change), images, out=change)
        short = _length(change, out=change) < lengths
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return _added(images, noise, (low + high) / 2, out=change)


def noise_at_edge(images: FloatArray, epsilon: float, norm: str, *, seed: int = 0) -> FloatArray:
    """Images after the largest noise of the ball: float32 [n, h, w, c] in [0, 1].

    "linf": each pixel goes up or down by epsilon; "l2": normal noise of that length behind the
    clipping; "l0": so many pixels become 0 or 1 in each channel. Drawn by `seed` and the image.
    """
    seed = check_seed(seed)
    check_choice("The norm", norm, ("linf", "l2", "l0"))
    check_images(images)
    side, _, channels = images.shape[1:]
    check_range("Epsilon", epsilon, 0, side**2)
    if norm == "l2":
        return noise_of_norm(images, np.full(len(images), epsilon, np.float32), seed=seed)
    draws = of_images(images, seed, "edge")
    signs = draws.at(0).signs(side, side, channels)
    if norm == "linf":
        noisy: FloatArray = np.clip(images + np.float32(epsilon) * signs, 0, 1)
        return noisy
    chosen = draws.at(1).order(side**2).reshape(-1, side, side, 1) < int(epsilon)
    return np.where(chosen, (signs + 1) / 2, images).astype(np.float32)


def changed_by_noise(
    classifier: Classifier, image: FloatArray, length: float, *, draws: int, seed: int = 0
) -> Rate:
    """In how many of `draws` random directions the answer to an image changes at an L2 of `length`.

    image float32 [1, h, w, c] in [0, 1]; the noise stays in the box. Raises ValueError on
    other values.
    """
    seed = check_seed(seed)
    check_image(image, classifier.spec.shape)
    check_range("The length of the noise", length, 0, classifier.spec.largest_l2)
    draws = check_whole("The number of draws", draws, 1, 10_000)
    noisy = noise_of_norm(
        image.repeat(draws, axis=0), np.full(draws, length, np.float32), seed=seed, draws=draws
    )
    return Rate.of(classifier.predict(noisy) != classifier.predict(image))


def _added(
    images: FloatArray, noise: FloatArray, doublings: NDArray[np.float64], out: FloatArray
) -> FloatArray:
    np.multiply(np.exp2(doublings).astype(np.float32)[:, None, None, None], noise, out=out)
    out += images
    added: FloatArray = np.clip(out, 0, 1, out=out)
    return added


def _length(changes: FloatArray, out: FloatArray | None = None) -> FloatArray:
    length: FloatArray = np.sqrt(np.square(changes, out=out).sum(axis=(1, 2, 3)))
    return length
