"""An image's fate is its own: whatever the batch, its draws are the same to the last bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.apgd import apgd
from core.attacks.catalog import ATTACKS, attack
from core.attacks.few_pixels import random_pixels
from core.attacks.generated import generate_from_noise
from core.attacks.geometry import Ball, random_start
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.attacks.growing_ball import LOSSES, Climb, push
from core.attacks.loss_surface import directions
from core.attacks.noise_control import noise_of_norm
from core.attacks.universal_noise import shuffled
from core.backend import tf
from core.catalog import Value
from core.data.mnist import Dataset
from core.inspection.fidelity import random_map
from core.keyed_noise import of_images, of_numbers, other_seed
from core.network.classifier import Classifier
from core.studies.fidelity_study import FidelityStudy
from core.studies.grid import ADAPTIVE, BLACK_BOX, NOISE, Budget, Grid, Row
from core.studies.repeated import SourceStudy
from core.studies.robustness_curve import CurveStudy
from core.studies.scoreboard import GOALS, Scoreboard, noise_control
from core.studies.smallest_study import SmallestStudy
from core.studies.smoothing_study import SmoothingStudy
from core.training.inner_attack import image_draws
from core.zoo import models as zoo

COUNT = 24
CLOSE = 1e-3  # logits: below it the batch may decide, which moves them by 1e-5 at each step
BATCHES: dict[str, IntArray] = {  # which of the images, and in which order
    "alone": np.array([7]),
    "backward, some twice": np.append(np.arange(COUNT)[::-1], [3, 19, 11]),
    "in company": np.append(np.arange(90, 135), np.arange(COUNT)),
}
QUICK: dict[str, dict[str, Value]] = {
    "FGSM": {"epsilon": 0.15},
    "PGD": {"epsilon": 0.1, "iterations": 8, "step_size": 0.025, "restarts": 2},
    "Momentum": {"epsilon": 0.1, "iterations": 5},
    "APGD": {"epsilon": 0.08, "iterations": 8, "restarts": 2},
    "DDN": {"iterations": 15},
    "DeepFool": {"iterations": 4},
    "Carlini–Wagner": {"binary_search_steps": 2, "iterations": 15},
    "JSMA": {"pixels": 20},
    "One pixel": {"population": 12, "generations": 3},
    "Square": {"epsilon": 0.2, "queries": 25},
    "Worst case": {"epsilon": 0.08, "iterations": 5, "queries": 10},
}


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:140]), mnist.test.labels[:140].astype(np.int64)


def _with_bits(images: FloatArray) -> dict[str, np.ndarray]:
    """Everything that is drawn for images, by name."""
    lengths = np.full(len(images), 2.0, np.float32)
    return {
        "linf start": random_start(images, Ball(0.3, "linf"), seed=1, restart=2),
        "l2 start": random_start(images, Ball(2.0, "l2"), seed=1, restart=2),
        "noise": noise_of_norm(images, lengths, seed=1),
        "normal": of_images(images, 1, "a").normal(5),
        "signs": of_images(images, 1, "b").signs(2, 3),
        "order": of_images(images, 1, "c").at(4).order(9),
        "below": of_images(images, 1, "d").below(9),
    }


@pytest.mark.parametrize("batch", BATCHES)
def test_draws_are_equal_to_the_last_bit(digits: tuple[FloatArray, IntArray], batch: str) -> None:
    images, rows = digits[0], BATCHES[batch]
    whole, part = _with_bits(images), _with_bits(images[rows])
    for name, drawn in part.items():
        np.testing.assert_array_equal(drawn, whole[name][rows], err_msg=name)


def test_draws_differ_by_image_seed_purpose_and_number(
    digits: tuple[FloatArray, IntArray],
) -> None:
    images = digits[0]
    keys = [
        draws.keys
        for seed in (0, 1, 2)
        for purpose in ("start", "noise")
        for draws in (
            of_images(images, seed, purpose),
            *(of_images(images, seed, purpose).at(number) for number in range(3)),
        )
    ]
    assert len(np.unique(keys)) == np.size(keys), "no restart of a seed is one of the next"
    seeds = [other_seed(seed, "restart", number) for seed in range(20) for number in range(20)]
    assert len(set(seeds)) == 400
    assert 0 <= min(seeds) <= max(seeds) < 2**31
    same = images[:1].repeat(6, axis=0)
    assert len(np.unique(of_images(same, 0, "a").keys)) == 1
    assert len(np.unique(of_images(same, 0, "a", draws=3).keys)) == 3


def test_draws_are_uniform_and_normal(digits: tuple[FloatArray, IntArray]) -> None:
    draws = of_images(digits[0], 0, "a")
    even, bell = draws.uniform(2_000), draws.normal(2_000)
    assert even.mean() == pytest.approx(0.5, abs=0.003)
    assert even.std() == pytest.approx(12**-0.5, abs=0.003)
    assert (bell.mean(), bell.std()) == pytest.approx((0, 1), abs=0.01)
    for values in (even, bell):
        near = np.abs(np.corrcoef(values)) - np.eye(len(values))
        assert near.max() < 0.12, "rows know nothing of each other"
        assert abs(np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1]) < 0.01
    assert (np.sort(draws.order(50), axis=1) == np.arange(50)).all()
    counts = np.bincount(of_numbers(np.arange(9_000), 0, "b").below(9), minlength=9)
    assert counts.min() > 850
    assert len(counts) == 9


def _in_batches(
    attacked: Callable[[FloatArray, IntArray], FloatArray],
    judge: Classifier,
    digits: tuple[FloatArray, IntArray],
) -> tuple[int, int, int]:
    """Of the first images, how often a batch changes what comes out, its fate, and that clearly."""
    images, labels = (each[:COUNT] for each in digits)
    alike = attacked(images, labels)
    margins = Untargeted(labels).margin(judge.logits(alike))
    counts = np.zeros(3, int)
    for rows in BATCHES.values():
        mine = rows < COUNT
        found = attacked(digits[0][rows], digits[1][rows])[mine]
        rows = rows[mine]
        now, before = Untargeted(labels[rows]).margin(judge.logits(found)), margins[rows]
        moved = np.abs(found - alike[rows]).max(axis=(1, 2, 3)) > 0.01
        other = (now > 0) != (before > 0)
        clear = other & (np.minimum(np.abs(now), np.abs(before)) >= CLOSE)
        counts += moved.sum(), other.sum(), clear.sum()
    return counts[0], counts[1], counts[2]


@pytest.mark.parametrize(
    ("name", "norm"),
    [
        (each.name, norm)
        for each in ATTACKS.values()
        for norm in (["linf", "l2"] if each.bounded else [""])
    ],
)
def test_an_attack_leaves_each_image_its_fate(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], name: str, norm: str
) -> None:
    settings = dict(QUICK.get(name, {}))
    if norm:
        settings |= {"norm": norm, "epsilon": settings["epsilon"] if norm == "linf" else 1.2}
    moved, other, clear = _in_batches(
        lambda *some: attack(name)(model_1, some[0], Untargeted(some[1]), settings).adversarial,
        model_1, digits,
    )  # fmt: skip
    assert moved <= 5, "of 52: other draws would move nearly all"
    assert other <= 1
    assert clear == 0


def test_random_pixels_leave_each_image_its_fate(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    moved, other, _ = _in_batches(
        lambda *some: random_pixels(
            model_1, some[0], Untargeted(some[1]), pixels=12, queries=20
        ).adversarial,
        model_1, digits,
    )  # fmt: skip
    assert (moved, other) == (0, 0)


def test_a_start_is_the_images_own_in_every_batch(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """With steps of length 0, what comes out is the start itself."""
    images, labels = digits
    settings = {"epsilon": 0.3, "step_size": 0.0, "iterations": 1}
    whole = pgd(model_1, images, Untargeted(labels), **settings).adversarial
    for rows in BATCHES.values():
        part = pgd(model_1, images[rows], Untargeted(labels[rows]), **settings).adversarial
        np.testing.assert_array_equal(part, whole[rows])


def test_a_robust_models_images_fall_or_stand_alone_as_in_company(mnist: Dataset) -> None:
    """Images 6, 9, 16, 21 and 23 have fallen or stood by who was in front of them."""
    robust, goal = zoo.load("robust"), Untargeted(mnist.test.labels[:101].astype(np.int64))
    images = to_float(mnist.test.images[:101])

    def succeeded(rows: list[int]) -> np.ndarray:
        some = goal.take(np.array(rows))
        return apgd(robust, images[rows], some, epsilon=0.4, iterations=10).succeeded

    for image in (6, 9, 16, 21, 23):
        assert succeeded([image])[0] == succeeded([100, image])[1]


def test_equal_images_share_one_fate(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    images, labels = (each[[5, 7, 5, 9, 5]] for each in digits)
    for name in ("PGD", "APGD", "One pixel", "Square"):
        found = attack(name)(model_1, images, Untargeted(labels), QUICK[name]).adversarial
        assert found[[2, 4]] == pytest.approx(found[[0, 0]], abs=0.01)


def test_directions_of_one_image_are_many(digits: tuple[FloatArray, IntArray]) -> None:
    image = digits[0][:1]
    noisy = noise_of_norm(image.repeat(50, axis=0), np.full(50, 2.0, np.float32), draws=50)
    assert len(np.unique(noisy, axis=0)) == 50
    np.testing.assert_array_equal(noisy[:1], noise_of_norm(image, np.array([2.0], np.float32)))


def test_what_a_growing_attack_finds_does_not_wait_for_others(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """Some fall at once, others never at this radius: a batch goes on as long as one stands."""
    images, labels = (each[:COUNT] for each in digits)
    for loss in LOSSES:
        how = Ball(0.1, "linf"), Climb(loss, 8)
        whole = push(model_1, images, images, labels, *how)
        fallen = model_1.predict(whole) != labels
        assert 0 < fallen.sum() < COUNT
        for row in np.flatnonzero(fallen)[:3]:
            alone = images[[row]], images[[row]], labels[[row]]
            assert push(model_1, *alone, *how)[0] == pytest.approx(whole[row], abs=0.01)


@pytest.fixture(scope="module")
def order() -> IntArray:
    return np.random.default_rng(1).permutation(30)


def _worked(study: Any, *arguments: Any, **settings: Any) -> Any:
    for _ in study.work(*arguments, **settings):
        pass
    return study


def test_a_scoreboard_gives_each_image_its_fate_and_target(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    """30 images are two rounds of the job; an image in the second has draws of its own, too."""
    chosen = attack("Square"), {"epsilon": 0.25, "queries": 20}
    for goal in GOALS:
        boards = [
            _worked(Scoreboard(*chosen, goal, 30), model_1, *(each[rows] for each in digits))
            for rows in (np.arange(30), order)
        ]
        first, other = (board.found for board in boards)
        np.testing.assert_array_equal(other.wanted, first.wanted[order])
        np.testing.assert_array_equal(other.succeeded, first.succeeded[order])
        moved = np.abs(other.adversarial - first.adversarial[order]).max(axis=(1, 2, 3)) > 0.01
        assert moved.sum() <= 1
        controls = [noise_control(board.found, model_1) for board in boards]
        assert controls[0].sum() == controls[1].sum()


def test_a_study_toward_sources_gives_each_image_its_target_and_noise(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    settings: dict[str, Any] = {"start": "noise", "iterations": 3, "learning_rate": 0.02}
    first, other = (
        _worked(SourceStudy(30), model_1, *(each[rows] for each in digits), **settings)
        for rows in (np.arange(30), order)
    )
    np.testing.assert_array_equal(
        other.found.result.goal.classes, first.found.result.goal.classes[order]
    )
    assert other.found.result.adversarial == pytest.approx(
        first.found.result.adversarial[order], abs=1e-3
    )
    assert other.found.noise_control == pytest.approx(first.found.noise_control[order], abs=1e-3)


def test_a_curve_gives_each_image_its_fate(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    first, other = (
        _worked(
            CurveStudy({"it": model_1}, "linf", [0, 0.05, 0.1], 30, iterations=4),
            *(each[rows] for each in digits),
        ).curves[0]
        for rows in (np.arange(30), order)
    )
    for one, two in zip(first.points, other.points, strict=True):
        np.testing.assert_array_equal(two.noise, one.noise[order])
        np.testing.assert_array_equal(two.standing, one.standing[order])


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.1), ("l0", 12)])
def test_a_grid_gives_each_image_its_fate(
    model_1: Classifier,
    digits: tuple[FloatArray, IntArray],
    order: IntArray,
    norm: str,
    epsilon: float,
) -> None:
    budget = Budget(norm, epsilon, iterations=3, queries=10)
    row = Row("it", "It", model_1)
    first, other = (
        _worked(Grid(model_1, model_1, (row,), *(each[rows] for each in digits), budget)).cells
        for rows in (np.arange(12), order[order < 12])
    )
    for column in (NOISE, BLACK_BOX, ADAPTIVE):
        one, two = first["it", column], other["it", column]
        np.testing.assert_array_equal(two.standing, one.standing[order[order < 12]])
        if column == NOISE:
            np.testing.assert_array_equal(two.adversarial, one.adversarial[order[order < 12]])


def test_fidelity_draws_by_the_image(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    """Three rounds of the job; the map that is blank is ordered by its ties alone."""
    maps = {"blank": lambda _, images, __: np.zeros_like(images[..., 0])}
    first, other = (
        _worked(FidelityStudy(30), model_1, digits[0][rows], maps).areas
        for rows in (np.arange(30), order)
    )
    for name, areas in first.items():
        assert other[name] == pytest.approx(areas[:, order], abs=1e-4), name


def test_votes_follow_the_image(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    rows = order[:5]
    first, other = (
        _worked(SmoothingStudy(5), model_1, *(each[some] for each in digits), sigma=0.5, copies=60)
        for some in (rows, rows[::-1])
    )
    np.testing.assert_array_equal(other.found.radius, first.found.radius[::-1])
    assert len(np.unique(first.found.radius)) > 1


def test_smallest_changes_are_controlled_by_each_images_own_noise(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    first, other = (
        _worked(SmallestStudy(30), model_1, digits[0][rows], digits[1][rows], method="FGSM").found
        for rows in (np.arange(30), order)
    )
    assert other.result.radius == pytest.approx(first.result.radius[order], abs=1e-2)
    np.testing.assert_array_equal(other.noisy, first.noisy[order])


def test_the_surface_and_the_shuffled_noise_are_the_images_own(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], order: IntArray
) -> None:
    images, labels = (each[:30] for each in digits)
    _, across = directions(model_1, images, labels, 0.1)
    _, other = directions(model_1, images[order], labels[order], 0.1)
    assert other == pytest.approx(across[order], abs=1e-6)
    noise = across[:1]
    np.testing.assert_array_equal(shuffled(noise, images[order]), shuffled(noise, images)[order])
    np.testing.assert_array_equal(random_map(images[order]), random_map(images)[order])


def test_the_score_of_a_training_draws_by_the_image(digits: tuple[FloatArray, IntArray]) -> None:
    whole = image_draws(tf.constant(digits[0])).numpy()
    for rows in BATCHES.values():
        np.testing.assert_array_equal(image_draws(tf.constant(digits[0][rows])), whole[rows])
    assert np.abs(whole).max() < 1
    assert whole.std() == pytest.approx(3**-0.5, abs=0.01)


def test_starts_made_from_noise_follow_class_and_number(model_1: Classifier) -> None:
    steps: dict[str, Any] = {"iterations": 2, "learning_rate": 0.01}
    ten = generate_from_noise(model_1, np.arange(10), **steps).images
    one = generate_from_noise(model_1, np.array([7, 7]), **steps).images
    np.testing.assert_array_equal(one[0, 0], ten[0, 7])
    assert one[-1, 0] == pytest.approx(ten[-1, 7], abs=1e-5)
    assert (one[0, 0] != one[0, 1]).any()
