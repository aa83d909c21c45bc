"""The gradient of the cross-entropy on sure networks: exact where TensorFlow's own rounds to 0."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.attacks.apgd import apgd
from core.attacks.ddn import ddn
from core.attacks.generated import additive_noise, move_toward
from core.attacks.geometry import Ball
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.gradient import ascend_within, fgsm, momentum, pgd
from core.attacks.growing_ball import Climb, push
from core.attacks.loss_surface import input_gradients
from core.backend import keras, tf
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.network.forward import forward
from core.network.margins import cross_entropy, cross_entropy_shares, log_odds_against
from core.optimization.engine import optimize_images
from core.optimization.objectives import cross_entropy as cross_entropy_of
from core.optimization.objectives import logit
from core.training.inner_attack import inner_attack
from tests.core.linear import gray_images, scaled
from tests.sizes import SIDE

_LEADS = (30, 100, 1_000)
_EPSILON = 0.01
Ascent = Callable[[Classifier, FloatArray, Goal, str], FloatArray]
_ONE_STEP: dict[str, Ascent] = {
    "FGSM": lambda net, x, goal, norm: fgsm(
        net, x, goal, epsilon=_EPSILON, norm=norm
    ).adversarial,
    "BIM": lambda net, x, goal, norm: pgd(
        net, x, goal, epsilon=_EPSILON, norm=norm, step_size=_EPSILON, iterations=1,
        random_start=False,
    ).adversarial,
    "Momentum": lambda net, x, goal, norm: momentum(
        net, x, goal, epsilon=_EPSILON, norm=norm, step_size=_EPSILON, iterations=1
    ).adversarial,
    "ascend_within": lambda net, x, goal, norm: ascend_within(
        net, x, goal, np.full(len(x), _EPSILON), norm=norm, iterations=1
    ),
}  # fmt: skip


def exact(logits: FloatArray, classes: IntArray) -> tuple[FloatArray, FloatArray]:
    """In float64: S = log((1 − p)/p) of the classes [n], and its slope in the logits [n, 10]."""
    others = logits.astype(np.float64)
    rows = np.arange(len(classes))
    mine = others[rows, classes]
    others[rows, classes] = -np.inf
    total = np.logaddexp.reduce(others, axis=1)
    slopes = np.exp(others - total[:, None])
    slopes[rows, classes] = -1
    return total - mine, slopes


def led(linear: Classifier, lead: float) -> tuple[Classifier, FloatArray, IntArray]:
    """The linear classifier, scaled until its answers to some images lead by `lead` or more."""
    images = gray_images(20)
    second, first = np.sort(linear.logits(images), axis=1)[:, -2:].T
    network = scaled(linear, lead / float((first - second).min()))
    return network, images, network.predict(images)


def weights_of(linear: Classifier) -> FloatArray:
    weights: FloatArray = linear.model.layers[-1].get_weights()[0].astype(np.float64)
    return weights


@pytest.mark.parametrize("lead", [-1_000, -30, 0, 17, 30, 1_000])
def test_value_and_slope_are_those_of_double_precision(lead: float) -> None:
    logits = np.random.default_rng(3).normal(size=(40, 10)).astype(np.float32)
    classes = np.arange(40) % 10
    logits[np.arange(40), classes] += np.float32(lead)
    value, slopes = exact(logits, classes)
    given = tf.constant(logits)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(given)
        odds, cost = log_odds_against(given, classes), cross_entropy(given, classes)
    assert odds.numpy() == pytest.approx(value, rel=1e-5, abs=1e-5)
    assert tape.gradient(odds, given).numpy() == pytest.approx(slopes, rel=1e-4, abs=1e-7)
    assert cost.numpy() == pytest.approx(np.logaddexp(0, value), rel=1e-4)
    weight = np.exp(-np.logaddexp(0, -value))[:, None]
    assert tape.gradient(cost, given).numpy() == pytest.approx(weight * slopes, rel=1e-4, abs=1e-37)


def test_shares_of_a_sum_do_not_vanish_together() -> None:
    odds = np.array([-900, -901, -2_000, -905], np.float32)
    shares = cross_entropy_shares(tf.constant(odds)).numpy()
    assert shares[[0, 1, 3]] == pytest.approx(np.exp([0, -1, -5]), rel=1e-5)
    assert 0 < shares[2] < 1e-20
    usual = np.array([-3, 0, 4], np.float32)
    sigma = 1 / (1 + np.exp(-usual))
    assert cross_entropy_shares(tf.constant(usual)).numpy() == pytest.approx(sigma / sigma.max())


@pytest.mark.parametrize("name", _ONE_STEP)
@pytest.mark.parametrize("lead", _LEADS)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_step_has_the_direction_of_double_precision(
    linear: Classifier, name: str, lead: float, norm: str
) -> None:
    network, images, labels = led(linear, lead)
    for goal in (Untargeted(labels), Targeted((labels + 1) % 10)):
        _, slopes = exact(network.logits(images), goal.classes)
        gradient = goal.sign * slopes @ weights_of(network).T
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        direction = np.sign(gradient) if norm == "linf" else gradient / length
        moved = _ONE_STEP[name](network, images, goal, norm)
        change = (moved - images).reshape(len(images), -1) / _EPSILON
        clear = np.abs(gradient) > 1e-5 * length  # the sign of a rounding error is anybody's
        assert clear.mean() > 0.99
        assert change[clear] == pytest.approx(direction[clear], abs=1e-4)


@pytest.mark.parametrize("lead", _LEADS)
def test_a_target_that_is_nearly_sure_is_still_climbed(linear: Classifier, lead: float) -> None:
    """Of APGD's iterates the surest is kept: p is 1 in all of them, and the margin still grows."""
    network, images, labels = led(linear, lead)
    target = (labels + 1) % 10
    there = images.copy()
    weights = weights_of(network)
    step = np.sign(weights[:, target] - weights[:, labels]).T.reshape(images.shape)
    there = np.clip(images + 0.4 * step, 0, 1).astype(np.float32)
    goal = Targeted(target)
    assert goal.reached(network.logits(there)).all()
    moved = push(network, there, there, target, Ball(_EPSILON, "linf"), Climb("cross_entropy", 3))
    _, slopes = exact(network.logits(there), target)
    down = np.sign(slopes @ weights.T).reshape(images.shape)
    free = (there > 0.05) & (there < 0.95)
    assert (np.sign(moved - there)[free] == down[free]).mean() > 0.999


@pytest.mark.parametrize("lead", _LEADS)
def test_the_gradients_of_checks_are_exact(linear: Classifier, lead: float) -> None:
    network, images, labels = led(linear, lead)
    _, slopes = exact(network.logits(images), labels)
    followed, _ = input_gradients(network, images, labels, (labels + 1) % 10)
    gradient = slopes @ weights_of(network).T
    assert followed.reshape(gradient.shape) == pytest.approx(gradient, rel=1e-3, abs=1e-3 * lead)
    assert np.abs(followed).max(axis=(1, 2, 3)).min() > 0


@pytest.mark.parametrize("lead", _LEADS)
def test_the_attack_in_training_takes_exact_signs(linear: Classifier, lead: float) -> None:
    network, images, labels = led(linear, lead)
    _, slopes = exact(network.logits(images), labels)
    up = np.sign(slopes @ weights_of(network).T).reshape(images.shape)
    attacked = inner_attack(
        forward(network.model), tf.constant(images), tf.constant(labels), 0.0,
        epsilon=_EPSILON, step_size=_EPSILON * 3, steps=tf.constant(1),
    ).numpy()  # fmt: skip
    assert (np.sign(attacked - images) == up).mean() > 0.999


def test_images_that_a_batch_ties_together_weigh_as_in_its_cross_entropy() -> None:
    """Where batch statistics tie images together, a sure one does not outvote the others."""

    def logits_of(images: Any) -> Any:
        sure, unsure = tf.unstack(tf.reduce_mean(images, axis=(1, 2, 3)))
        leads = tf.stack([40 - 3 * sure, 1 + sure + unsure])
        return tf.stack([leads, tf.zeros(2)], axis=1)

    attacked = inner_attack(
        logits_of, tf.fill([2, SIDE, SIDE, 1], 0.5), tf.constant([0, 0]), 0.0,
        epsilon=0.1, step_size=0.3, steps=tf.constant(1),
    ).numpy()  # fmt: skip
    assert attacked == pytest.approx(0.4), "both go down, for the unsure image"


@pytest.mark.parametrize("scale", [1, 100])
def test_scaled_logits_lose_no_strength(model_1: Classifier, mnist: Dataset, scale: float) -> None:
    images, labels = _first(mnist, 100)
    goal, network = Untargeted(labels), scaled_network(model_1, scale)
    each, how = np.full(len(images), 0.3, np.float32), (Ball(0.3, "linf"), Climb("cross_entropy"))
    fallen = {
        "FGSM": fgsm(network, images, goal).success.value,
        "PGD": pgd(network, images, goal, iterations=5, step_size=0.1).success.value,
        "BIM": pgd(
            network, images, goal, iterations=5, step_size=0.1, random_start=False
        ).success.value,
        "Momentum": momentum(network, images, goal, iterations=5, step_size=0.1).success.value,
        "APGD": apgd(network, images, goal, iterations=6).success.value,
        "ascend_within": _misread(
            network, ascend_within(network, images, goal, each, iterations=5), labels
        ),
        "push": _misread(network, push(network, images, images, labels, *how), labels),
        "DDN": ddn(network, images, goal, iterations=30).success.value,
    }  # fmt: skip
    least = dict.fromkeys(fallen, 0.98) | {"FGSM": 0.88}
    assert {name: value for name, value in fallen.items() if value < least[name]} == {}


def test_the_first_image_falls(model_1: Classifier, mnist: Dataset) -> None:
    """Test image 1 stood, and 77 more of 492, where the gradient was p − 1 in float32."""
    images, labels = _first(mnist, 500)
    result = fgsm(model_1, images, Untargeted(labels))
    assert result.succeeded[0]
    assert result.success.successes >= 455


def _first(mnist: Dataset, count: int) -> tuple[FloatArray, IntArray]:
    return to_float(mnist.test.images[:count]), mnist.test.labels[:count].astype(np.int64)


def _misread(network: Classifier, images: FloatArray, labels: IntArray) -> float:
    return float((network.predict(images) != labels).mean())


def scaled_network(classifier: Classifier, factor: float) -> Classifier:
    """The same decisions with all logits multiplied."""
    model = keras.models.clone_model(classifier.model)
    model.set_weights(classifier.model.get_weights())
    model.layers[-1].set_weights([factor * each for each in model.layers[-1].get_weights()])
    return Classifier(model, name="scaled")


@pytest.mark.parametrize("lead", _LEADS)
def test_the_objective_moves_a_sure_image_as_adam_moves_any(
    linear: Classifier, lead: float
) -> None:
    """Adam's first step has one length whatever the gradient's is; it has the exact signs."""
    network, images, labels = led(linear, lead)
    _, slopes = exact(network.logits(images), labels)
    up = np.sign(slopes @ weights_of(network).T).reshape(images.shape)
    made = optimize_images(
        network, images, cross_entropy_of(labels), learning_rate=0.001, iterations=1
    )
    assert (np.sign(made.result - images) == up).mean() > 0.99
    assert np.median(np.abs(made.result - images)) == pytest.approx(0.001, rel=0.01)


def test_one_noise_weighs_images_as_their_cross_entropies_do(linear: Classifier) -> None:
    """Of images that are all sure, the least sure one decides, by e to the difference."""
    network, images, labels = led(linear, 100)
    odds, slopes = exact(network.logits(images), labels)
    weights = np.exp(odds - odds.max())
    up = np.sign(weights @ (slopes @ weights_of(network).T)).reshape(SIDE, SIDE)
    noise = additive_noise(
        network, images, Untargeted(labels), objective="cross-entropy", iterations=1
    ).noise
    assert noise is not None
    assert (np.sign(noise[-1, 0, ..., 0]) == up).mean() > 0.99


def test_what_has_no_weight_is_shown_and_takes_no_strength(
    model_1: Classifier, mnist: Dataset
) -> None:
    images, labels = _first(mnist, 16)
    network, goal = scaled_network(model_1, 10), Untargeted(labels)
    alone = optimize_images(
        network, images, cross_entropy_of(labels), learning_rate=0.02, iterations=20
    )
    for classes_first in (True, False):
        followed, shown = cross_entropy_of(labels), 0 * logit(labels)
        both = followed + shown if classes_first else shown + followed
        beside = optimize_images(network, images, both, learning_rate=0.02, iterations=20)
        assert np.array_equal(beside.result, alone.result)
        assert list(beside.terms) == [term.name for term in both.terms]
    moved = move_toward(
        network, images, goal, beta=0, objective="cross-entropy", learning_rate=0.02, iterations=20
    )
    assert np.array_equal(moved.result, alone.result)
    assert _misread(network, moved.result, labels) > 0.9
    assert moved.terms["distance"][-1].all()
