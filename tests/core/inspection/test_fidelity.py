"""Deletion and insertion on models whose curves are known."""

import numpy as np
import pytest

from core.arrays import to_float
from core.backend import keras
from core.data.mnist import Dataset
from core.inspection.fidelity import (
    STEPS,
    fidelity,
    random_map,
    rank_correlation,
)
from core.network.classifier import Classifier, softmax


@pytest.fixture(scope="module")
def counter() -> Classifier:
    """Logit 0 is a tenth of the ink; all others are 0."""
    image = keras.Input((28, 28, 1), name="image")
    flat = keras.layers.Flatten(name="flatten")(image)
    model = keras.Model(image, keras.layers.Dense(10, name="logits")(flat))
    weights = np.zeros((784, 10), np.float32)
    weights[:, 0] = 0.1
    model.layers[-1].kernel.assign(weights)
    return Classifier(model, name="counter")


def test_the_curves_of_a_sum_of_pixels(counter: Classifier) -> None:
    """By its own ink the darkest pixels go first: cumulative sums, whatever the order of ties."""
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 3:8, 5:15, 0] = np.linspace(0.1, 1, 50).reshape(5, 10)
    curves = fidelity(counter, image, np.array([0]), image[..., 0], steps=784)
    ink = np.sort(image.ravel())[::-1]
    gone = np.concatenate([[0], np.cumsum(ink)])
    for curve, left in ((curves.deletion, gone[-1] - gone), (curves.insertion, gone)):
        logits = np.zeros((785, 10))
        logits[:, 0] = 0.1 * left
        assert curve[0] == pytest.approx(softmax(logits)[:, 0], abs=1e-5)
    assert curves.shares == pytest.approx(np.arange(785) / 784)
    assert curves.deletion_area == pytest.approx(np.trapezoid(curves.deletion[0], dx=1 / 784))


def test_curves_equal_a_slow_oracle(model_1: Classifier, mnist: Dataset) -> None:
    images, classes = to_float(mnist.test.images[:3]), np.array([7, 3, 1])
    maps = np.random.default_rng(0).normal(size=(3, 28, 28)).astype(np.float32)
    curves = fidelity(model_1, images, classes, maps, steps=5)
    for index, label in enumerate(classes):
        order = np.argsort(-maps[index].ravel())
        for step, count in enumerate((0, 157, 314, 470, 627, 784)):
            less, more = images[index].ravel().copy(), np.zeros(784, np.float32)
            for pixel in order[:count]:
                more[pixel] = less[pixel]
                less[pixel] = 0
            both = model_1.probabilities(np.stack([less, more]).reshape(2, 28, 28, 1))[:, label]
            measured = (curves.deletion[index, step], curves.insertion[index, step])
            assert measured == pytest.approx(tuple(both), abs=1e-5)


def test_both_curves_end_where_the_other_begins(model_1: Classifier, mnist: Dataset) -> None:
    images, classes = to_float(mnist.test.images[:4]), np.array([7, 2, 1, 0])
    curves = fidelity(model_1, images, classes, random_map(images))
    assert curves.deletion.shape == curves.insertion.shape == (4, STEPS + 1)
    assert curves.deletion[:, 0] == pytest.approx(curves.insertion[:, -1], abs=1e-5)
    assert curves.deletion[:, -1] == pytest.approx(curves.insertion[:, 0], abs=1e-5)
    assert curves.score == pytest.approx(curves.insertion_area - curves.deletion_area)


def test_ties_are_ordered_by_the_seed(model_1: Classifier, mnist: Dataset) -> None:
    arguments = (model_1, to_float(mnist.test.images[:2]), np.array([7, 2]))
    blank = np.zeros((2, 28, 28), np.float32)
    first, again, other = (fidelity(*arguments, blank, seed=seed) for seed in (0, 0, 1))
    assert (first.deletion == again.deletion).all()
    assert (first.deletion != other.deletion).any()


def test_bad_values_are_one_sentence(model_1: Classifier, mnist: Dataset) -> None:
    images, classes = to_float(mnist.test.images[:2]), np.array([7, 2])
    maps = random_map(images)
    with pytest.raises(ValueError, match="The number of steps is 785, outside 1 to 784"):
        fidelity(model_1, images, classes, maps, steps=785)
    with pytest.raises(ValueError, match="give a finite value for each pixel"):
        fidelity(model_1, images, classes, maps[:1])
    with pytest.raises(ValueError, match="give a finite value for each pixel"):
        fidelity(model_1, images, classes, maps * np.float32(np.nan))
    with pytest.raises(ValueError, match="The class is 10"):
        fidelity(model_1, images, np.array([7, 10]), maps)


def test_rank_correlation_in_closed_form(random: np.random.Generator) -> None:
    values = random.random((28, 28))
    assert rank_correlation(values, values**3) == pytest.approx(1)
    assert rank_correlation(values, -np.exp(values)) == pytest.approx(-1)
    assert rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 3, 2, 4])) == pytest.approx(
        np.corrcoef([1, 2.5, 2.5, 4], [1, 3, 2, 4])[0, 1]
    )
    assert np.isnan(rank_correlation(values, np.zeros_like(values)))
