"""APGD against closed forms, a slow copy of the paper's listing, and PGD."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.apgd import LOSSES, apgd, checkpoints
from core.attacks.geometry import Ball, random_start
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.gradient import pgd
from core.data.mnist import Dataset
from core.network.classifier import Classifier, softmax
from tests.core.linear import gray_images, needed_radius, scaled
from tests.sizes import SIDE


def test_checkpoints_come_ever_sooner() -> None:
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert checkpoints(10) == [3, 5, 6, 7, 8, 9]
    assert checkpoints(1) == []


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_exactly_what_can_be_broken_is_broken(linear: Classifier, norm: str) -> None:
    images = gray_images(24)
    labels = linear.predict(images)
    needed = needed_radius(linear, images, norm)
    epsilon = float(np.median(needed))
    clear = np.abs(needed / epsilon - 1) > 0.02
    result = apgd(linear, images, Untargeted(labels), epsilon=epsilon, norm=norm, loss=LOSSES[2])
    assert 5 < result.succeeded.sum() < 19
    assert (result.succeeded == (needed < epsilon))[clear].all()


def test_no_loss_vanishes_where_the_network_is_sure(linear: Classifier) -> None:
    sure = scaled(linear, 1_000)
    images = gray_images(8)
    goal = Untargeted(sure.predict(images))
    epsilon = 1.1 * float(needed_radius(sure, images, "linf").max())
    assert (sure.probabilities(images).max(axis=1) == 1).all()
    for loss in LOSSES:
        assert apgd(sure, images, goal, epsilon=epsilon, loss=loss).success.value == 1


def test_the_steps_are_those_of_the_paper(linear: Classifier) -> None:
    images = gray_images(4)
    labels = linear.predict(images)
    result = apgd(linear, images, Untargeted(labels), epsilon=0.5, norm="l2", iterations=40)
    begin = random_start(images, Ball(0.5, "l2"), seed=0)
    weights, bias = linear.model.layers[-1].get_weights()
    for index in range(4):
        expected = slow_apgd(
            weights.astype(float), bias, images[index].ravel(), begin[index].ravel(),
            int(labels[index]), epsilon=0.5, iterations=40,
        )  # fmt: skip
        assert result.adversarial[index].ravel() == pytest.approx(expected, abs=1e-3)


def slow_apgd(
    weights: FloatArray, bias: FloatArray, image: FloatArray, begin: FloatArray, label: int,
    *, epsilon: float, iterations: int,
) -> FloatArray:  # fmt: skip
    """Algorithm 1 of the paper for one image in the Euclidean ball, on a linear model."""

    def loss(x: FloatArray) -> float:
        return float(-np.log(softmax(x @ weights + bias)[label]))

    def step(x: FloatArray, size: float) -> FloatArray:
        gradient = weights @ (softmax(x @ weights + bias) - np.eye(10)[label])
        return project(x + size * gradient / np.linalg.norm(gradient))

    def project(x: FloatArray) -> FloatArray:
        change = x - image
        return np.clip(image + change * min(1, epsilon / np.linalg.norm(change)), 0, 1)

    size, marks = 2 * epsilon, [0, *checkpoints(iterations)]
    xs = [begin, step(begin, size)]
    losses = [loss(x) for x in xs]
    top = max(xs, key=loss)
    sizes, tops, rises = {0: size}, {0: losses[0]}, [losses[1] > losses[0]]
    for k in range(1, iterations):
        if k in marks:
            before = marks[marks.index(k) - 1]
            few = sum(rises[before:k]) < 0.75 * (k - before)
            sizes[k], tops[k] = size, loss(top)
            if few or (sizes[before] == size and tops[before] == tops[k]):
                size /= 2
                xs[-1] = top
            sizes[k] = size
        x = project(xs[-1] + 0.75 * (step(xs[-1], size) - xs[-1]) + 0.25 * (xs[-1] - xs[-2]))
        rises.append(loss(x) > loss(xs[-1]))
        xs.append(x)
        top = max(top, x, key=loss)
    return top


def test_it_beats_pgd(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits
    for norm, epsilon, step_size in (("linf", 0.1, 0.01), ("l2", 1.3, 0.1)):
        steps = pgd(
            model_1, images, Untargeted(labels), epsilon=epsilon, norm=norm, step_size=step_size
        )
        own = apgd(model_1, images, Untargeted(labels), epsilon=epsilon, norm=norm, iterations=40)
        assert own.success.successes > steps.success.successes


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:128]), mnist.test.labels[:128].astype(np.int64)


def test_restarts_only_add(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits[0][:64], digits[1][:64]
    once, often = (
        apgd(model_1, images, Untargeted(labels), epsilon=0.1, iterations=5, restarts=restarts)
        for restarts in (1, 4)
    )
    assert (often.succeeded | ~once.succeeded).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_no_slider_retraces(linear: Classifier, loss: str) -> None:
    for count, epsilon, iterations, record in ((3, 0.01, 2, False), (5, 0.02, 7, True)):
        images = gray_images(count)
        goals: tuple[Goal, ...] = (
            Untargeted(linear.predict(images)),
            Targeted((linear.predict(images) + 1) % 10),
        )
        for goal in goals:
            result = apgd(
                linear, images, goal,
                epsilon=epsilon, iterations=iterations, loss=loss, record=record, norm="l2",
            )  # fmt: skip
            if record:
                assert result.trajectory is not None
                assert len(result.trajectory.images) == iterations + 1
    assert linear._compiled[f"apgd/l2/{loss}"].experimental_get_tracing_count() == 1


def test_bad_values_are_one_sentence(linear: Classifier) -> None:
    image, goal = np.zeros((1, SIDE, SIDE, 1), np.float32), Untargeted(np.array([1]))
    with pytest.raises(ValueError, match="The loss is 'hinge', not one of cross_entropy, dlr"):
        apgd(linear, image, goal, loss="hinge")
    with pytest.raises(ValueError, match="The number of iterations is 0"):
        apgd(linear, image, goal, iterations=0)
    with pytest.raises(ValueError, match="The number of restarts is 51"):
        apgd(linear, image, goal, restarts=51)
