"""Accuracy against ε: exact on linear classifiers, monotone, and no better than what is proven."""

import warnings
from itertools import pairwise

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.geometry import Ball
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.attacks.growing_ball import LOSSES, Climb, push
from core.attacks.noise_control import noise_at_edge
from core.certification.interval_bounds import certified
from core.data.mnist import Dataset
from core.defenses.defended import DefendedClassifier
from core.defenses.filters import Filter
from core.network.classifier import Classifier
from core.studies.robustness_curve import CurveStudy, falls_to
from tests.core.linear import gray_images, needed_radius


def _spread_images() -> np.ndarray:
    """Gray images at many distances from the nearest other class of a linear classifier."""
    random = np.random.default_rng(5)
    amplitude = np.linspace(0.001, 0.06, 200)[:, None, None, None]
    images = 0.5 + amplitude * random.standard_normal((200, 28, 28, 1))
    return images.astype(np.float32)


def _finish(study: CurveStudy, images: np.ndarray, labels: np.ndarray) -> CurveStudy:
    shares = list(study.work(images, labels))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    return study


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return to_float(mnist.test.images[:200]), mnist.test.labels[:200].astype(np.int64)


@pytest.fixture(scope="module")
def study(model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]) -> CurveStudy:
    defended = DefendedClassifier(model_1, [Filter("threshold", 0.5)])
    classifiers = {"Model 1": model_1, "Threshold": defended}
    return _finish(CurveStudy(classifiers, "linf", (0, 0.1, 0.2, 0.55), 200), *digits)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_linear_classifier_falls_where_its_images_are_nearest(
    linear: Classifier, norm: str
) -> None:
    images = _spread_images()
    labels, needed = linear.predict(images), needed_radius(linear, images, norm)
    epsilons = [0.0, *np.quantile(needed, np.linspace(0.05, 1.0, 9)) * 1.001]
    curve = _finish(CurveStudy({"linear": linear}, norm, epsilons, 200), images, labels).curves[0]
    for point in curve.points:
        clear = np.abs(needed - point.epsilon) > 5e-4 * needed
        assert clear.mean() > 0.98
        assert (point.standing == (needed > point.epsilon))[clear].all()
    assert curve.area == pytest.approx(needed.mean(), rel=0.05), "by trapezoids of nine quantiles"
    assert curve.half == pytest.approx(np.median(needed), rel=0.05)


def test_half_and_area_of_a_line() -> None:
    assert falls_to(0.5, (0, 1, 3), (1.0, 0.75, 0.25)) == pytest.approx(2.0)
    assert falls_to(0.5, (0, 1), (0.5, 0.2)) == 0
    assert falls_to(0.5, (0, 1), (0.9, 0.6)) == np.inf


def test_curves_fall_image_by_image_and_stay_in_the_ball(
    study: CurveStudy, digits: tuple[np.ndarray, np.ndarray], model_1: Classifier
) -> None:
    images, labels = digits
    for curve, classifier in zip(study.curves, study.classifiers.values(), strict=True):
        assert curve.epsilons == [0, 0.1, 0.2, 0.55]
        for before, after in pairwise(curve.points):
            assert not (after.standing & ~before.standing).any()
        assert (curve.points[0].standing == (classifier.predict(images) == labels)).all()
        assert curve.adversarial is not None
        change = np.abs(curve.adversarial - images).max(axis=(1, 2, 3))
        assert change.max() <= 0.55 + 1e-6
        wrong = classifier.predict(curve.adversarial) != labels
        assert (wrong == ~curve.points[-1].standing).all()
    plain, threshold = (curve.points for curve in study.curves)
    assert plain[-1].accuracy.value == 0
    assert threshold[2].accuracy.value > 0.8, "a threshold is a real defense below 0.5"
    assert threshold[3].accuracy.value < 0.05, "and falls above"


def test_the_attack_is_no_weaker_than_pgd(
    study: CurveStudy, digits: tuple[np.ndarray, np.ndarray], model_1: Classifier
) -> None:
    images, labels = digits
    for point in study.curves[0].points[1:3]:
        other = pgd(model_1, images, Untargeted(labels), epsilon=point.epsilon, iterations=20)
        assert point.accuracy.value <= other.standing.value


def test_the_certified_share_is_a_lower_bound(linear: Classifier, study: CurveStudy) -> None:
    assert all(point.certified is None for point in study.curves[1].points), "a filter has no rule"
    images = _spread_images()
    labels, needed = linear.predict(images), needed_radius(linear, images, "linf")
    epsilons = [0.0, *np.quantile(needed, (0.3, 0.6, 0.9)) * 1.001]
    curve = _finish(CurveStudy({"l": linear}, "linf", epsilons, 200), images, labels).curves[0]
    for point in curve.points:
        assert point.certified is not None
        clear = np.abs(needed - point.epsilon) > 5e-4 * needed
        assert (point.certified == point.standing)[clear].all(), "intervals are exact on a line"
        assert (point.certified == certified(linear, images, labels, point.epsilon)).all()


def test_a_network_that_misreads_all_has_bounds_only_if_it_has_rules(linear: Classifier) -> None:
    images = gray_images(4)
    wrong = (linear.predict(images) + 1) % 10
    blurred = DefendedClassifier(linear, [Filter("blur", 0.5)])
    wrong_behind = (blurred.predict(images) + 1) % 10
    for classifier, labels, known in ((linear, wrong, True), (blurred, wrong_behind, False)):
        study = _finish(CurveStudy({"c": classifier}, "linf", (0, 0.1), 4), images, labels)
        assert [point.proven is not None for point in study.curves[0].points] == [known] * 2


def test_a_random_defense_is_scored_once_on_images_found_by_other_draws(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits[0][:40], digits[1][:40]
    noisy = DefendedClassifier(model_1, [Filter("noise", 0.25)])
    study = CurveStudy({"noise": noisy}, "linf", (0, 0.1, 0.2), 40, iterations=4)
    (curve,) = _finish(study, images, labels).curves
    assert curve.adversarial is not None
    read = noisy.predict(curve.adversarial) == labels
    assert (curve.points[-1].standing == read).all()
    fresh = noisy.with_seed(777).predict(curve.adversarial) == labels
    assert abs(fresh.mean() - read.mean()) < 0.2, "its own draws are like any others"
    assert read.mean() < curve.points[0].accuracy.value - 0.3


def test_curves_are_of_the_same_images_at_any_time(
    linear: Classifier, model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    study = CurveStudy({"a": model_1, "b": linear}, "linf", (0, 0.1), 30, iterations=2)
    work, counts = study.work(*(each[:30] for each in digits)), []
    for _ in work:
        counts.append(study.count)
        assert len({len(p.standing) for c in study.curves for p in c.points}) <= 1
    assert counts == [0, 25, 25, 30]


def test_an_ascent_goes_on_behind_the_border_if_it_is_asked_to(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits[0][:4], (digits[1][:4] + 1) % 10
    goal = Untargeted(labels)
    stays = push(model_1, images, images, labels, Ball(0.2, "linf"), Climb("margin", 5))
    goes = push(
        model_1, images, images, labels, Ball(0.2, "linf"), Climb("margin", 5, to_the_end=True)
    )
    assert (goal.margin(model_1.logits(goes)) > goal.margin(model_1.logits(stays))).all()


def test_noise_is_as_long_as_the_radius() -> None:
    images = gray_images(20)
    assert np.abs(noise_at_edge(images, 0.2, "linf") - images) == pytest.approx(0.2, abs=1e-6)
    lengths = np.sqrt(((noise_at_edge(images, 3.0, "l2") - images) ** 2).sum(axis=(1, 2, 3)))
    assert lengths == pytest.approx(3.0, rel=1e-3)


def test_radii_do_not_retrace(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:3]), mnist.test.labels[:3].astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for epsilon, iterations in ((0.1, 2), (0.2, 3), (0.3, 1)):
            push(
                model_1, images, images, labels, Ball(epsilon, "linf"), Climb("margin", iterations)
            )
    assert (
        model_1.compiled("push/linf/margin", lambda _: None).experimental_get_tracing_count() == 1
    )
    assert LOSSES[0] == "margin"


def test_no_images_are_no_work(model_1: Classifier) -> None:
    none = np.zeros((0, 28, 28, 1), np.float32)
    assert (
        push(model_1, none, none, np.zeros(0, np.int64), Ball(0.1, "linf"), Climb()).shape
        == none.shape
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"norm": "l1"}, "The norm is 'l1'"),
        ({"epsilons": (0, 0.2, 0.1)}, "do not grow from 0"),
        ({"epsilons": (0.1, 0.2)}, "do not grow from 0"),
        ({"epsilons": (0, 1.5)}, "outside 0 to 1"),
        ({"total": 0}, "The number of images"),
        ({"classifiers": {}}, "The number of classifiers"),
    ],
)
def test_what_does_not_fit_is_said(
    linear: Classifier, changed: dict[str, object], sentence: str
) -> None:
    fine = {"classifiers": {"l": linear}, "norm": "linf", "epsilons": (0, 0.1), "total": 10}
    with pytest.raises(ValueError, match=sentence):
        CurveStudy(**{**fine, **changed})
