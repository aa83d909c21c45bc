"""An image's fate is its own: whatever the batch, its draws are the same to the last bit."""

from collections.abc import Callable

import numpy as np
import pytest

from core import zoo
from core.attacks.apgd import apgd
from core.attacks.catalog import ATTACKS, Value, attack
from core.attacks.control import noise_of_norm
from core.attacks.geometry import random_start
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.classifier import Classifier
from core.data import Dataset, FloatArray, IntArray, to_float
from core.defenses.few_pixels import random_pixels
from core.keyed_noise import of_images, of_numbers, other_seed

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
        "linf start": random_start(images, 0.3, "linf", seed=1, restart=2),
        "l2 start": random_start(images, 2.0, "l2", seed=1, restart=2),
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
    [(each.name, norm) for each in ATTACKS for norm in (["linf", "l2"] if each.bounded else [""])],
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
