"""How bounds grow and where they get loose: exact on linear and monotone networks."""

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.backend import keras
from core.certification.growth import certified_radius, growth, looseness
from core.certification.interval_bounds import certified, interval_bounds
from core.data.mnist import Dataset
from core.defenses.defended import DefendedClassifier
from core.defenses.filters import Filter
from core.network.classifier import Classifier
from core.studies.certified_study import CertifiedStudy
from tests.core.linear import gray_images, needed_radius


@pytest.fixture(scope="module")
def image() -> FloatArray:
    return gray_images(1)


@pytest.fixture(scope="module")
def monotone() -> Classifier:
    """No weight below 0: all outputs rise with all pixels, and intervals are exact."""
    inputs = keras.Input((28, 28, 1), name="image")
    x = keras.layers.Conv2D(3, 3, strides=2, padding="same", name="conv1")(inputs)
    x = keras.layers.Flatten()(keras.layers.ReLU()(x))
    x = keras.layers.ReLU()(keras.layers.Dense(6, name="dense1")(x))
    model = keras.Model(inputs, keras.layers.Dense(10, name="logits")(x))
    random = np.random.default_rng(1)
    model.set_weights([np.abs(random.normal(size=each.shape)) for each in model.get_weights()])
    return Classifier(model, name="monotone")


def test_the_radius_of_a_linear_classifier_is_its_distance(linear: Classifier, image) -> None:
    label = int(linear.predict(image)[0])
    exact = float(needed_radius(linear, image, "linf")[0])
    assert certified_radius(linear, image, label) == pytest.approx(exact, rel=1e-3)
    assert certified_radius(linear, image, (label + 1) % 10) == 0


def test_growth_is_that_of_the_bounds(model_1: Classifier, mnist: Dataset) -> None:
    image, label = to_float(mnist.test.images[:1]), int(mnist.test.labels[0])
    grown = growth(model_1, image, label, [0.0, 0.002, 0.01])
    for at, epsilon in enumerate((0.0, 0.002, 0.01)):
        ends = interval_bounds(model_1, image, epsilon)["logits"]
        assert grown.logits.lower[at] == pytest.approx(ends.lower[0])
        assert grown.logits.upper[at] == pytest.approx(ends.upper[0])
        others = np.delete(ends.upper[0], label)
        assert grown.plain[at] == pytest.approx(ends.lower[0, label] - others.max())
    assert (grown.elided >= grown.plain - 1e-3).all()
    assert (np.diff(grown.elided) < 0).all()
    radius = certified_radius(model_1, image, label)
    assert certified(model_1, image, np.array([label]), radius)[0]
    assert not certified(model_1, image, np.array([label]), radius + 2e-6)[0]


def test_bounds_of_a_linear_classifier_are_tight(linear: Classifier, image) -> None:
    (logits,) = looseness(linear, image, 0.1)
    assert logits.layer == "logits"
    assert logits.ratio == pytest.approx(1, abs=1e-3)
    assert logits.reached.lower == pytest.approx(logits.proven.lower, abs=1e-2)


def test_bounds_of_a_monotone_network_are_tight(monotone: Classifier, image) -> None:
    layers = looseness(monotone, image, 0.1, units=10)
    assert [each.layer for each in layers] == ["conv1", "dense1", "logits"]
    assert [each.units for each in layers] == [14 * 14 * 3, 6, 10]
    assert [each.ratio for each in layers] == pytest.approx([1, 1, 1], abs=1e-3)


def test_what_is_reached_lies_inside_and_bounds_get_looser(
    model_1: Classifier, mnist: Dataset
) -> None:
    image = to_float(mnist.test.images[:1])
    layers = looseness(model_1, image, 0.1, units=8, iterations=10)
    for each in layers:
        slack = 1e-3 * np.abs(each.proven.upper).max()
        assert (each.reached.lower >= each.proven.lower - slack).all()
        assert (each.reached.upper <= each.proven.upper + slack).all()
    assert layers[0].ratio == pytest.approx(1, abs=1e-3), "the first layer is linear"
    ratios = [each.ratio for each in layers]
    assert ratios == sorted(ratios)
    assert ratios[-1] > 10


def test_a_change_of_nothing_is_tight_or_nothing_moves(linear: Classifier, image) -> None:
    (logits,) = looseness(linear, image, 0.0)
    assert logits.proven.width == pytest.approx(0, abs=1e-3)
    assert logits.ratio == np.inf


def test_a_defense_has_no_bounds(model_1: Classifier, image) -> None:
    defended = DefendedClassifier(model_1, [Filter("threshold", 0.5)])
    for call in (
        lambda: growth(defended, image, 0, [0.1]),
        lambda: certified_radius(defended, image, 0),
        lambda: looseness(defended, image, 0.1),
    ):
        with pytest.raises(ValueError, match=r"no rule for threshold-0\.5"):
            call()


def test_the_truth_lies_between(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:60]), mnist.test.labels[:60].astype(np.int64)
    epsilons = (0.0, 0.002, 0.005, 0.1, 0.3)
    study = CertifiedStudy(60, epsilons)
    shares = list(study.work(model_1, images, labels, iterations=10))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    proof = study.found
    assert proof.epsilons == epsilons
    assert proof.contradictions == 0
    assert (proof.clean == (model_1.predict(images) == labels)).all()
    assert (proof.proven[0] == proof.clean).all()
    assert (proof.standing[0] == proof.clean).all()
    for at, epsilon in enumerate(epsilons):
        assert (proof.proven[at] == certified(model_1, images, labels, epsilon)).all()
        assert proof.certified[at].value <= proof.attacked[at].value
    assert (np.diff(proof.standing.astype(int), axis=0) <= 0).all(), "what fell stays fallen"
    assert 0 < proof.certified[1].value < 1
    assert proof.attacked[-1].value < 0.1
    weak = pgd(model_1, images, Untargeted(labels), epsilon=0.1, iterations=10, step_size=0.025)
    assert proof.attacked[3].successes <= weak.standing.successes + 1


def test_a_study_keeps_what_is_done(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:60]), mnist.test.labels[:60].astype(np.int64)
    study = CertifiedStudy(60, (0.0, 0.001))
    with pytest.raises(ValueError, match="work first"):
        _ = study.found
    work = study.work(model_1, images, labels, iterations=2)
    next(work)
    assert study.count == 25
    work.close()
    assert len(study.found.clean) == 25


def test_bad_values_are_one_sentence(model_1: Classifier, image) -> None:
    with pytest.raises(ValueError, match=r"outside 0\.2 to 1"):
        CertifiedStudy(10, (0.2, 0.1))
    with pytest.raises(ValueError, match=r"Epsilon is 2, outside 0 to 1"):
        looseness(model_1, image, 2)
    with pytest.raises(ValueError, match="outside 0 to 9"):
        growth(model_1, image, 11, [0.1])


def test_one_trace_for_all_epsilons(linear: Classifier, image) -> None:
    looseness(linear, image, 0.1)
    first = linear.compiled("drive units", lambda _: pytest.fail("it was not kept"))
    looseness(linear, image, 0.3, units=4, iterations=3)
    assert linear.compiled("drive units", lambda _: pytest.fail("it was not kept")) is first
