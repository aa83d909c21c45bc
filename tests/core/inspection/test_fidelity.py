"""Deletion and insertion on models whose curves are known."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from core.arrays import FloatArray, IntArray, to_float
from core.backend import keras
from core.data.mnist import Dataset
from core.inspection.attribution import integrated_gradients
from core.inspection.fidelity import (
    IMAGE_ITSELF,
    RANDOM_MAP,
    STEPS,
    FidelityStudy,
    MapScore,
    Mean,
    Ranking,
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


def test_means_and_their_intervals(random: np.random.Generator) -> None:
    mean = Mean.of(np.array([0.0, 1.0, 2.0, 3.0]))
    assert mean.value == 1.5
    half = 1.959964 * np.std([0, 1, 2, 3], ddof=1) / 2
    assert (mean.low, mean.high) == pytest.approx((1.5 - half, 1.5 + half))
    assert Mean.of(np.array([2.0])) == Mean(2.0, -np.inf, np.inf, 1)
    covered = [abs(Mean.of(random.normal(size=200)).value) for _ in range(300)]
    inside = np.mean([value < 1.96 / 200**0.5 for value in covered])
    assert inside == pytest.approx(0.95, abs=0.04)


def test_a_mean_is_tested_by_students_t(random: np.random.Generator) -> None:
    for count in (2, 9, 300):
        values = random.normal(0.1, 1, count)
        assert Mean.of(values).p_value == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert Mean.of(np.zeros(5)).p_value == Mean.of(np.ones(1)).p_value == 1
    assert Mean.of(np.ones(5)).p_value == 0


def test_ranks_follow_from_the_same_images(random: np.random.Generator) -> None:
    """Images differ far more than maps do: the intervals overlap, and the pairs tell."""
    images = random.normal(0.5, 0.3, 200)

    def scored(name: str, gain: float) -> MapScore:
        return MapScore(name, np.zeros(200), images + gain + random.normal(0, 0.01, 200))

    maps = [scored("best", 0.1), scored("close", 0.1), scored("third", 0.05)]
    control = MapScore(RANDOM_MAP, np.zeros(200), random.normal(-0.5, 0.3, 200))
    assert maps[0].score.low < maps[2].score.high
    ranking = Ranking.of([*maps, control])
    assert [ranking.rank(each.name) for each in (*maps, control)] == [1, 1, 3, 4]
    assert ranking.family == 6
    assert ranking.beats("best", "third")
    assert not ranking.beats("third", "best")
    assert [each.is_control for each in (maps[0], control)] == [False, True]


def test_many_maps_of_nothing_tie() -> None:
    """Ten maps that are alike, on as few images as a study begins with: one time in twenty."""
    found = 0
    for seed in range(300):
        values = np.random.default_rng(seed).normal(size=(10, 20))
        maps = [MapScore(str(n), np.zeros(20), each) for n, each in enumerate(values)]
        found += bool(Ranking.of(maps).above)
    assert found / 300 == pytest.approx(0.05, abs=0.035)


def test_a_study_measures_maps_and_controls(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:25])

    def integrated(classifier: Classifier, images: FloatArray, classes: IntArray) -> FloatArray:
        return integrated_gradients(classifier, images, classes, steps=8).values

    work = FidelityStudy(25)
    assert work.count == 0
    assert work.scores() == []
    shares = list(work.work(model_1, images, {"Integrated": integrated}))
    assert len(shares) == 9
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert work.count == 25
    assert [each.name for each in work.scores()] == ["Integrated", IMAGE_ITSELF, RANDOM_MAP]
    ranking = Ranking.of(work.scores())
    assert [ranking.rank(each.name) for each in work.scores()] == [1, 2, 3]
    predicted = model_1.predict(images)
    alone = fidelity(model_1, images[:10], predicted[:10], images[:10, ..., 0], seed=0)
    deletion, insertion = work.areas[IMAGE_ITSELF]
    assert deletion[:10] == pytest.approx(alone.deletion_area, abs=1e-5)
    assert insertion[:10] == pytest.approx(alone.insertion_area, abs=1e-5)
    best = work.scores()[0]
    assert best.score.value == pytest.approx(best.insertion.value - best.deletion.value)
    assert best.score.count == 25


def test_a_study_stopped_halfway_keeps_what_is_complete(
    model_1: Classifier, mnist: Dataset
) -> None:
    started = FidelityStudy(20)
    work = started.work(model_1, to_float(mnist.test.images[:20]), {})
    next(work)
    assert started.scores() == []  # one control of ten images, the other not yet
    next(work)
    next(work)
    assert started.count == 10
    assert {each.score.count for each in started.scores()} == {10}
