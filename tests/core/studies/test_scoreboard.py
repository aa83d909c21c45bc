"""A scoreboard's rates, medians and matrix, against counting by hand."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.catalog import attack
from core.attacks.noise_control import noise_of_norm
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.studies.scoreboard import GOALS, Scoreboard, noise_control

COUNT = 60


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    """Among them test image 8, which model-1 misreads."""
    return to_float(mnist.test.images[:COUNT]), mnist.test.labels[:COUNT].astype(np.int64)


def finished(
    model: Classifier, digits: tuple[FloatArray, IntArray], name: str, goal: str, **settings: float
) -> Scoreboard:
    board = Scoreboard(attack(name), settings, goal, COUNT)
    shares = list(board.work(model, *digits))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    return board


def test_any_other(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits
    board = finished(model_1, digits, "FGSM", GOALS[0], epsilon=0.15)
    found = board.found
    before, after = model_1.predict(images), model_1.predict(found.adversarial)
    right = before == labels
    assert not right.all(), "one of them is misread before"
    assert (found.originals == images).all()
    assert board.success.total == right.sum()
    assert board.success.successes == (right & (after != labels)).sum() > 0
    assert board.standing.successes == (after == labels).sum() > 0
    hit = right & (after != labels)
    l2 = np.linalg.norm((found.adversarial - images).reshape(COUNT, -1), axis=1)
    assert board.median("l2") == pytest.approx(np.median(l2[hit]), rel=1e-5)
    assert board.median("linf") == pytest.approx(0.15, abs=1e-6)
    for source in range(10):
        for column in range(10):
            cell = board.matrix[source][column]
            mine = right & (labels == source)
            assert cell.total == mine.sum()
            assert cell.successes == (mine & (after == column)).sum()
            assert list(found.rows(source, column)) == list(
                np.flatnonzero(mine & (after == column))
            )


def test_random_targets(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    board = finished(model_1, digits, "PGD", GOALS[1], epsilon=0.2, iterations=5, step_size=0.1)
    found, labels = board.found, digits[1]
    assert (found.wanted != labels).all()
    assert set(found.wanted) <= set(range(10))
    total = sum(cell.total for row in board.matrix for cell in row)
    hits = sum(cell.successes for row in board.matrix for cell in row)
    assert (hits, total) == (board.success.successes, board.success.total)
    source, column = int(labels[0]), int(found.wanted[0])
    assert 0 in found.rows(source, column), "failures stand in their cell, too"


def test_what_is_done_stays_when_it_is_stopped(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    board = Scoreboard(attack("FGSM"), {}, GOALS[0], COUNT)
    work = board.work(model_1, *digits)
    next(work)
    work.close()
    assert 0 < board.count < COUNT
    assert len(board.found.labels) == board.count
    assert board.seconds > 0


def test_the_control_is_noise_as_long_as_each_change(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    found = finished(model_1, digits, "FGSM", GOALS[0], epsilon=0.5).found
    rows = np.flatnonzero(found.before == found.labels)
    noisy = noise_of_norm(digits[0][rows], found.l2[rows])
    changed = model_1.predict(noisy) != found.before[rows]
    control = noise_control(found, model_1)
    assert (control == changed).all()
    assert 0 < control.sum() < len(control)


def test_runs_over_the_same_images_share_them(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    board = finished(model_1, digits, "FGSM", GOALS[0])
    assert np.shares_memory(board.found.originals, digits[0])
    assert len(board.found.originals) == COUNT


def test_without_a_success_there_is_no_median(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    board = finished(model_1, digits, "FGSM", GOALS[0], epsilon=0.0)
    assert board.success.successes == 0
    assert np.isnan(board.median("l2"))


def test_bad_values_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="No image has been measured yet: work first"):
        Scoreboard(attack("FGSM"), {}, GOALS[0], 50).found  # noqa: B018
    with pytest.raises(ValueError, match="The goal is 'all', not one of any other, random target"):
        Scoreboard(attack("FGSM"), {}, "all", 50)
    with pytest.raises(ValueError, match="The number of images is 5000, outside 1 to 1000"):
        Scoreboard(attack("FGSM"), {}, GOALS[0], 5_000)
