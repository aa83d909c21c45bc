import numpy as np
import pytest

from core.arrays import to_float
from core.data.mnist import Dataset
from core.data.neighbors import nearest_by_class


def test_the_nearest_of_each_class_against_a_plain_search(mnist: Dataset) -> None:
    images, labels = mnist.test.images[:1_500], mnist.test.labels[:1_500]
    image = to_float(mnist.test.images[2_000:2_001])
    found = nearest_by_class(image, images, labels, classes=10)
    for label in range(10):
        of_class = to_float(images[labels == label]).reshape(-1, 784)
        expected = np.linalg.norm(of_class - image.reshape(1, 784), axis=1).min()
        assert found[label] == pytest.approx(expected, rel=1e-5)


def test_an_image_is_its_own_nearest_and_a_class_without_images_is_infinitely_far(
    mnist: Dataset,
) -> None:
    chosen = mnist.test.labels[:100] != 9
    images, labels = mnist.test.images[:100][chosen], mnist.test.labels[:100][chosen]
    found = nearest_by_class(to_float(images[:1]), images, labels, classes=10)
    assert found[labels[0]] == 0
    assert found[9] == np.inf
    assert found.dtype == np.float32
