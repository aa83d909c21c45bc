"""Square: what it asks, where it stays, and how strong it is."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.black_box import _hill_and_valley, square
from core.attacks.goals import Targeted, Untargeted
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.core.linear import gray_images
from tests.sizes import SIDE


class Counting(Classifier):
    """A classifier that notes how many images each question has."""

    def __init__(self, other: Classifier) -> None:
        super().__init__(other.model, name=other.name)
        self.asked: list[int] = []

    def logits(self, images: FloatArray) -> FloatArray:
        self.asked.append(len(images))
        return super().logits(images)


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:128]), mnist.test.labels[:128].astype(np.int64)


def test_it_breaks_all_that_stand_and_asks_only_about_these(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits
    counting = Counting(model_1)
    result = square(counting, images, Untargeted(labels))
    assert result.success.value == 1
    _, *search, _, _ = counting.asked  # before them the originals, behind them both once more
    assert search[0] == result.success.total
    assert search == sorted(search, reverse=True)
    assert len(search) < 1_000
    assert sum(search) < 100 * len(images)


def test_every_pixel_is_at_the_edge_of_the_ball(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = digits[0][:16], digits[1][:16]
    result = square(model_1, images, Untargeted(labels), epsilon=0.1, queries=100)
    up, down = np.clip(images + 0.1, 0, 1), np.clip(images - 0.1, 0, 1)
    away = np.minimum(np.abs(result.adversarial - up), np.abs(result.adversarial - down))
    assert away[result.right_before].max() < 1e-6


def test_the_whole_euclidean_ball_is_used(linear: Classifier) -> None:
    images = gray_images(6)
    goal = Targeted((linear.predict(images) + 1) % 10)
    result = square(linear, images, goal, epsilon=0.7, norm="l2", queries=200)
    assert result.l2 == pytest.approx(0.7, abs=1e-4)
    assert (np.abs(result.adversarial - 0.5) < 0.5).all(), "the box would cut the change"


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.02), ("l2", 0.7)])
def test_the_margin_never_falls(linear: Classifier, norm: str, epsilon: float) -> None:
    images = gray_images(6)
    goal = Untargeted(linear.predict(images))
    result = square(linear, images, goal, epsilon=epsilon, norm=norm, queries=250, record=True)
    assert result.trajectory is not None
    assert len(result.trajectory.images) == 101
    assert result.trajectory.steps[[0, 1, -1]].tolist() == [0, 1, 250]
    margins = np.array([goal.margin(logits) for logits in result.trajectory.logits[1:]])
    assert (np.diff(margins, axis=0) >= -1e-3).all()
    assert (margins[-1] > margins[0]).all()


def test_more_images_change_nothing_for_the_first(linear: Classifier) -> None:
    images = gray_images(6)
    labels = linear.predict(images)
    few, many = (
        square(linear, images[:n], Untargeted(labels[:n]), epsilon=0.005, queries=50)
        for n in (2, 6)
    )
    assert (few.adversarial == many.adversarial[:2]).all()


@pytest.mark.parametrize("side", [3, 5, 24])
def test_a_hill_above_a_valley(side: int) -> None:
    both = _hill_and_valley(side)
    assert np.linalg.norm(both) == pytest.approx(1)
    assert (both[: side // 2] > 0).all()
    assert (both[side // 2 :] < 0).all()
    if side == 3:  # one rectangle of 1 inside one of 1 / 2²: 1/4, 5/4, 1/4
        assert both[0] / both[0, 0] == pytest.approx([1, 5, 1])


def test_bad_values_are_one_sentence(linear: Classifier) -> None:
    image, goal = np.zeros((1, SIDE, SIDE, 1), np.float32), Untargeted(np.array([1]))
    with pytest.raises(ValueError, match="The number of queries is 0, outside 1 to 10000"):
        square(linear, image, goal, queries=0)
    with pytest.raises(ValueError, match="The norm is 'l0'"):
        square(linear, image, goal, norm="l0")
