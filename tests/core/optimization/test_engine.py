from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.arrays import FloatArray, to_float
from core.backend import tf
from core.checks import check_whole
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.optimization.engine import Trajectory, optimize_images
from core.optimization.objectives import (
    INDEX,
    QUANTITIES,
    Objective,
    Quantity,
    Term,
    channel,
    cross_entropy,
    energy,
    logit,
    squared_distance,
    total_variation,
)
from tests.sizes import CLASSES, SIDE

TEN = np.arange(CLASSES)


def gray(count: int) -> FloatArray:
    return np.full((count, SIDE, SIDE, 1), 0.5, np.float32)


def weights_of(linear: Classifier, label: int) -> FloatArray:
    column: FloatArray = linear.model.layers[-1].get_weights()[0][:, label]
    return column.reshape(SIDE, SIDE, 1)


def test_momentum_on_a_linear_model_is_known(linear: Classifier) -> None:
    found = optimize_images(
        linear, gray(1), logit(np.array([3])), learning_rate=0.001, iterations=4, optimizer="sgd"
    )
    expected, velocity = gray(1)[0], np.zeros((SIDE, SIDE, 1), np.float32)
    for step in range(5):
        assert found.images[step, 0] == pytest.approx(expected, abs=1e-5)
        velocity = 0.9 * velocity + weights_of(linear, 3)
        expected = np.clip(expected + 0.001 * velocity, 0, 1)


def test_adam_on_a_quadratic_equals_numpy(linear: Classifier) -> None:
    objective = logit(np.array([7])) - 0.5 * energy()
    found = optimize_images(linear, gray(1), objective, learning_rate=0.05, iterations=30)
    x = gray(1)[0].astype(np.float64)
    mean, square = np.zeros_like(x), np.zeros_like(x)
    for step in range(1, 31):
        gradient = weights_of(linear, 7) - x
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        ascent = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-7)
        x = np.clip(x + 0.05 * ascent, 0, 1)
        assert found.images[step, 0] == pytest.approx(x, abs=1e-3)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("jitter", "blur"), [(0, 0.0), (3, 0.0), (0, 0.7), (2, 0.5)])
def test_every_frame_is_an_image_and_says_what_it_shows(
    model_1: Classifier, optimizer: str, jitter: int, blur: float
) -> None:
    start = gray(2)
    objective = logit(np.array([4, 9])) - 0.1 * squared_distance(start) - 0.01 * total_variation()
    found = optimize_images(
        model_1,
        start,
        objective,
        learning_rate=0.1,
        iterations=23,
        optimizer=optimizer,
        keep_every=5,
        jitter=jitter,
        blur=blur,
        seed=4,
    )
    assert list(found.steps) == [0, 5, 10, 15, 20, 23]
    assert found.images.dtype == np.float32
    assert 0 <= found.images.min() <= found.images.max() <= 1
    assert (found.images[0] == gray(2)).all()
    assert (start == gray(2)).all()
    for frame, images in enumerate(found.images):
        logits = model_1.logits(images)
        assert found.logits[frame] == pytest.approx(logits, abs=1e-4)
        assert found.terms["logit"][frame] == pytest.approx(logits[[0, 1], [4, 9]], abs=1e-4)
        distance = ((images - start) ** 2).sum(axis=(1, 2, 3))
        assert found.terms["distance"][frame] == pytest.approx(distance, rel=1e-4, abs=1e-4)
        flat = images[..., 0].astype(np.float64)
        variation = sum(np.abs(np.diff(flat, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2))
        assert found.terms["total variation"][frame] == pytest.approx(variation, rel=1e-4, abs=1e-3)


def test_frames_do_not_change_the_way(model_1: Classifier) -> None:
    ways = [
        optimize_images(
            model_1, gray(3), logit(np.arange(3)), learning_rate=0.05, iterations=20,
            keep_every=keep_every, jitter=2, seed=1,
        )
        for keep_every in (1, 7, 100)
    ]  # fmt: skip
    assert [len(way.steps) for way in ways] == [21, 4, 2]
    for way in ways[1:]:
        assert way.result == pytest.approx(ways[0].result, abs=1e-5)


def test_other_terms_are_what_they_say(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:3])
    objective = (
        -cross_entropy(np.array([1, 2, 3]))
        + channel("conv2", np.array([5, 6, 7]))
        + channel("dense1", np.array([50, 60, 70]))
        + logit(np.array([0, 1, 2]))
        - logit(np.array([7, 8, 9]))
    )
    found = optimize_images(model_1, images, objective, learning_rate=0.01, iterations=1)
    assert [*found.terms] == [
        "cross-entropy", "channel conv2", "channel dense1", "logit", "logit #2",
    ]  # fmt: skip
    each = np.arange(3)
    logits = model_1.logits(images).astype(np.float64)
    expected = np.logaddexp.reduce(logits, axis=1) - logits[each, [1, 2, 3]]
    assert found.terms["cross-entropy"][0] == pytest.approx(expected, rel=1e-3)
    conv2 = model_1.activations(images, "conv2").mean(axis=(1, 2))
    assert found.terms["channel conv2"][0] == pytest.approx(conv2[each, [5, 6, 7]], abs=1e-4)
    dense = model_1.activations(images, "dense1")
    assert found.terms["channel dense1"][0] == pytest.approx(dense[each, [50, 60, 70]], abs=1e-4)
    assert found.terms["logit #2"][0] == pytest.approx(
        model_1.logits(images)[each, [7, 8, 9]], abs=1e-4
    )


def test_ten_classes_from_nothing(model_1: Classifier) -> None:
    zero = np.zeros((CLASSES, SIDE, SIDE, 1), np.float32)
    found = optimize_images(model_1, zero, logit(TEN), learning_rate=0.05, iterations=200)
    assert found.images.shape == (201, CLASSES, SIDE, SIDE, 1)
    assert (found.predicted[-1] == TEN).all()
    assert found.logits[-1, TEN, TEN].mean() >= 33


def test_no_slider_retraces(model_1: Classifier) -> None:
    def run(objective: Objective, **settings: float) -> Trajectory:
        return optimize_images(model_1, gray(2), objective, **settings)  # type: ignore[arg-type]

    for weight, rate, iterations, jitter, blur, keep in (
        (0.1, 0.05, 3, 0, 0.0, 1),
        (0.003, 0.5, 9, 4, 1.0, 4),
        (3.0, 0.001, 2, 1, 0.3, 2),
    ):
        run(
            logit(np.array([1, 2])) - weight * energy(),
            learning_rate=rate,
            iterations=iterations,
            jitter=jitter,
            blur=blur,
            keep_every=keep,
        )
    optimize_images(
        model_1, gray(7), logit(np.zeros(7, int)) - energy(), learning_rate=0.1, iterations=1
    )
    compiled = model_1._compiled["optimize/adam/logit+energy"]
    assert compiled.experimental_get_tracing_count() == 1


def test_a_shift_is_by_seed(model_1: Classifier) -> None:
    settings = {"learning_rate": 0.05, "iterations": 5, "jitter": 4}
    one, same, other = (
        optimize_images(model_1, gray(1), logit(np.array([2])), seed=seed, **settings).result  # type: ignore[arg-type]
        for seed in (1, 1, 2)
    )
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"learning_rate": np.nan}, "The learning rate is nan, outside 0 to 10"),
        ({"learning_rate": -1.0}, "The learning rate is -1"),
        ({"iterations": 0}, "The number of iterations is 0, outside 1 to 2000"),
        ({"iterations": 2_001}, "The number of iterations is 2001"),
        ({"optimizer": "lbfgs"}, "The optimizer is 'lbfgs', not one of adam, sgd"),
        ({"keep_every": 0}, "The distance of recorded steps is 0"),
        ({"jitter": 9}, "The jitter is 9, outside 0 to 8"),
        ({"blur": -0.1}, "The blur is -0.1, outside 0 to 3"),
        ({"start": gray(1) + 1}, "clip them first"),
        ({"start": gray(30), "iterations": 2_000}, "The number of recorded images is 60030"),
    ],
)
def test_bad_values_are_one_sentence(
    linear: Classifier, change: dict[str, object], sentence: str
) -> None:
    good = {"start": gray(1), "learning_rate": 0.1, "iterations": 1}
    with pytest.raises(ValueError, match=sentence):
        optimize_images(linear, objective=energy(), **(good | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("objective", "sentence"),
    [
        (lambda: logit(np.array([10])), "The class is 10"),
        (lambda: logit(np.array([1, 2])), "has values for 2 images, and there are 1"),
        (lambda: channel("conv9", np.array([0])), "There is no layer 'conv9'"),
        (lambda: channel("logits", np.array([10])), "The channel is 10, outside 0 to 9"),
        (lambda: channel("logits", np.array([-1])), "whole number from 0"),
        (lambda: np.inf * energy(), "The weight of a term is inf"),
    ],
)
def test_bad_objectives_are_one_sentence(linear: Classifier, objective, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        optimize_images(linear, gray(1), objective(), learning_rate=0.1, iterations=1)


def test_one_noise_for_several_images_climbs_their_sum(linear: Classifier) -> None:
    sources = np.stack([gray(1)[0], gray(1)[0] * 0.5])
    nothing = np.zeros((1, SIDE, SIDE, 1), np.float32)
    found = optimize_images(
        linear, nothing, logit(np.array([3, 5])), learning_rate=0.001, iterations=1,
        optimizer="sgd", added_to=sources,
    )  # fmt: skip
    expected = 0.001 * (weights_of(linear, 3) + weights_of(linear, 5))
    assert found.noise is not None
    assert found.noise.shape == (2, 1, SIDE, SIDE, 1)
    assert found.noise[-1, 0] == pytest.approx(expected, abs=1e-6)
    assert found.result == pytest.approx(np.clip(sources + expected, 0, 1), abs=1e-6)


def test_a_noise_may_take_away_and_stays_between_minus_one_and_one(linear: Classifier) -> None:
    sources = np.ones((3, SIDE, SIDE, 1), np.float32)
    nothing = np.zeros((3, SIDE, SIDE, 1), np.float32)
    found = optimize_images(
        linear, nothing, -1.0 * energy(), learning_rate=0.5, iterations=9, added_to=sources
    )
    assert found.noise is not None
    assert found.noise.min() >= -1
    assert found.noise[-1].max() < -0.9
    assert found.result.max() < 0.1
    with pytest.raises(ValueError, match="There are 2 noises for 3 images"):
        optimize_images(
            linear, nothing[:2], energy(), learning_rate=0.5, iterations=9, added_to=sources
        )


def test_a_new_quantity_is_one_entry(monkeypatch: pytest.MonkeyPatch, linear: Classifier) -> None:
    """The mean ink toward a number of its own for each image; no list knows it."""

    def given(numbers: NDArray[Any], images: tuple[int, ...], output: tuple[int, ...]) -> None:
        check_whole("The number", int(numbers.max()), 0, 1)

    def apply(images: Any, _: Any, numbers: Any) -> Any:
        ink = tf.reduce_mean(images, axis=(1, 2, 3))
        return -((ink - tf.cast(numbers, tf.float32)) ** 2)

    monkeypatch.setitem(QUANTITIES, "ink", Quantity("ink", apply, INDEX, given))
    start = gray(2)
    wanted = Objective((Term("ink", values=np.array([0, 1])),))
    found = optimize_images(linear, start, wanted, learning_rate=0.1, iterations=20)
    assert found.terms["ink"][-1] == pytest.approx(0, abs=1e-3)
    assert found.result[0].mean() < 0.1 < 0.9 < found.result[1].mean()
    wrong = Objective((Term("ink", values=np.array([0, 2])),))
    with pytest.raises(ValueError, match="The number is 2, outside 0 to 1"):
        optimize_images(linear, start, wrong, learning_rate=0.1, iterations=1)
