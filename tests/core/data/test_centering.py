"""Drawings become what MNIST's makers would have stored."""

import numpy as np
import pytest

from core.arrays import ByteArray, to_float
from core.data.centering import CENTER, FIT, center, check_visible, squeeze
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.sizes import SIDE


def _enlarged(digit: ByteArray, scale: int) -> ByteArray:
    return digit.repeat(scale, axis=0).repeat(scale, axis=1)


def _mass(image: ByteArray) -> tuple[float, float]:
    row, column = np.average(np.indices(image.shape).reshape(2, -1), axis=1, weights=image.ravel())
    return row, column


def test_a_square_fills_the_box_and_lies_in_the_middle() -> None:
    drawing = np.zeros((300, 500), np.uint8)
    drawing[20:60, 400:440] = 255
    steps = center(drawing)
    assert steps.box == (20, 400, 60, 440)
    assert steps.crop.shape == (40, 40)
    assert (steps.fitted == 255).all()
    assert steps.mass == (9.5, 9.5)
    assert (steps.centered[4:24, 4:24] == 255).all()
    assert steps.centered.sum() == 255 * FIT * FIT


@pytest.mark.parametrize(("height", "width"), [(100, 50), (50, 100), (37, 111), (200, 1), (1, 1)])
def test_the_aspect_ratio_is_kept(height: int, width: int) -> None:
    drawing = np.zeros((240, 240), np.uint8)
    drawing[11 : 11 + height, 17 : 17 + width] = 200
    rows, columns = np.nonzero(center(drawing).centered)
    longer = max(height, width)
    assert np.ptp(rows) + 1 == max(1, round(FIT * height / longer))
    assert np.ptp(columns) + 1 == max(1, round(FIT * width / longer))


@pytest.mark.parametrize("turns", range(4))
def test_the_center_of_mass_goes_to_the_center(turns: int) -> None:
    triangle = np.rot90(np.tril(np.full((90, 60), 255, np.uint8)), turns)
    drawing = np.pad(triangle, ((3, 200), (150, 9)))
    steps = center(drawing)
    assert np.abs(np.subtract(_mass(steps.centered), CENTER)).max() <= 0.5
    np.testing.assert_allclose(steps.mass, _mass(steps.fitted))


def test_a_digit_stays_whole_where_its_weight_is_at_one_end() -> None:
    drawing = np.zeros((200, 200), np.uint8)
    drawing[:180, 99:101] = 255  # a thin stem
    drawing[180:, 60:140] = 255  # on a heavy foot
    centered = center(drawing).centered
    rows = np.flatnonzero(centered.any(axis=1))
    assert (rows[0], rows[-1]) == (0, FIT - 1)


def test_edges_are_as_gray_as_they_are_covered() -> None:
    drawing = np.zeros((400, 400), np.uint8)
    drawing[:, :10] = 200  # half of the first of 20 columns
    drawing[0, 399] = 200
    assert (center(drawing).fitted[1:, 0] == 100).all()


def test_test_images_come_back_exactly(mnist: Dataset) -> None:
    images = mnist.test.images[:1000]
    again = np.stack([center(_enlarged(image, 10)).centered for image in images])
    np.testing.assert_array_equal(again, images)


def test_centering_is_what_the_network_needs(mnist: Dataset, model_1: Classifier) -> None:
    test, random = mnist.test.first(200), np.random.default_rng(0)
    drawings = np.zeros((200, 420, 420), np.uint8)
    for drawing, image in zip(drawings, test.images, strict=True):
        scale = int(random.integers(4, 9))
        top, left = random.integers(0, 420 - scale * SIDE, 2)
        drawing[top : top + scale * SIDE, left : left + scale * SIDE] = _enlarged(image, scale)
    centered = np.stack([center(drawing).centered for drawing in drawings])
    squeezed = np.stack([squeeze(drawing) for drawing in drawings])
    clean, right, wrong = (
        (model_1.predict(to_float(images)) == test.labels).mean()
        for images in (test.images, centered, squeezed)
    )
    assert right >= clean - 0.01
    assert wrong <= 0.4


def test_any_number_type_gives_the_same(mnist: Dataset) -> None:
    drawing = mnist.test.images[0]
    for kind in (np.float32, np.float64, np.int64):
        np.testing.assert_array_equal(center(drawing.astype(kind)).centered, drawing)


def test_the_drawing_is_left_alone(mnist: Dataset) -> None:
    drawing = mnist.test.images[0].copy()
    center(drawing)
    squeeze(drawing)
    np.testing.assert_array_equal(drawing, mnist.test.images[0])


def test_squeezing_keeps_the_place() -> None:
    drawing = np.zeros((280, 280), np.uint8)
    drawing[:20, 250:260] = 255
    expected = np.zeros((SIDE, SIDE), np.uint8)
    expected[:2, 25] = 255
    np.testing.assert_array_equal(squeeze(drawing), expected)


@pytest.mark.parametrize("way", [center, squeeze])
@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        (np.zeros((280, 280)), "no ink: draw a digit"),
        (np.zeros((0, 5)), "not \\[height, width\\]"),
        (np.ones((3, 28, 28)), "not \\[height, width\\]"),
        (np.full((28, 28), 256.0), "outside 0 to 255"),
        (np.full((28, 28), -1), "outside 0 to 255"),
        (np.full((28, 28), np.nan), "outside 0 to 255"),
    ],
)
def test_bad_drawings_get_a_sentence(way, drawing, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        way(drawing)


def test_ink_that_vanishes_gets_a_sentence() -> None:
    drawing = np.zeros((3000, 3000), np.uint8)
    drawing[0, 0] = drawing[-1, -1] = 255
    with pytest.raises(ValueError, match="Draw thicker strokes"):
        center(drawing)


@pytest.mark.parametrize("way", [center, squeeze])
def test_two_dots_in_opposite_corners_are_too_faint(way) -> None:
    drawing = np.zeros((280, 280), np.uint8)
    drawing[:1, :1] = drawing[-1:, -1:] = 255
    with pytest.raises(ValueError, match=r"^Too faint: the darkest .* is [12] of 255, below 64\."):
        way(drawing)


@pytest.mark.parametrize("level", [64, 128, 255])
def test_one_gray_all_over_is_no_digit(level: int) -> None:
    flat = np.full((28, 28), level, np.uint8)
    with pytest.raises(ValueError, match=r"^Nothing to see: .* differ by 0 of 255.* Another file"):
        check_visible(flat, "Another file.")
    with pytest.raises(ValueError, match=r"^Nothing to see"):
        squeeze(flat)


def test_two_full_dots_are_too_little_ink() -> None:
    drawing = np.zeros((280, 280), np.uint8)
    drawing[:21, :21] = drawing[-21:, -21:] = 255
    with pytest.raises(ValueError, match=r"^Too little ink: it would fill 4.5 pixels"):
        center(drawing)


@pytest.mark.parametrize(("paper", "ink"), [(0, 255), (255, 0), (100, 255)])
def test_one_full_pixel_is_no_digit(paper: int, ink: int) -> None:
    image = np.full((28, 28), paper, np.uint8)
    image[14, 14] = ink
    with pytest.raises(ValueError, match=r"^Too little ink: .* (1\.0|0\.6) pixels.* Another file"):
        check_visible(image, "Another file.")
    if not paper:
        with pytest.raises(ValueError, match=r"^Too little ink"):
            squeeze(image)


def test_a_hair_of_ink_is_none(mnist: Dataset) -> None:
    drawing = np.zeros((512, 512), np.uint8)
    drawing[20:490, 250] = 255
    drawing[20, 150:250] = 255
    with pytest.raises(ValueError, match="Too faint"):
        center(drawing)
    for image in mnist.test.images[:500]:
        check_visible(image)
