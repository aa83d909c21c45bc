"""Pieces of ink become digits, and nothing is lost in silence."""

import numpy as np
import pytest

from core.arrays import BoolArray
from core.data.sheet import MAX_DIGITS, find_digits


def _sheet(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (400, 512)) -> BoolArray:
    inked = np.zeros(shape, bool)
    for top, left, bottom, right in boxes:
        inked[top:bottom, left:right] = True
    return inked


def test_digits_are_numbered_as_one_reads() -> None:
    boxes = [(60, 300, 150, 350), (40, 60, 140, 120), (250, 70, 330, 110), (240, 200, 340, 280)]
    sheet = find_digits(_sheet(*boxes))
    assert sheet.digits == (boxes[1], boxes[0], boxes[2], boxes[3])
    assert sheet.left_out == ()
    for number, (top, left, bottom, right) in enumerate(sheet.digits):
        assert sheet.around(number)[top:bottom, left:right].all()
        assert not sheet.around(number)[_sheet(*(set(boxes) - {sheet.digits[number]}))].any()


@pytest.mark.parametrize(
    "pieces",
    [
        [(40, 60, 60, 160), (90, 60, 260, 150)],  # a 5 and its hat
        [(40, 100, 60, 190), (120, 60, 260, 150)],  # which flew off
        [(40, 60, 130, 150), (140, 60, 240, 150)],  # a broken 8
        [(40, 60, 80, 150), (110, 70, 140, 150), (165, 60, 260, 150)],  # a 3 in pieces
    ],
)
def test_the_pieces_of_a_digit_are_one(pieces: list[tuple[int, int, int, int]]) -> None:
    sheet = find_digits(_sheet(*pieces, (80, 350, 250, 400)))
    assert len(sheet.digits) == 2
    assert sheet.around(0)[_sheet(*pieces)].all()


def test_what_is_left_out_is_shown_and_can_be_had() -> None:
    speck, table = (330, 300, 337, 308), (0, 480, 400, 512)
    inked = _sheet((50, 60, 300, 120), speck, table)
    sheet = find_digits(inked)
    assert len(sheet.digits) == 1
    assert set(sheet.left_out) == {speck, table}
    assert not sheet.around(0)[_sheet(speck, table)].any()
    assert sheet.around(None).all()


def test_far_strokes_are_digits_of_their_own_or_all_in_one() -> None:
    dots = [(10, 10, 60, 60), (330, 440, 380, 490)]
    sheet = find_digits(_sheet(*dots))
    assert sheet.digits == tuple(dots)
    assert sheet.around(None)[_sheet(*dots)].all()


def test_every_inked_pixel_is_in_a_box() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        corners = random.integers(30, 320, (6, 2))
        sides = random.integers(4, 60, (6, 2))
        boxes = [(int(t), int(x), int(t + h), int(x + w))
                 for (t, x), (h, w) in zip(corners, sides, strict=True)]  # fmt: skip
        inked = _sheet(*boxes)
        sheet = find_digits(inked)
        assert not (inked & ~_sheet(*sheet.digits, *sheet.left_out)).any()


def test_too_many_things_get_a_sentence() -> None:
    inked = np.zeros((512, 512), bool)
    for top in range(20, 480, 60):
        inked[top : top + 20, 20:480] = np.arange(460) % 40 < 20
    with pytest.raises(ValueError, match=f"more than {MAX_DIGITS}: photograph fewer"):
        find_digits(inked)


@pytest.mark.parametrize("band", [(0, 200, 400, 260), (150, 0, 220, 512)])
def test_what_runs_across_gets_a_sentence(band: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="from border to border"):
        find_digits(_sheet(band))


def test_a_labyrinth_ends() -> None:
    cells = np.zeros((40, 40), bool)
    cells[4:36:2, 4:36] = True
    cells[5::4, 35] = cells[7::4, 4] = True
    assert len(find_digits(cells[:38, :38]).digits) == 1
