"""DeepFool, DDN and Carlini–Wagner: exact on linear models, and what each promises."""

from collections.abc import Callable

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.minimal import carlini_wagner, ddn, deepfool
from core.attacks.result import AttackResult
from core.attacks.search import CLEAR, recorded_steps
from core.backend import keras
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.core.network.test_margins import scaled_network
from tests.sizes import SIDE

MINIMAL: dict[str, Callable[..., AttackResult]] = {
    "deepfool": deepfool,
    "ddn": ddn,
    "carlini_wagner": carlini_wagner,
}
# The linear model's boundaries are ten times as near as those of a network.
_FINE = {"carlini_wagner": {"initial_constant": 0.02, "learning_rate": 0.01, "iterations": 200}}
_OVERSHOOT = 0.02
_MANY = 200


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[FloatArray, IntArray]:
    """Test images 0 to 7, which model-1 reads right."""
    return to_float(mnist.test.images[:8]), mnist.test.labels[:8].astype(np.int64)


def weights_of(linear: Classifier) -> tuple[FloatArray, FloatArray]:
    return tuple(linear.model.layers[-1].get_weights())


def to_the_boundaries(
    linear: Classifier, images: FloatArray, *, boxed: bool
) -> tuple[IntArray, FloatArray]:
    """Of each image its class, and its distance to the boundary with each other: [n, 10].

    In the box the nearest point of w · (x + δ) = 0 is x + δ = clip(x + λ w) for the right λ.
    """
    weights, _ = weights_of(linear)
    labels, logits = linear.predict(images), linear.logits(images)
    distances = np.full(logits.shape, np.inf)
    for row, (image, label) in enumerate(zip(images.reshape(-1, SIDE**2), labels, strict=True)):
        for other in set(range(10)) - {int(label)}:
            slope = (weights[:, other] - weights[:, label]).astype(np.float64)
            gap = float(logits[row, label] - logits[row, other])
            low, high = 0.0, 1.0
            for _ in range(60):
                middle = (low + high) / 2
                change = middle * slope
                if boxed:
                    change = np.clip(image + change, 0, 1) - image
                low, high = (middle, high) if slope @ change < gap else (low, middle)
            distances[row, other] = np.linalg.norm(change)
    return labels, distances


def gray(random: np.random.Generator, count: int = 4) -> FloatArray:
    """Images so far inside the box that no boundary of the linear model is behind its walls."""
    noise = random.normal(0, 0.02, (count, SIDE, SIDE, 1))
    return (0.5 + noise).clip(0.4, 0.6).astype(np.float32)


def test_deepfool_is_exact_on_a_linear_model(
    linear: Classifier, random: np.random.Generator
) -> None:
    images = gray(random)
    labels, distances = to_the_boundaries(linear, images, boxed=False)
    result = deepfool(linear, images, Untargeted(labels), overshoot=_OVERSHOOT, iterations=1)
    assert result.succeeded.all()
    assert result.l2 == pytest.approx((1 + _OVERSHOOT) * distances.min(axis=1), rel=1e-3)
    nearest = Targeted(distances.argmin(axis=1))
    toward = deepfool(linear, images, nearest, overshoot=_OVERSHOOT)
    assert toward.succeeded.all()
    assert toward.l2 == pytest.approx(result.l2, rel=1e-3)


@pytest.mark.parametrize("name", MINIMAL)
@pytest.mark.parametrize("targeted", [False, True])
def test_nothing_is_nearer_than_the_nearest_boundary(
    linear: Classifier, digits: tuple[FloatArray, IntArray], name: str, targeted: bool
) -> None:
    """On digits most pixels are at the border of the box, and half of them cannot go downhill.

    DeepFool's steps have one direction there, and clipped they stay the nearest.
    """
    images, _ = digits
    labels, distances = to_the_boundaries(linear, images, boxed=True)
    nearest = distances.argmin(axis=1)
    goal: Goal = Targeted(nearest) if targeted else Untargeted(labels)
    result = MINIMAL[name](linear, images, goal, **_FINE.get(name, {}))
    ratio = result.l2 / distances.min(axis=1)
    assert result.succeeded.all()
    assert ratio.min() > 0.999
    assert ratio.max() < {"deepfool": 1.021, "ddn": 1.02, "carlini_wagner": 1.01}[name]


def test_ddn_finds_its_way_where_the_probability_is_one(
    linear: Classifier, random: np.random.Generator
) -> None:
    """With 30 times the weights the cross-entropy's gradient is 0 in float32."""
    model = keras.models.clone_model(linear.model)
    model.set_weights([30 * each for each in linear.model.get_weights()])
    sure, images = Classifier(model, name="sure"), gray(random)
    labels, distances = to_the_boundaries(linear, images, boxed=False)
    assert (sure.probabilities(images).max(axis=1) == 1).all()
    result = ddn(sure, images, Untargeted(labels))
    assert result.succeeded.all()
    assert (result.l2 < 1.02 * distances.min(axis=1)).all()


def test_strength(model_1: Classifier, mnist: Dataset) -> None:
    """All always arrive; DDN and Carlini–Wagner come nearer than DeepFool."""
    images = to_float(mnist.test.images[:_MANY])
    goal = Untargeted(mnist.test.labels[:_MANY].astype(np.int64))
    few = np.arange(40)
    fool, decoupled = deepfool(model_1, images, goal), ddn(model_1, images, goal, iterations=60)
    wagner = carlini_wagner(
        model_1, images[few], goal.take(few), binary_search_steps=3, iterations=60
    )
    for result in (fool, decoupled, wagner):
        assert result.success.value == 1
    lengths, counted = fool.l2, fool.right_before
    assert 1.5 < lengths[counted].mean() < 1.7
    assert decoupled.l2[counted].mean() < 0.92 * lengths[counted].mean()
    assert wagner.l2[counted[few]].mean() < 0.94 * lengths[few][counted[few]].mean()


def test_carlini_wagner_finds_as_short_a_change_on_a_surer_network(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """At logits × 100 the constant began 100 times too high, and five halvings were too few."""
    images, labels = digits
    usual, *sure = (
        carlini_wagner(scaled_network(model_1, factor), images, Untargeted(labels))
        for factor in (1, 10, 100)
    )
    for each in (usual, *sure):
        assert each.succeeded.all()
        longer = each.l2 / usual.l2
        assert abs(np.median(longer) - 1) < 0.02
        assert longer.max() < 1.1


def test_confidence_is_a_margin(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits
    goal = Untargeted(labels)
    barely, surely = (
        carlini_wagner(
            model_1, images, goal, binary_search_steps=2, iterations=40, confidence=confidence
        )
        for confidence in (0.0, 4.0)
    )
    assert barely.succeeded.all()
    assert (goal.margin(model_1.logits(surely.adversarial)) > 3.99).all()
    assert (surely.l2 > barely.l2).all()


def test_what_is_not_found_stays(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits
    for result in (
        ddn(model_1, images, Untargeted(labels), iterations=1, gamma=0.0),
        carlini_wagner(model_1, images, Untargeted(labels), binary_search_steps=1, iterations=2),
    ):
        assert result.success.successes == 0
        assert (result.adversarial == images).all()


@pytest.mark.parametrize("name", MINIMAL)
def test_an_image_goes_its_way_alone(
    model_1: Classifier, digits: tuple[FloatArray, IntArray], name: str
) -> None:
    """Those that arrive sooner or later leave it alone."""
    images, labels = digits
    together = MINIMAL[name](model_1, images, Untargeted(labels))
    alone = MINIMAL[name](model_1, images[3:4], Untargeted(labels[3:4]))
    assert together.l2[3] == pytest.approx(alone.l2[0], rel=0.02)


def test_a_step_that_is_done_is_not_done_again(
    model_1: Classifier, digits: tuple[FloatArray, IntArray]
) -> None:
    """DeepFool's trajectory ends with the last image's last step, and others wait for it."""
    images, labels = digits
    trajectory = deepfool(model_1, images, Untargeted(labels), record=True).trajectory
    assert trajectory is not None
    frames = trajectory.images
    assert 3 <= len(frames) < 30
    assert (frames[-1] != frames[-2]).any()
    waited = 0
    for frame in range(1, len(frames) - 1):
        there = Untargeted(labels).margin(trajectory.logits[frame]) > 1.2 * CLEAR
        assert (frames[frame + 1][there] == frames[frame][there]).all()
        waited += there.sum()
    assert waited > 0


def test_no_slider_retraces(model_1: Classifier, digits: tuple[FloatArray, IntArray]) -> None:
    images, labels = digits
    for count, iterations, other, record in ((3, 2, 0.01, False), (8, 3, 0.1, True)):
        for goal in (Untargeted(labels[:count]), Targeted((labels[:count] + 3) % 10)):
            given = model_1, images[:count], goal
            deepfool(*given, iterations=iterations, overshoot=other, record=record)
            ddn(*given, iterations=iterations, gamma=other, record=record)
            carlini_wagner(
                *given, binary_search_steps=iterations, iterations=iterations,
                initial_constant=other, learning_rate=other, confidence=other, record=record,
            )  # fmt: skip
    for name in ("deepfool/untargeted", "deepfool/targeted", "ddn", "carlini_wagner"):
        assert model_1._compiled[name].experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("iterations", "count"), [(1, 1), (7, 7), (100, 100), (101, 51), (500, 100)]
)
def test_recorded_steps_end_with_the_last(iterations: int, count: int) -> None:
    steps = recorded_steps(iterations, record=True)
    assert len(steps) == count
    assert steps[-1] == iterations
    assert (np.diff(steps) > 0).all()
    assert recorded_steps(iterations, record=False).tolist() == [iterations]


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("deepfool", {"iterations": 0}, "The number of iterations is 0, outside 1 to 500"),
        ("deepfool", {"overshoot": -0.1}, "The overshoot is -0.1"),
        ("ddn", {"iterations": 0}, "The number of iterations is 0, outside 1 to 2000"),
        ("ddn", {"gamma": np.nan}, "Gamma is nan"),
        ("carlini_wagner", {"binary_search_steps": 0}, "binary-search steps is 0"),
        ("carlini_wagner", {"iterations": 1_001}, "The number of iterations is 1001"),
        ("carlini_wagner", {"initial_constant": 0.0}, "The initial constant is 0"),
        ("carlini_wagner", {"learning_rate": 0.0}, "The learning rate is 0"),
        ("carlini_wagner", {"confidence": -1.0}, "The confidence is -1"),
    ],
)
def test_bad_values_are_one_sentence(
    linear: Classifier, name: str, change: dict[str, float], sentence: str
) -> None:
    image = np.zeros((1, SIDE, SIDE, 1), np.float32)
    with pytest.raises(ValueError, match=sentence):
        MINIMAL[name](linear, image, Untargeted(np.array([1])), **change)
