"""Defenses against attacks, cell by cell: the same images and budget, by what an attacker knows."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.black_box import square
from core.attacks.few_pixels import random_pixels
from core.attacks.goals import Untargeted
from core.attacks.loss_surface import LOOKED_AT, without_gradient
from core.attacks.noise_control import noise_at_edge
from core.checks import (
    as_written,
    check_apart,
    check_choice,
    check_pixels,
    check_range,
    check_seed,
    check_whole,
)
from core.data.spec import MAX_SIDE, DatasetSpec
from core.defenses.adaptive import (
    ALL_NORMS,
    SEARCH,
    SEARCH_DRAWS,
    adaptive,
    lasting,
    other_draws,
    views,
)
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.study import chunks

ADAPTIVE, BLACK_BOX, TRANSFER, STATIC = "adaptive", "black box", "transfer", "static"
NOISE, CLEAN = "noise", "clean"
COLUMNS = (ADAPTIVE, BLACK_BOX, TRANSFER, STATIC, NOISE, CLEAN)  # from the hardest to none
MAX_IMAGES, MAX_ROWS = 1_000, 12
_ORDER = (CLEAN, NOISE, STATIC, TRANSFER, ADAPTIVE, BLACK_BOX)  # the cheap ones first
_SHARES = {ADAPTIVE: 20.0, BLACK_BOX: 20.0}  # of the time, where another column takes 1
_CHUNK = 128  # images between two looks at whether the job shall stop
_TOLERANCE = 1e-4  # of a norm


@dataclass(frozen=True)
class Budget:
    """What every attack of a grid may do; epsilon counts pixels if the norm is "l0"."""

    norm: str = "linf"
    epsilon: float = 0.3
    iterations: int = 40
    queries: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("The norm", self.norm, ALL_NORMS)
        if self.norm == "l0":
            check_pixels(self.epsilon, 2, MAX_SIDE**2 // 2)
        else:
            check_range("Epsilon", self.epsilon, 0, MAX_SIDE)
        check_seed(self.seed)
        object.__setattr__(self, "epsilon", as_written(self.epsilon))
        check_whole("The number of iterations", self.iterations, 1, 2_000)
        check_whole("The number of queries", self.queries, 1, 10_000)

    def check(self, spec: DatasetSpec) -> None:
        """Raise ValueError where epsilon is more than what images of `spec` have."""
        if self.norm == "l0":
            check_pixels(self.epsilon, 2, spec.side**2 // 2)
        else:
            check_range("Epsilon", self.epsilon, 0, spec.largest_l2)


@dataclass(frozen=True, eq=False)
class Row:
    """A network, with or without a defense, under the name it has on screen."""

    key: str
    title: str
    classifier: Classifier


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
    budget: Budget = Budget()
    cells: Mapping[tuple[str, str], Cell] = field(default_factory=dict)
    _made: dict[tuple[str, int], FloatArray] = field(default_factory=dict, repr=False)
    _shared: dict[str, FloatArray] = field(default_factory=dict, repr=False)

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

    def work(self) -> Generator[float]:
        """Fill the cells; yields the share done, at the least behind every `_CHUNK` images."""
        plan = self.plan
        total = len(self.images) * sum(_SHARES.get(column, 1.0) for _, column in plan)
        done = 0.0
        for row, column in plan:
            parts, seconds = [], 0.0
            for part in chunks(len(self.images), _CHUNK):
                begun = time.perf_counter()
                rows = np.arange(part.start, part.stop)
                parts.append(self._attacked(row, column, rows))
                seconds += time.perf_counter() - begun
                done += _SHARES.get(column, 1.0) * len(rows)
                if rows[-1] == len(self.images) - 1:
                    self.cells = {
                        **self.cells,
                        (row.key, column): self._cell(
                            row, column, self._whole(row, column, parts), seconds
                        ),
                    }
                yield done / total

    def _whole(self, row: Row, column: str, parts: list[FloatArray]) -> FloatArray:
        """The parts as one array; cells whose images were made on the same network share it."""
        if column == BLACK_BOX:
            return np.concatenate(parts)
        if column in (CLEAN, NOISE):
            return self._shared.setdefault(column, np.concatenate(parts))
        version = self._made_on(row, column).version
        if version not in self._shared:
            whole = self._shared[version] = np.concatenate(parts)
            for start in range(0, len(whole), _CHUNK):  # no second copy is kept
                self._made[version, start] = whole[start : start + _CHUNK]
        return self._shared[version]

    def _made_on(self, row: Row, column: str) -> Classifier:
        """The network whose gradient a column follows."""
        return {STATIC: self.bare, TRANSFER: self.source}.get(column, row.classifier)

    def _attacked(self, row: Row, column: str, rows: IntArray) -> FloatArray:
        """What an attacker with the knowledge of a column makes of some of the images."""
        if column == CLEAN:
            return self.images[rows]
        if column == NOISE:
            return noise_at_edge(
                self.images[rows], self.budget.epsilon, self.budget.norm, seed=self.budget.seed
            )
        if column == BLACK_BOX:
            return self._searched(row.classifier, rows)
        return self._followed(self._made_on(row, column), rows)

    def _followed(self, classifier: Classifier, rows: IntArray) -> FloatArray:
        """By the gradient of a classifier; made once for all cells that it serves."""
        key = classifier.version, int(rows[0])
        if key not in self._made:
            b = self.budget
            self._made[key] = adaptive(
                classifier, self.images[rows], Untargeted(self.labels[rows]),
                epsilon=b.epsilon, norm=b.norm, iterations=b.iterations, seed=b.seed,
            ).adversarial  # fmt: skip
        return self._made[key]

    def _searched(self, classifier: Classifier, rows: IntArray) -> FloatArray:
        """By asking for logits alone; of a random defense with draws that are not the row's."""
        b, images = self.budget, self.images[rows]
        goal = lasting(classifier, Untargeted(self.labels[rows]))
        classifier = other_draws(classifier, SEARCH, draws=SEARCH_DRAWS)
        if b.norm == "l0":
            return random_pixels(
                classifier, images, goal, pixels=int(b.epsilon), queries=b.queries, seed=b.seed
            ).adversarial
        return square(
            classifier, images, goal,
            epsilon=b.epsilon, norm=b.norm, queries=b.queries, seed=b.seed,
        ).adversarial  # fmt: skip

    def _cell(self, row: Row, column: str, adversarial: FloatArray, seconds: float) -> Cell:
        """Scored on the row itself; what has left the ball is no attack, and stays as it was."""
        begun = time.perf_counter()
        outside = ~inside(adversarial, self.images, self.budget.epsilon, self.budget.norm)
        if outside.any():
            adversarial = np.where(outside[:, None, None, None], self.images, adversarial)
        after = row.classifier.predict(adversarial)
        seconds += time.perf_counter() - begun
        looked = slice(LOOKED_AT if column == ADAPTIVE else 0)
        flat = without_gradient(views(row.classifier), self.images[looked], self.labels[looked])
        return Cell(adversarial, after, after == self.labels, seconds, flat)


def inside(adversarial: FloatArray, images: FloatArray, epsilon: float, norm: str) -> BoolArray:
    """Which images lie in the ball around the others, up to 1e-4, and in [0, 1]: bool [n]."""
    check_choice("The norm", norm, ALL_NORMS)
    side, _, channels = images.shape[1:]
    check_range("Epsilon", epsilon, 0, side**2)
    change = (adversarial - images).reshape(len(images), side**2 * channels)
    if norm == "l0":  # counts a pixel once, whichever of its channels changed
        change = np.abs(change).reshape(len(images), side**2, channels).max(axis=2)
    order = {"linf": np.inf, "l2": 2, "l0": 0}[norm]
    kept: BoolArray = np.linalg.norm(change, order, axis=1) <= epsilon + _TOLERANCE
    kept &= ((adversarial >= 0) & (adversarial <= 1)).all(axis=(1, 2, 3))  # NaN is not
    return kept
