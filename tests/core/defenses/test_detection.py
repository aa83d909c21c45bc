"""Detectors: scores by hand, what they tell apart, and the attack that has them in its loss."""

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.data.mnist import Dataset, Split
from core.defenses.autoencoder import autoencoder
from core.defenses.detection import DETECTORS, SQUEEZERS, evade
from core.defenses.filters import Filter
from core.network.classifier import Classifier
from core.statistics.paired import Paired
from core.statistics.rate import Rate
from core.studies.detection_study import ADAPTIVE, NOISE, STATIC, DetectionStudy, Scored

SQUEEZING, ERROR, DIVERGENCE = DETECTORS.values()


@pytest.fixture(scope="module")
def images(mnist: Dataset) -> FloatArray:
    return to_float(mnist.test.images[:20])


@pytest.fixture(scope="module")
def labels(mnist: Dataset) -> np.ndarray:
    return mnist.test.labels[:20].astype(np.int64)


@pytest.fixture(scope="module")
def attacked(model_1: Classifier, images: FloatArray, labels: np.ndarray) -> FloatArray:
    return pgd(model_1, images, Untargeted(labels), iterations=20, step_size=0.03).adversarial


def test_squeezing_is_the_largest_distance(model_1: Classifier, images: FloatArray) -> None:
    answer = model_1.probabilities(images)
    distances = [np.abs(model_1.probabilities(sq(images)) - answer).sum(1) for sq in SQUEEZERS]
    assert (Filter("bits", 1), Filter("median", 3)) == SQUEEZERS
    assert SQUEEZING.scores(model_1, images) == pytest.approx(np.max(distances, 0), abs=1e-4)


def test_the_reconstruction_error_is_the_autoencoders(model_1: Classifier, images) -> None:
    expected = np.sqrt(autoencoder().reconstruction_error(images))
    assert ERROR.scores(model_1, images) == pytest.approx(expected, abs=1e-4)


def test_the_autoencoder_is_read_when_it_is_first_needed(linear: Classifier, images) -> None:
    autoencoder.cache_clear()
    scores = ERROR.scores(linear, images)
    assert scores == pytest.approx(np.sqrt(autoencoder().reconstruction_error(images)), abs=1e-4)


def test_the_divergence_by_hand(model_1: Classifier, images: FloatArray) -> None:
    def softened(pixels: FloatArray) -> np.ndarray:
        powers = np.exp(model_1.logits(pixels).astype(float) / 10)
        return powers / powers.sum(1, keepdims=True)

    p, q = softened(images), softened(autoencoder()(images))
    middle = (p + q) / 2
    expected = ((p * np.log(p / middle)).sum(1) + (q * np.log(q / middle)).sum(1)) / 2
    assert DIVERGENCE.scores(model_1, images) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=lambda each: each.name)
def test_a_static_attack_scores_higher(
    detector, model_1: Classifier, images: FloatArray, attacked: FloatArray
) -> None:
    clean, found = (detector.scores(model_1, each) for each in (images, attacked))
    assert np.median(found) > np.quantile(clean, 0.9)
    assert 0 <= min(clean.min(), found.min()) <= max(clean.max(), found.max()) <= detector.top
    assert len(detector.scores(model_1, images[:0])) == 0


@pytest.mark.parametrize("detector", [ERROR, SQUEEZING], ids=lambda each: each.name)
def test_the_adaptive_attack_scores_lower(
    detector, model_1: Classifier, images, labels, attacked
) -> None:
    """It stays in ball and box, and gets more images past network and detector."""
    epsilon = 0.3 if detector is ERROR else 0.6  # one bit holds below 0.5
    limit = float(np.quantile(detector.scores(model_1, images), 0.95))
    if epsilon != 0.3:
        goal = Untargeted(labels)
        attacked = pgd(model_1, images, goal, epsilon=epsilon, step_size=0.06).adversarial
    made = evade(model_1, detector, images, labels, epsilon=epsilon, iterations=30, enough=limit)
    assert np.abs(made - images).max() <= epsilon + 1e-6
    assert made.min() >= 0
    assert made.max() <= 1

    def through(candidates: FloatArray) -> int:
        low = detector.scores(model_1, candidates) <= limit
        return int((low & (model_1.predict(candidates) != labels)).sum())

    assert through(made) > through(attacked)


def test_what_it_cannot_turn_stays(model_1: Classifier, images, labels) -> None:
    made = evade(model_1, ERROR, images, labels, epsilon=0.0, iterations=2)
    assert (made == images).all()


def test_a_study_scores_every_attack(model_1: Classifier, mnist: Dataset) -> None:
    study = DetectionStudy(12, ERROR.name, 0.3)
    with pytest.raises(ValueError, match="work first"):
        _ = study.found
    small = Split(mnist.test.images[:1_000], mnist.test.labels[:1_000])
    shares = list(study.work(model_1, small, iterations=5))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    found = study.found
    assert [each.name for each in found.attacks] == [*STATIC, NOISE, ADAPTIVE]
    assert study.count == study.total == 12 * 6
    assert (found.clean == ERROR.scores(model_1, to_float(mnist.test.images[12:24]))).all()
    assert len(found.calibration) == 100
    threshold = found.threshold(0.05)
    assert (found.calibration > threshold).mean() <= 0.05
    assert (found.calibration >= threshold).mean() > 0.05
    originals = to_float(mnist.test.images[:12])
    right = model_1.predict(originals) == mnist.test.labels[:12]
    for each in found.attacks:
        assert (each.read == model_1.predict(each.images)).all()
        assert each.scores == pytest.approx(ERROR.scores(model_1, each.images), abs=1e-6)
        assert (each.right == right).all()
        assert each.through(threshold).total == right.sum()
        caught, missed = each.detected(threshold), each.missed(threshold)
        assert caught.total == each.fooled.sum()
        assert caught.successes + len(missed) == caught.total
        if each.name == NOISE:
            assert each.fooled.all()
        else:
            assert (each.fooled == (right & (each.read != mnist.test.labels[:12]))).all()
            assert len(each.missed(threshold)) == each.through(threshold).successes
    pgd_images, noise = (each for each in found.attacks if each.name in ("PGD", NOISE))
    lengths = [np.sqrt(((e.images - originals) ** 2).sum((1, 2, 3))) for e in (pgd_images, noise)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.01)
    assert found.area(pgd_images).value > 0.9


def test_rates_are_of_what_an_attack_has_covered(linear: Classifier, mnist: Dataset) -> None:
    """Stopped after 50 of 60 images: the other ten count neither above nor below the line."""
    study = DetectionStudy(60, SQUEEZING.name, 0.3)
    work = study.work(linear, Split(mnist.test.images[:500], mnist.test.labels[:500]))
    while not study.count:
        next(work)
    work.close()
    (fgsm,) = study.found.attacks
    right = linear.predict(to_float(mnist.test.images[:50])) == mnist.test.labels[:50]
    assert (fgsm.right == right).all()
    assert fgsm.through(SQUEEZING.top).total == right.sum()
    assert fgsm.through(SQUEEZING.top).successes == fgsm.fooled.sum()


def test_attacks_are_compared_on_the_originals_both_have_come_to() -> None:
    """Past both is misread and below the threshold; an original misread before does not count."""
    pixels, read = np.zeros((5, 28, 28, 1), np.float32), np.zeros(5, np.int64)
    right = np.array([True, True, True, False, True])
    low, high = np.zeros(5, np.float32), np.array([0, 1, 1, 0, 0], np.float32)
    knows = Scored(ADAPTIVE, pixels, read, low, right, right)
    static = Scored("PGD", pixels, read, high, right, right)
    assert knows.beside(static, 0.5) == Paired(2, 2, 0, 0)
    assert (knows.beside(static, 0.5).first, static.through(0.5)) == (Rate(4, 4), Rate(2, 4))
    rows = slice(2)
    part = Scored("PGD", pixels[rows], read[rows], high[rows], right[rows], right[rows])
    assert knows.beside(part, 0.5) == Paired(1, 1, 0, 0)


def test_noise_that_is_left_alone_is_a_proportion() -> None:
    """All of it counts as fooling, also where the original was misread."""
    none, pixels = np.zeros(4, np.int64), np.zeros((4, 28, 28, 1), np.float32)
    right = np.array([True, False, False, True])
    noise = Scored(NOISE, pixels, none, np.zeros(4, np.float32), right, np.ones(4, bool))
    assert noise.through(0.5) == Rate(2, 2)
    assert noise.detected(0.5) == Rate(0, 4)


def test_bad_values_are_one_sentence(model_1: Classifier, images, labels) -> None:
    with pytest.raises(ValueError, match="The detector is 'none'"):
        DetectionStudy(10, "none", 0.3)
    with pytest.raises(ValueError, match="The score that is enough is -1"):
        evade(model_1, ERROR, images, labels, enough=-1)
    with pytest.raises(ValueError, match="clip them first"):
        ERROR.scores(model_1, images + 1)
