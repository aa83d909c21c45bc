import numpy as np
import pytest

from core.data import load_mnist
from core.network.orientation import AS_THEY_ARE, ways_to_read
from core.zoo.models import load_once

TEST = load_mnist().test.first(120)
LAID = {  # how digits come, and the way that a network reads them
    "as they are": lambda images: images,
    "transposed": lambda images: images.swapaxes(1, 2),
    "turned by 90° to the left": lambda images: np.rot90(images, -1, (1, 2)),
}


@pytest.mark.parametrize("way", LAID)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_network_that_knows_digits_tells_how_they_lie(way: str, inverted: bool) -> None:
    images = np.ascontiguousarray(LAID[way](TEST.images))
    images = 255 - images if inverted else images
    best, second, *_ = ways_to_read(load_once("model-1"), images, TEST.labels, count=120)
    assert (best.turn, best.inverted) == (way, inverted)
    assert best.rate.value > 0.95 > second.rate.value


def test_ways_that_read_equally_many_keep_their_order() -> None:
    blank = np.zeros((5, 28, 28), np.uint8)
    first = ways_to_read(load_once("model-1"), blank, np.arange(5))[0]
    assert first.turn == AS_THEY_ARE
