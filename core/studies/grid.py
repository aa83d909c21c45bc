"""Defenses against attacks, cell by cell: the same images and budget, by what an attacker knows."""

import functools
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.loss_surface import LOOKED_AT
from core.checks import check_apart, check_whole
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.attempts import (
    ADAPTIVE,
    BLACK_BOX,
    CLEAN,
    NOISE,
    STATIC,
    TRANSFER,
    Attempt,
    Budget,
    Row,
    Tried,
    inside,
    tried,
)
from core.studies.study import chunks
from core.work.chunks import HERE, AnyWorkers, Chunk, work_on

__all__ = [
    "ADAPTIVE", "BLACK_BOX", "CLEAN", "COLUMNS", "NOISE", "STATIC", "TRANSFER",
    "Budget", "Cell", "Grid", "Row", "inside",
]  # fmt: skip

COLUMNS = (ADAPTIVE, BLACK_BOX, TRANSFER, STATIC, NOISE, CLEAN)  # from the hardest to none
MAX_IMAGES, MAX_ROWS = 1_000, 12
_ORDER = (CLEAN, NOISE, STATIC, TRANSFER, ADAPTIVE, BLACK_BOX)  # the cheap ones first
_CHUNK = 64  # images


@dataclass(frozen=True, eq=False)
class Cell:
    """What one kind of attack did to a row.

    adversarial float32 [n, h, w, c], some cells share it; after int64 [n]: the answers to it;
    standing bool [n]: read as their class. seconds: the time of this cell alone. flat bool [m]: of
    the first images under an adaptive attack, those without a gradient through any stand-in.
    """

    adversarial: FloatArray
    after: IntArray
    standing: BoolArray
    seconds: float
    flat: BoolArray = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def rate(self) -> Rate:
        """Robust accuracy: of all images, those that are right."""
        return Rate.of(self.standing)


@dataclass(eq=False)
class Grid:
    """Rows × COLUMNS over the same images of classes `labels`; grows while `work` goes on.

    static: made on `bare`, the network without a defense; transfer: on `source`, another network;
    adaptive and black box: through the row itself; noise: random, at the edge of the same ball.
    images float32 [n, h, w, c] in [0, 1]. Raises ValueError on too many images or rows, and on
    two rows with one key, under which cells are kept, or with one title.
    """

    bare: Classifier
    source: Classifier
    rows: tuple[Row, ...]
    images: FloatArray
    labels: IntArray
    budget: Budget = field(default_factory=Budget)
    cells: Mapping[tuple[str, str], Cell] = field(default_factory=dict)
    _tried: dict[tuple[int, int], Tried] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_whole("The number of images", len(self.images), 1, MAX_IMAGES)
        check_whole("The number of rows", len(self.rows), 1, MAX_ROWS)
        self.budget.check(self.bare.spec)
        for what in ("key", "title"):
            check_apart([getattr(row, what) for row in self.rows], f"rows have the {what}")

    @property
    def plan(self) -> list[tuple[Row, str]]:
        """The cells that `work` fills, in its order; a transfer from a row to itself is none."""
        return [
            (row, column)
            for column in _ORDER
            for row in self.rows
            if column != TRANSFER or row.classifier.version != self.source.version
        ]

    def worst(self, row: Row) -> Rate | None:
        """Images of a row that are right in every cell measured so far; None before the first."""
        cells = [
            self.cells[row.key, column] for column in COLUMNS if (row.key, column) in self.cells
        ]
        if not cells:
            return None
        return Rate.of(np.logical_and.reduce([cell.standing for cell in cells]))

    @functools.cached_property
    def _attempts(self) -> list[Attempt]:
        """The attacks that are made, in the order of the plan, each with all cells it serves."""
        served: dict[tuple[str, str], list[tuple[Row, str]]] = {}
        for row, column in self.plan:
            served.setdefault(self._identity(row, column), []).append((row, column))
        return [
            Attempt(kind, self._made_on(*cells[0]), tuple(cells))
            for (kind, _), cells in served.items()
        ]

    def _identity(self, row: Row, column: str) -> tuple[str, str]:
        """The kind of an attempt, and what tells it from others of its kind."""
        if column in (CLEAN, NOISE):
            return column, ""
        if column == BLACK_BOX:
            return column, row.key
        return ADAPTIVE, self._made_on(row, column).version

    def _made_on(self, row: Row, column: str) -> Classifier:
        """The network that a column asks, for its gradient if it follows one."""
        return {STATIC: self.bare, TRANSFER: self.source}.get(column, row.classifier)

    def work(self, *, workers: AnyWorkers = HERE) -> Generator[float]:
        """Fill the cells; yields the share done."""
        parts = (
            Chunk(
                (place, number),
                tried,
                self._arguments(attempt, rows),
                attempt.cost * (rows.stop - rows.start),
            )
            for place, attempt in enumerate(self._attempts)
            for number, rows in enumerate(self._parts)
        )
        yield from work_on(parts, self, workers)

    @property
    def _parts(self) -> list[slice]:
        return list(chunks(len(self.images), _CHUNK))

    def _arguments(self, attempt: Attempt, rows: slice) -> tuple[Any, ...]:
        looked = max(0, LOOKED_AT - rows.start)
        return attempt, self.images[rows], self.labels[rows], self.budget, looked

    def has(self, key: Any) -> bool:
        """Whether an attempt, by its place, has been made on a part of the images."""
        row, column = self._attempts[key[0]].cells[0]
        return key in self._tried or (row.key, column) in self.cells

    def take(self, key: Any, result: Any) -> None:
        """Take in an attempt on a part; behind the last part its cells are shown."""
        place, _ = key
        self._tried[key] = result
        keys = [(place, number) for number in range(len(self._parts))]
        if all(each in self._tried for each in keys):
            parts = [self._tried.pop(each) for each in keys]
            self.cells = {**self.cells, **self._cells(self._attempts[place], parts)}

    def _cells(self, attempt: Attempt, parts: list[Tried]) -> dict[tuple[str, str], Cell]:
        """Their images are one array for all; the time to make them is the first cell's."""
        adversarial = np.concatenate([part.adversarial for part in parts])
        cells, made = {}, sum(part.seconds for part in parts)
        for row, column in attempt.cells:
            after = np.concatenate([part.after[row.key] for part in parts])
            seconds = made + sum(part.judging[row.key] for part in parts)
            flat = np.zeros(0, bool)
            if column == ADAPTIVE:
                flat = np.concatenate([part.flat[row.key] for part in parts])
            cells[row.key, column] = Cell(adversarial, after, after == self.labels, seconds, flat)
            made = 0.0
        return cells
