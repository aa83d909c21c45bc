"""The control beside every attack: noise that is as long as the attack's change."""

import numpy as np
from numpy.typing import NDArray

from core.checks import check_range
from core.classifier import Classifier
from core.data import SIDE, FloatArray, check_images
from core.rate import Rate

_LARGEST = 1e3  # of the noise's scale, where all pixels have long arrived at 0 or 1
_HALVINGS = 40


def noise_of_norm(images: FloatArray, lengths: FloatArray, *, seed: int = 0) -> FloatArray:
    """Images after random noise of a given L2: float32 [n, 28, 28, 1] in [0, 1].

    Normal noise is scaled, for each of images [n, 28, 28, 1] in [0, 1], until what is left of it
    behind the clipping has the length asked for, lengths float [n] from 0 to 28. Where the box
    has no room for so much, the noise goes as far as it can. Raises ValueError on other values.
    """
    check_images(images)
    for length in lengths:
        check_range("The length of the noise", float(length), 0, SIDE)
    noise = np.random.default_rng(seed).standard_normal(images.shape)
    low, high = np.zeros(len(images)), np.full(len(images), _LARGEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        short = np.sqrt(((_added(images, noise, middle) - images) ** 2).sum((1, 2, 3))) < lengths
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    noisy: FloatArray = _added(images, noise, low).astype(np.float32)
    return noisy


def changed_by_noise(
    classifier: Classifier, image: FloatArray, length: float, *, draws: int, seed: int = 0
) -> Rate:
    """In how many of `draws` random directions the answer to an image changes at an L2 of `length`.

    image float32 [1, 28, 28, 1] in [0, 1]; the noise stays in the box. Raises ValueError on
    other values.
    """
    check_range("The number of draws", draws, 1, 10_000)
    noisy = noise_of_norm(
        image.repeat(draws, axis=0), np.full(draws, length, np.float32), seed=seed
    )
    changed = classifier.predict(noisy) != classifier.predict(image)
    return Rate(int(changed.sum()), draws)


def _added(
    images: FloatArray, noise: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    clipped: NDArray[np.float64] = np.clip(images + scales[:, None, None, None] * noise, 0, 1)
    return clipped
