"""The defense × attack grid and accuracy against ε as the page measures them, with their times."""

import time
from collections.abc import Callable, Iterable

import numpy as np

from core.arrays import to_float
from core.data.mnist import load_mnist
from core.defenses.defended import DefendedClassifier, defense_of
from core.network.classifier import Classifier
from core.studies.grid import COLUMNS, Grid, Row
from core.studies.robustness_curve import CurveStudy
from core.training.robust.settings import SHIPPED
from core.zoo import models as zoo
from ui.text import full_rate

_IMAGES = 200
_DEFENSES = ("blur-1", "median-3", "threshold-0.5", "jpeg-30")
_MORE = ("bits-1", "resize-4", "noise-0.25", "autoencoder", "projection-20x2")
_EPSILONS = (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)


def main() -> None:
    """Print both with wall and processor seconds, graphs included; then the other defenses."""
    bare, other = zoo.load("model-1"), zoo.load("model-2")
    test = load_mnist().test.first(_IMAGES)
    images, labels = to_float(test.images), test.labels.astype(np.int64)

    def grid(classifiers: Iterable[Classifier]) -> None:
        rows = tuple(Row(each.version, each.name, each) for each in classifiers)
        measured = Grid(bare, other, rows, images, labels)
        _timed(f"Grid of {len(rows)} rows × {len(COLUMNS)} columns", measured.work)
        _print(measured)

    grid(DefendedClassifier(bare, defense_of(key)) for key in _DEFENSES)
    study = CurveStudy({"Model 1": bare, "Model 2": other}, "linf", _EPSILONS, _IMAGES)
    _timed(f"Accuracy against {len(_EPSILONS)} ε of 2 models", lambda: study.work(images, labels))
    grid(DefendedClassifier(bare, defense_of(key)) for key in _MORE)
    grid(zoo.load(name) for name in SHIPPED)


def _timed(what: str, work: Callable[[], Iterable[float]]) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    for _ in work():
        pass
    print(
        f"{what}, {_IMAGES} images: {time.perf_counter() - wall:.0f} s, "
        f"{time.process_time() - processor:.0f} s of the processor",
        flush=True,
    )


def _print(grid: Grid) -> None:
    for row in grid.rows:
        print(f"  {row.title}")
        for column in COLUMNS:
            cell = grid.cells[row.key, column]
            print(f"    {column:10} {full_rate(cell.rate):40} {cell.seconds:5.1f} s", flush=True)
