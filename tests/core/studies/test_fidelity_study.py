"""Maps and controls over many images: what a study keeps, and who is shown to be better."""

import numpy as np
import pytest

from core.arrays import FloatArray, IntArray, to_float
from core.data.mnist import Dataset
from core.inspection.attribution import integrated_gradients
from core.inspection.fidelity import IMAGE_ITSELF, RANDOM_MAP, fidelity
from core.network.classifier import Classifier
from core.studies.fidelity_study import FidelityStudy, MapScore, Ranking


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
    assert len(shares) == 3
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
    work.close()
    assert started.count == 10
    assert {each.score.count for each in started.scores()} == {10}
