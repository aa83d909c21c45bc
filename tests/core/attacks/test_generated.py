"""The report's E7, E8 and E9 on the real network, and their closed forms."""

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.generated import additive_noise, generate_from_noise, move_toward, noise_images
from core.attacks.goals import Targeted, Untargeted
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.sizes import CLASSES, SIDE

TEN = np.arange(CLASSES)


def test_noise_becomes_every_class_as_in_the_report(model_1: Classifier) -> None:
    found = generate_from_noise(model_1, TEN)
    assert (found.predicted[-1] == TEN).all()
    assert found.probabilities[-1, TEN, TEN].min() >= 0.9
    assert (np.diff(found.terms["logit"], axis=0) > -0.05).all(), "the cost rises at every step"
    assert found.images[0].mean() == pytest.approx(0.5, abs=0.01)
    assert found.images[0].std() == pytest.approx(0.05, abs=0.005)


def test_toward_a_source_keeps_its_look(model_1: Classifier, mnist: Dataset) -> None:
    two = to_float(mnist.test.images[1:2])
    sources = np.repeat(two, 3, axis=0)
    goal = Targeted(np.array([3, 6, 8]))
    near, far = (move_toward(model_1, sources, goal, beta=beta) for beta in (1.0, 0.0))
    assert (near.images[0] == sources).all()
    assert (near.terms["distance"][-1] < far.terms["distance"][-1]).all()
    assert goal.reached(far.logits[-1]).all()
    from_noise = move_toward(model_1, sources, goal, start="noise", learning_rate=0.01)
    assert from_noise.terms["distance"][0].min() > 100
    assert from_noise.terms["distance"][-1].max() < 30


def test_toward_a_source_without_the_network_is_the_source(linear: Classifier) -> None:
    """With β large the best image is the source, to within (weight / 2β)."""
    source = np.full((1, SIDE, SIDE, 1), 0.5, np.float32)
    found = move_toward(
        linear, source, Targeted(np.array([4])), beta=500.0, start="noise",
        learning_rate=0.02, iterations=600,
    )  # fmt: skip
    assert found.result == pytest.approx(source, abs=0.02)


def test_a_noise_on_one_image_changes_the_answer(model_1: Classifier, mnist: Dataset) -> None:
    zero = to_float(mnist.test.images[3:4])
    for goal in (Targeted(np.array([5])), Untargeted(np.array([0]))):
        found = additive_noise(model_1, zero, goal, learning_rate=2e-3)
        assert goal.reached(found.logits[-1]).all()
        assert found.noise is not None
        assert (found.noise[0] == 0).all()
        assert found.result == pytest.approx(np.clip(zero + found.noise[-1], 0, 1))


def test_a_start_follows_from_its_class_and_number() -> None:
    settings = {"mean": 0.5, "stddev": 0.1, "seed": 3}
    many = noise_images(np.array([4, 7, 4, 4]), **settings)
    assert len(np.unique(many, axis=0)) == 4
    assert (many[[0, 2]] == noise_images(np.array([4, 4]), **settings)).all()
    assert (many[3:] == noise_images(np.array([4]), first=2, **settings)).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mean": 1.5}, "The mean is 1.5, outside 0 to 1"),
        ({"stddev": -0.1}, "The standard deviation is -0.1"),
        ({"objective": "hinge"}, "The objective is 'hinge', not one of logit, cross-entropy"),
    ],
)
def test_bad_values_are_one_sentence(
    linear: Classifier, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        generate_from_noise(linear, TEN, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"beta": -1.0}, "Beta is -1, outside 0 to 1000"), ({"start": "ink"}, "The start is 'ink'")],
)
def test_bad_ways_are_one_sentence(
    linear: Classifier, change: dict[str, object], sentence: str
) -> None:
    source = np.zeros((1, SIDE, SIDE, 1), np.float32)
    with pytest.raises(ValueError, match=sentence):
        move_toward(linear, source, Targeted(np.array([4])), **change)  # type: ignore[arg-type]
