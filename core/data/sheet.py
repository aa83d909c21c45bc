"""Which ink on a sheet belongs together: its digits, in reading order, and what is none."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.arrays import BoolArray, IntArray

MAX_DIGITS = 20
_GRID = 64  # cells along the longer side, to tell pieces of ink apart
_PIECE = 0.1  # of the largest piece; smaller ones are specks
_HAT = 0.5  # of a digit's height: no taller, and no farther above or below it, is a part of it
_BREAK = 0.1  # of the taller one's height: as far apart as the halves of a broken digit

Box = tuple[int, int, int, int]  # top, left, bottom, right; half open
_TOUCHING = np.ones((3, 3), bool)


@dataclass(frozen=True, eq=False)
class Sheet:
    """The digits on a sheet.

    owner: int64 [h, w], the number of the digit, from 1, that a pixel belongs to or lies beside, 0
    for none; digits: their boxes in pixels; left_out: those of pieces that are taken for specks,
    shadows or the table.
    """

    owner: IntArray
    digits: tuple[Box, ...]
    left_out: tuple[Box, ...]

    def around(self, number: int | None) -> BoolArray:
        """The pixels of digit `number`, counted from 0, and beside it; of everything for None."""
        if number is None:
            return np.ones(self.owner.shape, bool)
        own: BoolArray = self.owner == number + 1
        return own


def find_digits(inked: BoolArray) -> Sheet:
    """The digits among inked pixels bool [h, w], of which there are some.

    A piece at the border is a shadow or the table, unless there is nothing else. Raises ValueError
    with one sentence if there are more than 20, or if the ink runs from border to border.
    """
    scale = max(1.0, max(inked.shape) / _GRID)
    rows, columns = ((np.arange(side) / scale).astype(np.int64) for side in inked.shape)
    cells = np.zeros((rows[-1] + 1, columns[-1] + 1), bool)
    y, x = np.nonzero(inked)
    cells[rows[y], columns[x]] = True
    pieces, count = ndimage.label(cells, _TOUCHING)
    strokes = _strokes(pieces)
    digits = _in_reading_order(_together([_box(pieces == number) for number in strokes], strokes))
    if len(digits) > MAX_DIGITS:
        raise ValueError(
            f"There are {len(digits)} separate things on the picture, more than {MAX_DIGITS}: "
            "photograph fewer digits, on plain paper."
        )
    names = np.zeros(count + 1, np.int64)
    for number, (_, members) in enumerate(digits, 1):
        names[members] = number
    boxes = [_box(names[pieces] == number) for number in range(1, len(digits) + 1)]
    _check_crossing(boxes, cells.shape)
    others = [number for number in range(1, count + 1) if not names[number]]
    owner = _spread(names[pieces], pieces > 0)[rows[:, np.newaxis], columns]
    label = pieces[rows[:, np.newaxis], columns] * inked
    named = names[label]
    return Sheet(
        owner,
        tuple(_box(named == number) for number in range(1, len(digits) + 1)),
        tuple(_box(label == number) for number in others),
    )


def _strokes(pieces: IntArray) -> list[int]:
    """The numbers of the pieces that are strokes of digits."""
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    inside = sizes.copy()
    inside[np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])] = 0
    if inside.max() >= _PIECE * sizes.max():
        sizes = inside
    return [int(number) for number in np.flatnonzero(sizes >= _PIECE * sizes.max())]


def _together(boxes: list[Box], numbers: list[int]) -> list[tuple[Box, list[int]]]:
    """Boxes of digits, each with the numbers of its pieces."""
    digits = [(box, [number]) for box, number in zip(boxes, numbers, strict=True)]
    at = 0
    while at < len(digits):
        box, members = digits[at]
        other = next((each for each in digits[at + 1 :] if _is_one(box, each[0])), None)
        if other is None:
            at += 1
            continue
        digits.remove(other)
        digits[at] = (_around(box, other[0]), members + other[1])
        at = 0
    return digits


def _is_one(first: Box, second: Box) -> bool:
    """Whether two boxes are parts of one digit: one above the other, and near."""
    narrower = min(first[3] - first[1], second[3] - second[1])
    if 2 * (min(first[3], second[3]) - max(first[1], second[1])) < narrower:
        return False
    low, high = sorted((first[2] - first[0], second[2] - second[0]))
    gap = max(first[0], second[0]) - min(first[2], second[2])
    return gap <= (_HAT if low <= _HAT * high else _BREAK) * high


def _around(first: Box, second: Box) -> Box:
    top, left = (min(a, b) for a, b in zip(first[:2], second[:2], strict=True))
    bottom, right = (max(a, b) for a, b in zip(first[2:], second[2:], strict=True))
    return top, left, bottom, right


def _in_reading_order(digits: list[tuple[Box, list[int]]]) -> list[tuple[Box, list[int]]]:
    """Line by line; a line is what overlaps the middle of its highest digit."""
    lines: list[list[tuple[Box, list[int]]]] = []
    for digit in sorted(digits):
        top, _, bottom, _ = digit[0]
        first = lines[-1][0][0] if lines else (0, 0, 0, 0)
        if first[0] <= (top + bottom) / 2 < first[2]:
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [digit for line in lines for digit in sorted(line, key=lambda each: each[0][1])]


def _check_crossing(boxes: list[Box], shape: tuple[int, ...]) -> None:
    for top, left, bottom, right in boxes:
        if (top == 0 and bottom == shape[0]) or (left == 0 and right == shape[1]):
            raise ValueError(
                "Something runs across the picture from border to border, a shadow or an edge: "
                "leave plain paper around the digit."
            )


def _spread(names: IntArray, taken: BoolArray) -> IntArray:
    """Digits with the free cells beside them, where ink fades out."""
    spread: IntArray = np.where(taken, names, ndimage.maximum_filter(names, 3))
    return spread


def _box(mask: BoolArray) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
