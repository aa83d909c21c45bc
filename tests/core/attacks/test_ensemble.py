"""The cascade: at least as strong as its members, and honest about which of them it was."""

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.apgd import apgd
from core.attacks.black_box import square
from core.attacks.ensemble import MEMBERS, worst_case
from core.attacks.goals import Untargeted
from core.backend import keras
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.core.linear import gray_images, needed_radius, scaled
from tests.sizes import SIDE


def test_it_is_no_weaker_than_any_member(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:48]), mnist.test.labels[:48].astype(np.int64)
    goal = Untargeted(labels)
    worst = worst_case(model_1, images, goal, epsilon=0.1, iterations=20, queries=100, record=True)
    ball = {"epsilon": 0.1, "norm": "linf"}
    first = apgd(model_1, images, goal, **ball, iterations=20)  # type: ignore[arg-type]
    second = apgd(model_1, images, goal, **ball, iterations=20, loss="targeted_dlr")  # type: ignore[arg-type]
    third = square(model_1, images, goal, **ball, queries=100)  # type: ignore[arg-type]
    assert (worst.succeeded | ~first.succeeded).all()
    assert worst.success.successes >= max(each.success.successes for each in (second, third))
    assert 0 < worst.success.value < 1
    assert sum(worst.broken.values()) == worst.success.successes
    broken = worst.succeeded & worst.right_before
    assert [bool(name) for name in worst.broken_by] == broken.tolist()
    assert worst.broken[MEMBERS[0]] == first.success.successes
    assert worst.trajectory is not None
    assert len(worst.trajectory.images) == 1 + len(MEMBERS)
    still = ~worst.succeeded
    ahead, alone = (goal.margin(model_1.logits(each.adversarial)) for each in (worst, first))
    assert (ahead[still] >= alone[still]).all(), "the closest attempt stays"


def test_a_sure_network_falls_to_the_first_member(linear: Classifier) -> None:
    sure = scaled(linear, 1_000)
    images = gray_images(6)
    epsilon = 1.1 * float(needed_radius(sure, images, "linf").max())
    goal = Untargeted(sure.predict(images))
    result = worst_case(sure, images, goal, epsilon=epsilon, iterations=50, queries=10)
    assert result.success.value == 1
    assert result.broken == {MEMBERS[0]: 6, MEMBERS[1]: 0, MEMBERS[2]: 0}


def test_what_no_gradient_shows_a_search_breaks(linear: Classifier) -> None:
    """Pixels are compared with 0.5 before they are weighed: a step without a slope."""
    stepped = behind_a_threshold(linear)
    images = np.round(gray_images(6) > 0.5).astype(np.float32)
    goal = Untargeted(stepped.predict(images))
    result = worst_case(stepped, images, goal, epsilon=0.45, iterations=10, queries=10)
    assert result.success.successes == 0, "no pixel can cross"
    result = worst_case(stepped, images, goal, epsilon=0.51, iterations=10, queries=300)
    assert result.success.value == 1
    assert result.broken[MEMBERS[2]] >= 3


def behind_a_threshold(linear: Classifier) -> Classifier:
    inputs = keras.Input((SIDE, SIDE, 1), name="image")
    steep = keras.layers.Rescaling(1e5, offset=-0.5e5)(inputs)
    flat = keras.layers.Flatten()(keras.layers.ReLU(max_value=1.0)(steep))
    model = keras.Model(inputs, keras.layers.Dense(10, name="logits")(flat))
    model.layers[-1].set_weights(linear.model.layers[-1].get_weights())
    return Classifier(model, name="stepped")


def test_what_is_at_the_goal_was_broken_by_nobody(linear: Classifier) -> None:
    images: FloatArray = gray_images(3)
    predicted = linear.predict(images)
    goal = Untargeted(np.array([(predicted[0] + 1) % 10, *predicted[1:]]))
    result = worst_case(linear, images, goal, epsilon=0.1, iterations=20, queries=20)
    assert result.broken_by[0] == ""
    assert result.succeeded.all()
    assert (result.adversarial[0] == images[0]).all()


def test_bad_values_are_one_sentence(linear: Classifier) -> None:
    image, goal = np.zeros((0, SIDE, SIDE, 1), np.float32), Untargeted(np.zeros(0, np.int64))
    for change, sentence in (
        ({"iterations": 0}, "The number of iterations is 0"),
        ({"queries": 0}, "The number of queries is 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            worst_case(linear, image, goal, **change)  # type: ignore[arg-type]
