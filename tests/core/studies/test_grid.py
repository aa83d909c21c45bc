"""The grid of defenses and attacks: what each column may know, budgets, and what is kept."""

from dataclasses import replace

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.few_pixels import random_pixels
from core.attacks.goals import Untargeted
from core.attacks.noise_control import noise_at_edge, noise_of_norm
from core.data.mnist import Dataset
from core.defenses.adaptive import adaptive
from core.defenses.defended import DefendedClassifier, defense_of
from core.network.classifier import Classifier
from core.studies.grid import CLEAN, COLUMNS, Budget, Grid, Row, inside
from core.zoo import models as zoo
from tests.core.linear import gray_images, needed_radius, scaled

QUICK = Budget(epsilon=0.2, iterations=8, queries=20)


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:24]), mnist.test.labels[:24].astype(np.int64)


@pytest.fixture(scope="module")
def model_2() -> Classifier:
    return zoo.load("model-2")


@pytest.fixture(scope="module")
def grid(model_1: Classifier, model_2: Classifier, digits: tuple[FloatArray, IntArray]) -> Grid:
    blurred = DefendedClassifier(model_1, defense_of("blur-1"))
    noisy = DefendedClassifier(model_1, defense_of("noise-0.25"), draws=2)
    rows = (
        Row("none", "No defense", model_1),
        Row("blur-1", "Blur", blurred),
        Row("noise-0.25", "Noise", noisy),
        Row("model-2", "Model 2", model_2),
    )
    grid = Grid(model_1, model_2, rows, *digits, QUICK)
    shares = list(grid.work())
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    return grid


def test_every_cell_is_there_but_a_transfer_to_the_source_itself(grid: Grid) -> None:
    wanted = {(row.key, column) for row in grid.rows for column in COLUMNS}
    assert set(grid.cells) == wanted - {("model-2", "transfer")}


def test_cells_are_scored_on_their_own_row_and_stay_in_the_ball(grid: Grid) -> None:
    for row in grid.rows:
        for column in COLUMNS:
            if cell := grid.cells.get((row.key, column)):
                np.testing.assert_array_equal(cell.after, row.classifier.predict(cell.adversarial))
                np.testing.assert_array_equal(cell.standing, cell.after == grid.labels)
                assert np.abs(cell.adversarial - grid.images).max() <= 0.2 + 1e-4
                assert cell.rate.total == 24
        np.testing.assert_array_equal(grid.cells[row.key, CLEAN].adversarial, grid.images)


def test_static_images_are_those_of_the_network_without_its_defense(
    grid: Grid, model_1: Classifier, model_2: Classifier
) -> None:
    goal = Untargeted(grid.labels)
    for column, classifier in (("static", model_1), ("transfer", model_2)):
        made = adaptive(classifier, grid.images, goal, epsilon=0.2, iterations=8).adversarial
        for row in ("none", "blur-1", "noise-0.25"):
            np.testing.assert_array_equal(grid.cells[row, column].adversarial, made)
    bare = grid.cells["none", "adaptive"]
    np.testing.assert_array_equal(bare.adversarial, grid.cells["none", "static"].adversarial)
    for column in (CLEAN, "noise", "static", "transfer"):  # one copy in memory for all rows
        first, second = (grid.cells[row, column].adversarial for row in ("none", "blur-1"))
        assert first is second
    assert bare.adversarial is grid.cells["none", "static"].adversarial
    through = grid.cells["blur-1", "adaptive"]
    assert not np.array_equal(through.adversarial, bare.adversarial)
    assert through.rate.successes <= grid.cells["blur-1", "static"].rate.successes


def test_the_worst_is_taken_image_by_image(grid: Grid) -> None:
    for row in grid.rows:
        cells = [cell for (key, _), cell in grid.cells.items() if key == row.key]
        standing = [all(cell.standing[image] for cell in cells) for image in range(24)]
        worst = grid.worst(row)
        assert worst is not None
        assert worst.successes == sum(standing)
        assert worst.successes <= min(cell.rate.successes for cell in cells)


def test_what_is_done_stays_when_the_work_ends_early(
    model_1: Classifier, model_2: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    grid = Grid(model_1, model_2, (Row("none", "No defense", model_1),), *digits, QUICK)
    assert grid.worst(grid.rows[0]) is None
    work = grid.work()
    next(work)
    before = grid.cells
    next(work)
    work.close()
    assert [len(before), len(grid.cells)] == [1, 2]


def test_an_attack_that_leaves_the_ball_is_none(
    model_1: Classifier, model_2: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, _ = digits
    far = images.copy()
    far[:3] = 0
    kept = inside(far, images, 0.2, "linf")
    assert not kept[:3].any()
    assert kept[3:].all()
    broken = np.full_like(images, np.nan)
    assert not inside(broken, images, 28, "l2").any()
    assert inside(images, images, 2, "l0").all()


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.3), ("l2", 2.0), ("l0", 40)])
def test_noise_lies_at_the_edge_of_the_ball(norm: str, epsilon: float) -> None:
    images = gray_images(5)
    noisy = noise_at_edge(images, epsilon, norm, seed=3)
    change = (noisy - images).reshape(5, -1)
    order = {"linf": np.inf, "l2": 2, "l0": 0}[norm]
    np.testing.assert_allclose(np.linalg.norm(change, order, axis=1), epsilon, rtol=1e-3)
    assert noisy.dtype == np.float32
    np.testing.assert_array_equal(noisy, noise_at_edge(images, epsilon, norm, seed=3))
    if norm == "l2":
        lengths = np.full(5, epsilon, np.float32)
        np.testing.assert_array_equal(noisy, noise_of_norm(images, lengths, seed=3))


def test_few_pixels_are_found_by_asking_alone(linear: Classifier) -> None:
    """Each pixel of a linear model counts for itself, so that enough of them suffice."""
    images = gray_images(6)
    goal = Untargeted(linear.predict(images))
    result = random_pixels(linear, images, goal, pixels=60, queries=150, seed=2)
    assert result.l0.max() <= 60
    assert result.succeeded.all()
    again = random_pixels(linear, images, goal, pixels=60, queries=150, seed=2)
    np.testing.assert_array_equal(result.adversarial, again.adversarial)
    changed = result.adversarial[np.abs(result.change) > 1e-6]
    assert set(np.unique(changed)) <= {0.0, 1.0}


def test_a_search_keeps_only_what_raises_the_margin(linear: Classifier) -> None:
    """Logits a hundred times as small change no decision, so no choice either."""
    images = gray_images(4)
    labels = linear.predict(images)
    near = images[needed_radius(linear, images, "linf").argsort()]
    first = random_pixels(linear, near, Untargeted(linear.predict(near)), pixels=4, queries=15)
    small = scaled(linear, 0.01)
    second = random_pixels(small, near, Untargeted(small.predict(near)), pixels=4, queries=15)
    np.testing.assert_array_equal(first.adversarial, second.adversarial)
    goal = Untargeted(labels)
    result = random_pixels(linear, images, goal, pixels=4, queries=15)
    before, after = (
        goal.margin(linear.logits(images)),
        goal.margin(linear.logits(result.adversarial)),
    )
    assert (after >= before).all()
    assert (after > before).any()


def test_values_out_of_range_are_named(model_1: Classifier) -> None:
    images, none = np.zeros((1, 28, 28, 1), np.float32), np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="norm"):
        Budget(norm="l1")
    with pytest.raises(ValueError, match=r"The number of pixels is 0\.3"):
        Budget(norm="l0")
    with pytest.raises(ValueError, match="number of queries is 0"):
        Budget(queries=0)
    with pytest.raises(ValueError, match="number of rows is 0"):
        Grid(model_1, model_1, (), images, none)
    one, other = Row("blur-1", "Blur", model_1), Row("blur-2", "Blur 2", model_1)
    for twin, what in ((replace(other, key="blur-1"), "key 'blur-1'"),
                       (replace(other, title="Blur"), "title 'Blur'")):  # fmt: skip
        with pytest.raises(ValueError, match=f"Two rows have the {what}: leave one of them out"):
            Grid(model_1, model_1, (one, twin), images, none)
    with pytest.raises(ValueError, match="number of pixels is 500"):
        random_pixels(model_1, images, Untargeted(none), pixels=500)
