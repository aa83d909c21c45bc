"""The report's attacks from many starts and on many images."""

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.generated import generate_from_noise, noise_images
from core.attacks.goals import random_targets
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.repeated import NoiseStudy, SourceStudy
from tests.sizes import CLASSES, SIDE

NOISE = {"mean": 0.5, "stddev": 0.05, "objective": "logit", "seed": 3}
STEPS = {"learning_rate": 1e-3, "iterations": 30, "optimizer": "adam"}


def test_starts_end_where_the_attack_itself_takes_them(linear: Classifier) -> None:
    study = NoiseStudy((4, 7), 30)
    shares = list(study.work(linear, **NOISE, **STEPS))
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert study.count == 30
    for label in (4, 7):
        alone = generate_from_noise(linear, np.full(30, label), **NOISE, **STEPS)
        assert study.ends[label].images == pytest.approx(alone.result, abs=1e-6)
        assert (study.ends[label].read == alone.predicted[-1]).all()
        hits = int((alone.predicted[-1] == label).sum())
        assert (study.ends[label].arrived.successes, study.ends[label].arrived.total) == (hits, 30)


def test_the_control_is_the_starts_themselves(linear: Classifier) -> None:
    study = NoiseStudy((0,), 25)
    for _ in study.work(linear, **NOISE, **STEPS):
        pass
    starts = noise_images(np.zeros(25, np.int64), mean=0.5, stddev=0.05, seed=3)
    read = linear.predict(starts)
    assert (study.ends[0].starts == read).all()
    assert study.ends[0].read_before == Rate(int((read == 0).sum()), 25)
    pair = study.ends[0].beside_start
    assert (pair.first, pair.second) == (study.ends[0].arrived, study.ends[0].read_before)


def test_a_study_shows_what_every_class_has(linear: Classifier) -> None:
    study = NoiseStudy((1, 2), 40)
    work = study.work(linear, **NOISE, **STEPS)
    next(work)
    assert study.count == 0
    assert not study.ends, "nothing is shown of a round that is not over"
    next(work)
    assert study.count == 20
    assert {label: end.arrived.total for label, end in study.ends.items()} == {1: 20, 2: 20}


def test_toward_sources_with_noise_of_equal_length(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:30]), mnist.test.labels[:30]
    study = SourceStudy(30)
    settings = {**STEPS, "beta": 0.0, "start": "source", "learning_rate": 0.02}
    assert list(study.work(model_1, images, labels, **settings)) == pytest.approx([2 / 3, 1.0])
    moved = study.found
    result = moved.result
    assert (result.originals == images).all()
    assert (
        result.goal.classes == random_targets(images, labels.astype(np.int64), classes=10, seed=0)
    ).all()
    assert result.success.value > 0.9
    control = np.sqrt(((moved.noise_control - images) ** 2).sum(axis=(1, 2, 3)))
    assert control == pytest.approx(result.l2, abs=1e-3)
    right = model_1.predict(images) == labels
    assert moved.misread.total == moved.misread_noise_control.total == right.sum()
    assert (
        moved.misread.successes == (right & (model_1.predict(result.adversarial) != labels)).sum()
    )
    assert moved.misread_noise_control.value < moved.misread.value
    pair = moved.beside_noise
    assert (pair.first, pair.second) == (moved.misread, moved.misread_noise_control)


def test_random_targets_are_never_the_label(random: np.random.Generator) -> None:
    images = random.uniform(0, 1, (2_000, SIDE, SIDE, 1)).astype(np.float32)
    labels = np.arange(2_000) % CLASSES
    targets = random_targets(images, labels, classes=10, seed=1)
    assert (targets != labels).all()
    counts = np.bincount(CLASSES * labels + targets, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    assert (counts + 20 * np.eye(CLASSES) > 5).all(), "every pair occurs"
    rows = random.permutation(2_000)[:7]
    assert (random_targets(images[rows], labels[rows], classes=10, seed=1) == targets[rows]).all()


def test_two_hundred_starts_are_two_hundred_images() -> None:
    starts = noise_images(np.full(200, 4), mean=0.5, stddev=0.05, seed=0)
    assert len(np.unique(starts, axis=0)) == 200
