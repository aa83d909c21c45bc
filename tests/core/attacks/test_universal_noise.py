"""One noise on many images: rates that are known, controls of equal length."""

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.generated import additive_noise
from core.attacks.goals import Targeted
from core.attacks.noise_control import noise_of_norm
from core.attacks.universal_noise import Carried, carry, shuffled
from core.backend import keras
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from tests.sizes import CLASSES, SIDE


@pytest.fixture(scope="module")
def rows() -> Classifier:
    """The logit of class k is the ink of row k."""
    weights = np.zeros((SIDE, SIDE, CLASSES), np.float32)
    weights[np.arange(CLASSES), :, np.arange(CLASSES)] = 1
    inputs = keras.Input((SIDE, SIDE, 1), name="image")
    outputs = keras.layers.Dense(CLASSES, name="logits")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.layers[-1].set_weights([weights.reshape(-1, CLASSES), np.zeros(CLASSES)])
    return Classifier(model, name="rows")


def _row_images(classes: list[int], ink: list[float]) -> FloatArray:
    """Each image has one row of ink, which is the class that `rows` reads."""
    images = np.zeros((len(classes), SIDE, SIDE, 1), np.float32)
    for image, row, value in zip(images, classes, ink, strict=True):
        image[row] = value
    return images


def _row_noise(row: int, value: float) -> FloatArray:
    noise = np.zeros((1, SIDE, SIDE, 1), np.float32)
    noise[0, row] = value
    return noise


def test_rates_that_are_known(rows: Classifier) -> None:
    """A row of 0.5 beats the images whose own row has less; scaled to 0.9 it beats two more."""
    classes = [0, 0, 1, 1, 2, 7]
    images = _row_images(classes, [0.4, 0.8, 0.45, 0.55, 0.95, 0.1])
    labels = np.array([0, 0, 1, 1, 2, 3])  # the last is misread before, and so does not count
    found = carry(rows, _row_noise(5, 0.5), images, labels, target=5)
    assert found.before.tolist() == classes
    assert found.after.tolist() == [5, 0, 5, 1, 2, 5]
    assert found.misclassified() == Rate(2, 5)
    assert found.misclassified([0]) == Rate(1, 2)
    assert found.misclassified([3]) == Rate(0, 0)
    assert found.reached() == Rate(2, 5)
    assert found.l2 == pytest.approx([0.5 * np.sqrt(SIDE)] * 6)
    scaled = carry(rows, _row_noise(5, 0.5), images, labels, target=5, scale=1.8)
    assert scaled.misclassified() == Rate(4, 5)
    assert scaled.misclassified([2]) == Rate(0, 1)
    some = carry(rows, _row_noise(5, 0.5), images[:3], labels[:3], target=5)
    assert found.first(3).misclassified() == some.misclassified() == Rate(2, 3)
    assert found.first(3).l2.tolist() == some.l2.tolist()
    some = carry(rows, _row_noise(5, 0.5), images[:3], labels[:3], target=5)
    assert found.first(3).misclassified() == some.misclassified() == Rate(2, 3)
    assert found.first(3).l2.tolist() == some.l2.tolist()
    nothing = carry(rows, _row_noise(5, 0.5), images, labels, target=5, scale=0)
    assert nothing.misclassified() == Rate(0, 5)
    assert (nothing.l2 == 0).all()


def test_the_targets_own_class_cannot_reach_it(rows: Classifier) -> None:
    images = _row_images([5, 1], [0.9, 0.3])
    found = carry(rows, _row_noise(5, 0.5), images, np.array([5, 1]), target=5)
    assert found.misclassified() == Rate(1, 2)
    assert found.reached() == Rate(1, 1)
    assert found.reached([5]) == Rate(0, 0)
    assert found.others == {0, 1, 2, 3, 4, 6, 7, 8, 9}


def test_a_wrong_answer_need_not_be_the_target(rows: Classifier) -> None:
    found = carry(
        rows, _row_noise(5, 0.5), _row_images([1], [0.3]), np.array([1]), target=8
    )  # fmt: skip
    assert found.misclassified() == Rate(1, 1)
    assert found.reached() == Rate(0, 1)


def test_the_sum_is_clipped(rows: Classifier) -> None:
    """Below 0 there is no ink to take away: only the full row loses any."""
    images = _row_images([1, 2], [1.0, 0.2])
    found = carry(rows, _row_noise(2, -0.5), images, np.array([1, 2]), target=0)
    assert found.l2 == pytest.approx([0.0, 0.2 * np.sqrt(SIDE)])


def test_linear_model_shifts_every_logit_alike(
    linear: Classifier, random: np.random.Generator
) -> None:
    """Inside the box one noise adds the same to the logits of all images."""
    images = random.uniform(0.4, 0.6, (300, SIDE, SIDE, 1)).astype(np.float32)
    noise = random.uniform(-0.05, 0.05, (1, SIDE, SIDE, 1)).astype(np.float32)
    shift = linear.logits(np.full_like(noise, 0.5) + noise) - linear.logits(
        np.full_like(noise, 0.5)
    )
    expected = (linear.logits(images) + 2 * shift).argmax(axis=1)
    labels = linear.predict(images)
    found = carry(linear, noise, images, labels, target=3, scale=2)
    assert (found.after == expected).all()
    assert found.misclassified() == Rate(int((expected != labels).sum()), 300)


def test_a_noise_of_its_own_for_each_image(rows: Classifier) -> None:
    noises = np.concatenate([_row_noise(4, 0.5), _row_noise(6, 0.5)])
    images = _row_images([1, 1], [0.3, 0.3])
    found = carry(rows, noises, images, np.array([1, 1]), target=4)
    assert found.after.tolist() == [4, 6]


def test_known_answers_are_taken(rows: Classifier) -> None:
    images = _row_images([1, 2], [0.3, 0.3])
    given = carry(
        rows, _row_noise(5, 0.5), images, np.array([1, 2]), target=5, known=[np.array([1, 3])]
    )  # fmt: skip
    assert given.misclassified() == Rate(1, 1)


def test_no_images(rows: Classifier) -> None:
    none = carry(
        rows, _row_noise(5, 0.5), _row_images([], []), np.zeros(0, np.int64), target=5
    )  # fmt: skip
    assert none.misclassified() == Rate(0, 0)


def test_shuffling_keeps_the_values(random: np.random.Generator) -> None:
    noise = random.normal(0, 0.1, (1, SIDE, SIDE, 1)).astype(np.float32)
    digits = random.uniform(0, 1, (5, SIDE, SIDE, 1)).astype(np.float32)
    mixed = shuffled(noise, digits)
    assert mixed.dtype == np.float32
    assert mixed.shape == (5, SIDE, SIDE, 1)
    assert (np.sort(mixed.reshape(5, -1)) == np.sort(noise.reshape(1, -1))).all()
    assert len(np.unique(mixed.reshape(5, -1), axis=0)) == 5, "each image has its own order"


def test_the_order_follows_its_seed(random: np.random.Generator) -> None:
    images = random.uniform(0, 1, (3, SIDE, SIDE, 1)).astype(np.float32)
    first, same, other = (shuffled(images[:1], images, seed=seed) for seed in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scale": -1.0}, "The scale is -1, outside 0 to 10"),
        ({"scale": float("nan")}, "The scale is nan"),
        ({"target": 10}, "The class is 10, outside 0 to 9"),
        ({"noise": np.zeros((2, SIDE, SIDE, 1), np.float32)}, "give one for all images, or one"),
        ({"noise": np.zeros((1, SIDE, SIDE, 1))}, "The noise is float64"),
        ({"noise": np.full((1, SIDE, SIDE, 1), np.nan, np.float32)}, "not finite: fit it again"),
        ({"labels": np.array([1, 2])}, "3 images have classes"),
    ],
)
def test_bad_values_are_one_sentence(
    rows: Classifier, change: dict[str, object], sentence: str
) -> None:
    values: dict[str, object] = {
        "noise": _row_noise(5, 0.5),
        "images": _row_images([1, 2, 3], [0.3] * 3),
        "labels": np.array([1, 2, 3]),
        "target": 5,
        **change,
    }
    with pytest.raises(ValueError, match=sentence):
        carry(rows, **values)  # type: ignore[arg-type]


def _fitted(classifier: Classifier, images: FloatArray, **settings: float) -> FloatArray:
    goal = Targeted(np.full(len(images), 5))
    noise = additive_noise(classifier, images, goal, keep_every=400, **settings).noise
    assert noise is not None
    return noise[-1]


def test_as_in_the_report_few_others_are_fooled(model_1: Classifier, mnist: Dataset) -> None:
    """E9: a noise for one 0 misleads a few per cent; scaled it is universal, its controls not."""
    images, labels = to_float(mnist.test.images[:500]), mnist.test.labels[:500].astype(int)
    noise = _fitted(model_1, images[3:4])

    def score(each: FloatArray, scale: float) -> Carried:
        return carry(model_1, each, images, labels, target=5, scale=scale)

    assert score(noise, 1).misclassified(set(range(10)) - {0, 5}).interval[1] < 0.1
    strong = score(noise, 3).reached()
    assert strong.interval[0] > 0.5
    same_size = noise_of_norm(images, score(noise, 3).l2) - images
    assert score(same_size, 1).l2 == pytest.approx(score(noise, 3).l2, rel=2e-3)
    assert score(same_size, 1).reached().interval[1] < 0.1
    assert score(shuffled(noise, images), 3).reached().interval[1] < 0.1
