import numpy as np
import pytest

from core.arrays import to_float
from core.data.fills import FILLS, fill_images
from core.data.mnist import Dataset


@pytest.mark.parametrize("name", FILLS)
def test_every_fill_is_an_image(name: str, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:3])
    fill = fill_images(name, images)
    assert fill.shape == images.shape
    assert fill.dtype == np.float32
    assert 0 <= fill.min() <= fill.max() <= 1
    assert (fill == fill_images(name, images)).all()


def test_values(mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:2])
    assert (fill_images("black", images) == 0).all()
    assert (fill_images("gray", images) == 0.5).all()
    assert mnist.mean_image[..., 0] == pytest.approx(
        mnist.train.images.mean(axis=0) / 255, abs=1e-6
    )
    assert (fill_images("noise", images, seed=1) != fill_images("noise", images, seed=2)).any()


def test_a_blur_keeps_what_is_even_and_spreads_a_point() -> None:
    even = np.full((1, 28, 28, 1), 0.25, np.float32)
    assert fill_images("blurred", even) == pytest.approx(even, abs=1e-6)
    point = np.zeros((1, 28, 28, 1), np.float32)
    point[0, 14, 14] = 1
    blurred = fill_images("blurred", point)[0, ..., 0]
    assert blurred.argmax() == 14 * 28 + 14
    assert blurred[14, 14] == pytest.approx(1 / (2 * np.pi * 9), rel=0.01)
    assert blurred[14, 14 + 3] / blurred[14, 14] == pytest.approx(np.exp(-0.5), rel=1e-3)


def test_an_unknown_fill_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="The fill is 'white', not one of black, gray"):
        fill_images("white", np.zeros((1, 28, 28, 1), np.float32))
