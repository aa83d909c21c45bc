import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.data.fills import FILLS, fill_images
from core.data.mnist import Dataset
from core.inspection.occlusion import block_positions, occlude
from core.network.classifier import Classifier, softmax
from tests.sizes import SIDE


def slow_logits(
    classifier: Classifier, image: FloatArray, fill: FloatArray, block: int, stride: int
) -> FloatArray:
    """The oracle: one image at a time, one pixel at a time."""
    rows = []
    top = 0
    while True:
        row, left = [], 0
        while True:
            copy = image.copy()
            for y in range(top, min(top + block, SIDE)):
                for x in range(left, min(left + block, SIDE)):
                    copy[y, x] = fill[y, x]
            row.append(classifier.logits(copy[np.newaxis])[0])
            if left + block >= SIDE or left + stride >= SIDE:
                break
            left += stride
        rows.append(row)
        if top + block >= SIDE or top + stride >= SIDE:
            break
        top += stride
    return np.array(rows)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(
    ("block", "stride"), [(12, 4), (14, 14), (5, 9), (13, 6), (1, 14), (28, 1), (10, 7)]
)
def test_equals_the_slow_oracle(
    model_1: Classifier, mnist: Dataset, block: int, stride: int, fill: str
) -> None:
    images = to_float(mnist.test.images[[0, 7]])
    classes = np.array([7, 4])
    fills = fill_images(fill, images)
    occlusion = occlude(model_1, images, classes, block=block, stride=stride, fill=fills)
    clean = model_1.logits(images)
    for number in range(2):
        slow = slow_logits(model_1, images[number], fills[number], block, stride)
        label = classes[number]
        assert occlusion.logits[number] == pytest.approx(slow, abs=1e-4)
        drop = clean[number, label] - slow[..., label]
        assert occlusion.logit_drop[number] == pytest.approx(drop, abs=1e-4)
        drop = softmax(clean)[number, label] - softmax(slow)[..., label]
        assert occlusion.probability_drop[number] == pytest.approx(drop, abs=1e-4)
        assert (occlusion.predicted[number] == slow.argmax(axis=-1)).all()


def test_a_linear_model_loses_what_the_block_held(
    linear: Classifier, random: np.random.Generator
) -> None:
    image = random.random((1, SIDE, SIDE, 1), np.float32)
    weights = linear.model.layers[-1].get_weights()[0][:, 4].reshape(SIDE, SIDE)
    occlusion = occlude(linear, image, np.array([4]), block=6, stride=5, fill=0.25)
    for row, top in enumerate(occlusion.tops):
        for column, left in enumerate(occlusion.lefts):
            part = np.s_[top : top + 6, left : left + 6]
            lost = (weights[part] * (image[0, ..., 0][part] - 0.25)).sum()
            assert occlusion.logit_drop[0, row, column] == pytest.approx(lost, abs=1e-3)
    assert (occlusion.logit_drop < 0).any()  # what speaks against the class shows


@pytest.mark.parametrize("block", range(1, 15))
@pytest.mark.parametrize("stride", range(1, 15))
def test_every_pixel_is_hidden(block: int, stride: int) -> None:
    starts = block_positions(block, stride)
    assert starts[0] == 0
    assert (np.diff(starts) == stride).all()
    assert starts[-1] < SIDE
    hidden = {pixel for start in starts for pixel in range(start, min(start + block, SIDE))}
    assert hidden == set(range(SIDE)) or stride > block
    assert len(starts) == 1 or starts[-2] + block < SIDE  # none behind one that reaches the border


def test_positions_of_the_report() -> None:
    assert list(block_positions(12, 4)) == [0, 4, 8, 12, 16]
    assert len(block_positions(4, 1)) ** 2 == 625


def test_the_mean_by_pixel_is_no_sum(linear: Classifier) -> None:
    occlusion = occlude(linear, np.zeros((1, SIDE, SIDE, 1), np.float32), np.array([0]))
    even = np.full((1, 5, 5), 0.7, np.float32)
    assert occlusion.per_pixel_mean(even) == pytest.approx(np.full((1, SIDE, SIDE), 0.7))
    one = np.zeros((1, 5, 5), np.float32)
    one[0, 0, 0] = 1
    mean = occlusion.per_pixel_mean(one)[0]
    assert mean[0, 0] == 1  # hidden by this block only
    assert mean[5, 5] == pytest.approx(1 / 4)
    assert mean[12, 12] == 0
    sparse = occlude(
        linear, np.zeros((1, SIDE, SIDE, 1), np.float32), np.array([0]), block=2, stride=7
    )
    assert np.isnan(sparse.per_pixel_mean(sparse.logit_drop)).any()


def test_another_class_costs_nothing(model_1: Classifier, mnist: Dataset) -> None:
    image = to_float(mnist.test.images[:1])
    other = occlude(model_1, image, np.array([7])).of_class(2)
    anew = occlude(model_1, image, np.array([2]))
    assert other.probability_drop == pytest.approx(anew.probability_drop, abs=1e-6)


def test_many_images_are_as_one_by_one(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:9])
    classes = np.arange(9)
    together = occlude(model_1, images, classes, block=6, stride=2)
    for number in range(9):
        alone = occlude(model_1, images[[number]], classes[[number]], block=6, stride=2)
        assert together.logits[number] == pytest.approx(alone.logits[0], abs=1e-4)


def test_no_slider_retraces(model_1: Classifier, mnist: Dataset) -> None:
    image = to_float(mnist.test.images[:1])
    occlude(model_1, image, np.array([7]))
    compiled = dict(model_1._compiled)
    for block, stride, fill in ((1, 3, 0.5), (14, 1, 1.0), (7, 14, 0.2)):
        occlude(model_1, image, np.array([3]), block=block, stride=stride, fill=fill)
    assert model_1._compiled == compiled


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"block": 0}, "The block is 0, outside 1 to 28"),
        ({"block": 29}, "The block is 29"),
        ({"stride": 0}, "The stride is 0"),
        ({"fill": 1.5}, "outside \\[0, 1\\]"),
        ({"fill": np.nan}, "outside \\[0, 1\\]"),
        ({"classes": np.array([10])}, "The class is 10, outside 0 to 9"),
        ({"classes": np.array([1, 2])}, "1 images have classes int64 \\[2\\]"),
        ({"images": np.full((1, 28, 28, 1), np.nan, np.float32)}, "clip them first"),
    ],
)
def test_bad_values_are_one_sentence(
    linear: Classifier, change: dict[str, object], sentence: str
) -> None:
    good = {"images": np.zeros((1, 28, 28, 1), np.float32), "classes": np.array([1])}
    with pytest.raises(ValueError, match=sentence):
        occlude(linear, **(good | change))  # type: ignore[arg-type]
