"""What a weaker pen has drawn is ink too, and nothing of it is dropped in silence."""

import numpy as np
import pytest

from core.arrays import ByteArray, FloatArray, to_float
from core.data.centering import center
from core.data.mnist import Dataset
from core.data.photograph import Photograph, read_photograph
from core.network.classifier import Classifier


def _drawn(digits: list[ByteArray], levels: list[FloatArray]) -> FloatArray:
    """Digits side by side, drawn in levels [280, 280], on noisy paper of 230: float32."""
    page = np.full((400, 320 * len(digits)), 230.0)
    for place, (digit, level) in enumerate(zip(digits, levels, strict=True)):
        share = np.kron(digit / 255, np.ones((10, 10)))
        at = slice(60, 340), slice(20 + 320 * place, 300 + 320 * place)
        page[at] = page[at] * (1 - share) + level * share
    page += np.random.default_rng(0).normal(0, 3, page.shape)
    return np.clip(page, 0, 255).astype(np.float32)


def _read(model: Classifier, seen: Photograph, number: int) -> int:
    centered = center(seen.digit(number)).centered
    return int(model.predict(to_float(centered[np.newaxis]))[0])


@pytest.mark.parametrize("pale", [150, 170, 190, 200, 208])
@pytest.mark.parametrize("index", [1, 3, 4, 7, 8])
def test_the_pale_half_of_a_digit_is_read_with_the_dark(
    mnist: Dataset, model_1: Classifier, index: int, pale: int
) -> None:
    level = np.full((280, 280), 20.0)
    level[140:] = pale
    seen = read_photograph(_drawn([mnist.test.images[index]], [level]))
    assert _read(model_1, seen, 0) == mnist.test.labels[index]


def test_a_stroke_that_fades_is_read_to_its_end(mnist: Dataset, model_1: Classifier) -> None:
    level = np.linspace(0, 200, 280)[:, np.newaxis] * np.ones(280)
    for index in (1, 3, 4, 7):
        seen = read_photograph(_drawn([mnist.test.images[index]], [level]))
        assert _read(model_1, seen, 0) == mnist.test.labels[index]


@pytest.mark.parametrize("pencil", [160, 180, 200])
def test_a_pencil_s_digit_beside_a_pen_s_is_found(
    mnist: Dataset, model_1: Classifier, pencil: int
) -> None:
    levels = [np.full((280, 280), 20.0), np.full((280, 280), float(pencil))]
    seen = read_photograph(_drawn([mnist.test.images[0], mnist.test.images[3]], levels))
    assert [_read(model_1, seen, number) for number in (0, 1)] == [7, 0]


@pytest.mark.parametrize("pale", [218, 221])
def test_what_is_too_pale_to_be_read_is_told_and_can_be_had(mnist: Dataset, pale: int) -> None:
    level = np.full((280, 280), 20.0)
    level[140:] = pale
    for index in (1, 3, 4):
        seen = read_photograph(_drawn([mnist.test.images[index]], [level]))
        assert seen.sheet.left_out
        lower = np.kron(mnist.test.images[index], np.ones((10, 10)))[140:] > 200
        assert seen.digit(None)[200:340, 20:300][lower].mean() > 128


@pytest.mark.parametrize("pale", [224, 227, 229])
def test_what_is_fainter_than_all_that_is_told_is_within_the_bound_that_is(
    mnist: Dataset, pale: int
) -> None:
    """1.5 % of the paper's brightness, and less, was taken for paper in silence."""
    level = np.full((280, 280), 20.0)
    level[140:] = pale
    for index in (1, 3, 4):
        seen = read_photograph(_drawn([mnist.test.images[index]], [level]))
        assert seen.sheet.left_out or 230 - pale < seen.faintest
        assert seen.faintest < 15


def test_a_pale_stroke_at_the_border_is_told_and_can_be_had(mnist: Dataset) -> None:
    page = _drawn([mnist.test.images[0]], [np.full((280, 280), 20.0)])
    page[380:, 100:200] -= 60
    seen = read_photograph(page)
    assert len(seen.sheet.digits) == 1
    assert len(seen.sheet.left_out) == 1
    assert not seen.digit(0)[385:].any()
    assert seen.digit(None)[385:, 110:190].mean() > 200


def test_paper_beside_the_ink_stays_paper(mnist: Dataset) -> None:
    seen = read_photograph(_drawn([mnist.test.images[0]], [np.full((280, 280), 20.0)]))
    assert seen.sheet.left_out == ()
    digit = np.kron(mnist.test.images[0], np.ones((10, 10)))
    assert seen.ink[60:340, 20:300][digit == 0].mean() < 8
