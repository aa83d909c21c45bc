import numpy as np
import pytest

from core.data import SIDE
from core.likeness import most_similar, roughness, shuffled


def test_controls(random: np.random.Generator) -> None:
    images = random.random((3, SIDE, SIDE, 1)).astype(np.float32)
    mixed = shuffled(images)
    assert (np.sort(mixed.reshape(3, -1)) == np.sort(images.reshape(3, -1))).all()
    assert not (mixed == images).all((1, 2, 3)).any()
    index, cosine = most_similar(images[[2, 0]] * 0.5, images)
    assert list(index) == [2, 0]
    assert cosine == pytest.approx([1, 1], abs=1e-5)
    flat = np.zeros((2, SIDE, SIDE, 1), np.float32)
    flat[0, :, :14] = 1
    assert roughness(flat) == pytest.approx([SIDE / (SIDE * 14), np.nan], nan_ok=True)
    assert most_similar(flat[1:], images)[1] == 0
