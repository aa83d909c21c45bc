"""Masking alarms: rules on counted evidence, silence on linear classifiers, planted masks heard."""

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.loss_surface import (
    difference_cosines,
    directions,
    input_gradients,
    rises,
    runner_up,
)
from core.attacks.loss_surface import surfaces as surfaces_of
from core.data.mnist import Dataset
from core.defenses.defended import DefendedClassifier
from core.defenses.filters import Filter
from core.keyed_noise import of_images
from core.network.architecture import Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import assign_weights, build_model
from core.statistics.rate import Rate
from core.studies.masking import ALARM, SILENT, UNCLEAR, MaskingStudy
from core.studies.masking_verdicts import (
    Finding,
    compared,
    conclusion,
    gap,
    more_still_helps,
    none_of,
    not_monotone,
    reaches_zero,
    share_below,
)
from core.training.robust.settings import RobustSettings
from core.training.robust.trainer import RobustTrainer
from tests.core.linear import gray_images

SMALL = Architecture(blocks=(ConvBlock(16, 4, 2, 1), ConvBlock(32, 4, 2, 1)), hidden_units=(100,))
ONE_STEP = RobustSettings(  # three short epochs of FGSM: the network learns to bend its gradient
    epochs=3, fall=1, batch_size=128, learning_rate=4e-3, adversarial_share=1.0,
    attack_epsilon=0.3, attack_steps=1, attack_step=1.25, attack_ramp=1.0, normalized=(),
    threshold_start=False, held_back=0, training_images=12_800,
)  # fmt: skip


def _first(count: int, total: int = 200) -> np.ndarray:
    return np.arange(total) < count


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return to_float(mnist.test.images[:100]), mnist.test.labels[:100].astype(np.int64)


@pytest.fixture(scope="module")
def trained_by_one_step(mnist: Dataset) -> Classifier:
    trainer, schedule = RobustTrainer(SMALL, ONE_STEP), ONE_STEP.schedule()
    for epoch in range(ONE_STEP.epochs):
        rows = np.random.default_rng(epoch).permutation(12_800).reshape(100, 128)
        now = schedule[trainer.step : trainer.step + 100]
        trainer.run(mnist.train.images[rows], mnist.train.labels[rows], now)
    model = build_model(SMALL)
    assign_weights(model, trainer.folded())
    return Classifier(model, name="FGSM")


def _checked(study: MaskingStudy, images: np.ndarray, labels: np.ndarray) -> dict[str, str]:
    shares = list(study.work(images, labels))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert study.count == study.planned
    return {finding.key: finding.state for finding in study.findings}


@pytest.mark.parametrize(
    ("weak", "strong", "state"),
    [(0, 0, SILENT), (0, 200, SILENT), (40, 0, ALARM), (2, 0, UNCLEAR)],
)
def test_the_weaker_attack_must_not_win(weak: int, strong: int, state: str) -> None:
    finding = compared("k", "t", "a", _first(weak), "b", _first(strong))
    assert finding.state == state
    assert finding.rates["only by a"] == Rate(max(weak - strong, 0), 200)


def test_images_are_compared_one_by_one() -> None:
    """Equal rates on different images are a tie, not silence."""
    finding = compared("k", "t", "a", _first(20), "b", _first(20)[::-1])
    assert finding.state == UNCLEAR
    assert "Only a breaks 20 of 200 images, only b 20" in finding.verdict
    assert compared("k", "t", "a", _first(3), "b", ~_first(3)).state == SILENT


def test_the_pairs_decide_where_intervals_overlap() -> None:
    """9 of 200 against 1: the intervals overlap, and of ten images that differ nine say so."""
    finding = compared("k", "t", "a", _first(9), "b", _first(1)[::-1])
    assert finding.state == ALARM
    assert finding.verdict.endswith("is the stronger, p = 0.021.")
    assert gap(_first(30), _first(52), 40).state == ALARM  # 170 and 148 of 200 stand


@pytest.mark.parametrize(
    ("one", "many", "state"),
    [(10, 180, ALARM), (180, 200, SILENT), (10, 20, SILENT), (98, 180, UNCLEAR)],
)
def test_overfitting_is_a_gap_above_one_half(one: int, many: int, state: str) -> None:
    assert gap(_first(one), _first(many), 40).state == state


@pytest.mark.parametrize(("lost", "state"), [(0, SILENT), (3, SILENT), (8, UNCLEAR), (40, ALARM)])
def test_an_image_must_not_recover(lost: int, state: str) -> None:
    broken = np.stack([_first(50), _first(100) & ~_first(lost), _first(150)])
    finding = not_monotone([0.1, 0.2, 0.3], broken)
    assert finding.state == state
    assert finding.rates["recover at a larger ε"] == Rate(lost, 200)
    assert finding.line is not None
    assert [rate.successes for rate in finding.line[1]] == [150, 100 + lost, 50]


@pytest.mark.parametrize(("left", "state"), [(0, SILENT), (25, SILENT), (30, UNCLEAR), (36, ALARM)])
def test_at_one_half_one_class_can_stand(left: int, state: str) -> None:
    finding = reaches_zero(0.5, ~_first(left), 25)
    assert finding.state == state
    held = "no more than one class can hold (25 of 200)"
    assert (held in finding.verdict) == (state == SILENT)


def test_of_one_class_alone_all_can_stand() -> None:
    finding = reaches_zero(0.5, np.zeros(5, bool), 5)
    assert finding.state == UNCLEAR
    assert "100.0 % stand at ε = 0.5: no more than one class can hold (5 of 5)" in finding.verdict


def test_where_nothing_is_broken_no_success_is_said_to_grow() -> None:
    finding = not_monotone([0.1, 0.2], np.zeros((2, 200), bool))
    assert "0 of 200 images broken" in finding.verdict
    assert "grow" not in finding.verdict


@pytest.mark.parametrize(("gained", "state"), [(0, SILENT), (2, SILENT), (4, UNCLEAR), (12, ALARM)])
def test_more_effort_must_not_help(gained: int, state: str) -> None:
    broken = np.stack([_first(20), _first(50), _first(50 + gained)])
    assert more_still_helps("k", "t", "runs", [1, 2, 4], broken).state == state


def test_what_is_gained_must_be_more_than_what_is_lost() -> None:
    broken = np.stack([_first(20), _first(20), _first(20)[::-1]])
    assert more_still_helps("k", "t", "runs", [1, 2, 4], broken).state == UNCLEAR


def test_shares() -> None:
    states = [none_of("k", "t", {"a": Rate(n, 200)}, "x").state for n in (0, 1, 20)]
    assert states == [SILENT, UNCLEAR, ALARM]
    below = [share_below("k", "t", {"a": Rate(n, 200)}, 0.5, "x").state for n in (150, 104, 20)]
    assert below == [SILENT, UNCLEAR, ALARM]


FEW = "too few images to tell whether most stand"
SAID, HEARD, OPEN = (
    none_of("k", "t", {"a": Rate(count, 200)}, "x") for count in (0, 20, 1)
)  # a silent check, an alarm, and one that is not clear


@pytest.mark.parametrize(
    ("left", "findings", "state", "words"),
    [
        (Rate(0, 197), [SAID] * 12, ALARM, "Not masked, and not robust: 0 of 197 stand"),
        (Rate(90, 197), [SAID] * 12, UNCLEAR, f"Not masked, and {FEW}: 90 of 197 stand"),
        (Rate(3, 3), [SAID] * 12, UNCLEAR, f"Not masked, and {FEW}: 3 of 3 stand"),
        (Rate(180, 197), [SAID] * 12, SILENT, "Not masked, and most stand: 180 of 197 stand"),
        (Rate(180, 197), [SAID] * 5, UNCLEAR, "Most stand: 180 of 197 stand"),
        (Rate(180, 197), [*[SAID] * 11, OPEN], UNCLEAR, "Most stand: 180 of 197 stand"),
        (Rate(180, 197), [*[SAID] * 11, HEARD], ALARM, "Most stand: 180 of 197 stand"),
        (Rate(0, 197), [*[SAID] * 11, OPEN], ALARM, "Not robust: 0 of 197 stand"),
        (None, [SAID] * 2, UNCLEAR, "Not attacked yet; no alarm in 2 checks"),
        (None, [HEARD], ALARM, "Not attacked yet; 1 of 1 check fires: do not trust"),
    ],
)
def test_the_conclusion_begins_with_what_stands(
    left: Rate | None, findings: list[Finding], state: str, words: str
) -> None:
    found = conclusion(left, findings, 12)
    assert found[0] == state
    assert found[1].startswith(words)


def test_a_linear_surface_is_a_plane(linear: Classifier) -> None:
    images = gray_images(12)
    labels = linear.predict(images)
    found = surfaces_of(linear, images, labels, 0.1, points=5)
    assert found.rise.shape == (12, 5, 5)
    assert found.roughness == pytest.approx(0, abs=1e-6)
    weights, _ = linear.model.layers[-1].get_weights()
    others = runner_up(linear, images, labels)
    steepest = 0.1 * np.abs(weights.T[others] - weights.T[labels]).sum(axis=1)
    assert found.rise[:, 0, -1] == pytest.approx(steepest, rel=1e-3)
    along, beside = rises(linear, images, labels, 0.1)
    assert along == pytest.approx(steepest, rel=1e-3)
    assert (beside < along).all()


def test_gradients_of_a_linear_classifier_are_its_weights(linear: Classifier) -> None:
    images = gray_images(5)
    labels = linear.predict(images)
    others = runner_up(linear, images, labels)
    _, margin = input_gradients(linear, images, labels, others)
    weights, _ = linear.model.layers[-1].get_weights()
    expected = (weights.T[others] - weights.T[labels]).reshape(images.shape)
    assert margin == pytest.approx(expected, abs=1e-5)
    assert difference_cosines(linear, images, labels) == pytest.approx(1, abs=1e-3)


def test_directions_stay_in_the_box(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:8]), mnist.test.labels[:8].astype(np.int64)
    up, across = directions(model_1, images, labels, 0.4)
    for point in (images + up, images + across, images + up + across):
        assert point.min() >= -1e-6
        assert point.max() <= 1 + 1e-6
    assert np.abs(up).max() <= 0.4 + 1e-6
    assert np.abs(across).max() <= 0.4 + 1e-6


def test_steps_that_are_compared_are_both_cut_by_the_box_alone(linear: Classifier) -> None:
    """On ink and paper, half of the pixels have no room; the margin of a linear model is exact."""
    random = np.random.default_rng(3)
    images = random.integers(0, 2, (20, 28, 28, 1)).astype(np.float32)
    labels = linear.predict(images)
    others = runner_up(linear, images, labels)
    weights, _ = linear.model.layers[-1].get_weights()
    slope = (weights.T[others] - weights.T[labels]).reshape(images.shape)
    signs = of_images(images, 0, "signs").signs(28, 28, 1)
    for found, sign in zip(
        rises(linear, images, labels, 0.2), (np.sign(slope), signs), strict=True
    ):
        step = np.clip(images + 0.2 * sign, 0, 1) - images
        assert found == pytest.approx((slope * step).sum(axis=(1, 2, 3)), abs=0.02)


def test_a_flat_surface_has_no_roughness(model_1: Classifier, mnist: Dataset) -> None:
    images, labels = to_float(mnist.test.images[:3]), mnist.test.labels[:3].astype(np.int64)
    assert np.isnan(surfaces_of(model_1, images, labels, 0.0, points=3).roughness).all()


def test_a_linear_classifier_is_silent(linear: Classifier) -> None:
    """With pixels in the middle of the box nothing is clipped: all attacks are exact."""
    random = np.random.default_rng(5)
    images = (0.5 + 0.01 * random.standard_normal((200, 28, 28, 1))).astype(np.float32)
    study = MaskingStudy(linear, 200, epsilon=0.1, queries=20)
    states = _checked(study, images, linear.predict(images))
    assert set(states.values()) == {SILENT}
    assert "transfer" not in states, "there is no other model to attack"


def test_a_step_in_front_of_the_network_is_heard(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    masked = DefendedClassifier(model_1, [Filter("threshold", 0.5)], stand_in="none")
    study = MaskingStudy(masked, 100, queries=50, source=model_1)
    states = _checked(study, *digits)
    for key in ("zero", "differences", "surface", "transfer", "large"):
        assert states[key] == ALARM, key
    broken = max(rate.successes for each in study.findings for rate in each.rates.values()
                 if "broken by" in next(iter(each.rates)))  # fmt: skip
    assert study.left is not None
    assert study.counted - study.left.successes >= broken, "the strongest, image by image"


def test_a_network_trained_by_one_step_is_heard(
    trained_by_one_step: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    study = MaskingStudy(trained_by_one_step, 100, queries=20)
    states = _checked(study, *digits)
    assert states["gap"] == ALARM
    gaps = next(finding for finding in study.findings if finding.key == "gap").rates
    one, many = gaps.values()
    assert one.value - many.value > 0.5


def test_no_check_alarms_by_the_luck_of_a_draw(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits[0][:16], digits[1][:16]
    noisy = DefendedClassifier(model_1, [Filter("noise", 0.5)])
    study = MaskingStudy(noisy, 16, epsilon=0.05, queries=40)
    states = _checked(study, images, labels)
    for key in ("black-box", "noise", "monotone"):
        assert states[key] != ALARM, key
    assert states["differences"] == UNCLEAR
    (found,) = (finding for finding in study.findings if finding.key == "differences")
    assert "draws of their own" in found.verdict


def test_an_undefended_network_is_silent(
    model_1: Classifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    study = MaskingStudy(model_1, 100, queries=200)
    assert set(_checked(study, *digits).values()) == {SILENT}
    state, words = study.conclusion
    assert state == ALARM, "silent checks of a network that falls are no green light"
    assert words == (
        f"Not masked, and not robust: 0 of {study.counted} stand under the strongest attack of the "
        "checks; no alarm in 11 checks"
    )


def test_nothing_to_attack_is_said(linear: Classifier) -> None:
    images = gray_images(4)
    wrong = (linear.predict(images) + 1) % 10
    with pytest.raises(ValueError, match="All 4 images are misread"):
        list(MaskingStudy(linear, 4).work(images, wrong))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"total": 0}, "The number of images"),
        ({"epsilon": 0.7}, "Epsilon"),
        ({"queries": 0}, "The number of queries"),
    ],
)
def test_what_does_not_fit_is_said(
    linear: Classifier, changed: dict[str, float], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        MaskingStudy(linear, **changed)
