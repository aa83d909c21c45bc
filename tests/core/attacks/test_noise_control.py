"""Noise as long as an attack's change."""

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.noise_control import noise_of_norm
from core.data.mnist import Dataset
from core.keyed_noise import of_images
from tests.sizes import SIDE


def _lengths(change: np.ndarray) -> np.ndarray:
    return np.sqrt((change**2).sum(axis=(1, 2, 3)))


def test_what_is_left_of_the_noise_is_as_long_as_asked_for(mnist: Dataset) -> None:
    digits = to_float(mnist.test.images[:6])
    asked = np.array([0.0, 0.01, 0.5, 3.0, 9.0, 15.0])
    noisy = noise_of_norm(digits, asked)
    assert noisy.dtype == np.float32
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert _lengths(noisy - digits) == pytest.approx(asked, rel=1e-4, abs=1e-6)
    assert (noisy[0] == digits[0]).all()


def test_an_image_has_its_noise_in_whatever_company(mnist: Dataset) -> None:
    digits, lengths = to_float(mnist.test.images[:70]), np.linspace(0, 12, 70)
    noisy = noise_of_norm(digits, lengths)
    for each in (0, 31, 32, 69):
        assert (noise_of_norm(digits[[each]], lengths[[each]]) == noisy[each]).all()


def test_where_nothing_is_clipped_it_is_scaled_noise() -> None:
    gray = np.full((1, SIDE, SIDE, 1), 0.5, np.float32)
    change = noise_of_norm(gray, np.array([1.0]), seed=4) - gray
    draw = of_images(gray, 4, "noise").normal(SIDE, SIDE, 1)
    assert change == pytest.approx(draw / np.sqrt((draw**2).sum()), abs=1e-5)


def test_the_box_ends_what_cannot_be_had() -> None:
    gray = np.full((1, SIDE, SIDE, 1), 0.5, np.float32)
    noisy = noise_of_norm(gray, np.array([20.0]))
    assert _lengths(noisy - gray) == pytest.approx(14.0, abs=0.1), "every pixel is at 0 or 1"


def test_a_seed_is_a_draw() -> None:
    black, length = np.zeros((1, SIDE, SIDE, 1), np.float32), np.array([2.0])
    one, same, other = (noise_of_norm(black, length, seed=seed) for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()


def test_a_bad_length_is_one_sentence() -> None:
    black = np.zeros((1, SIDE, SIDE, 1), np.float32)
    for length in (-1.0, 29.0, np.nan):
        with pytest.raises(ValueError, match=r"length of the noise is .* 0 to 28"):
            noise_of_norm(black, np.array([length]))
