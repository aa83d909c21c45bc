"""E10 and E11: closed forms on linear models, then the real network."""

from dataclasses import replace

import numpy as np
import pytest

from core.arrays import FloatArray
from core.backend import keras
from core.inspection.class_images import (
    ImageSettings,
    cost,
    late_gain,
    maximize_channel,
    maximize_logit,
    maximize_unit,
    start_images,
)
from core.network.classifier import Classifier
from core.report.claims import Likeness, channel_claim, class_image_claims, total_variation
from tests.sizes import CLASSES, SIDE

TEN = np.arange(CLASSES)


def weights_of(linear: Classifier) -> FloatArray:
    kernel: FloatArray = linear.model.layers[-1].get_weights()[0]
    return kernel.T.reshape(CLASSES, SIDE, SIDE, 1)


@pytest.fixture(scope="module")
def convolution() -> Classifier:
    """One convolution and its ReLU, then logits."""
    inputs = keras.Input((SIDE, SIDE, 1), name="image")
    maps = keras.layers.Conv2D(3, 3, padding="same", name="conv1")(inputs)
    flat = keras.layers.Flatten(name="flatten")(keras.layers.ReLU(name="conv1_relu")(maps))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES, name="logits")(flat))
    random = np.random.default_rng(1)
    model.get_layer("conv1").set_weights([random.normal(size=(3, 3, 1, 3)), np.zeros(3)])
    return Classifier(model, name="convolution")


@pytest.mark.parametrize("penalty", [0.5, 2.0])
@pytest.mark.parametrize("minimize", [False, True])
def test_the_best_image_of_a_linear_model_is_known(
    linear: Classifier, penalty: float, minimize: bool
) -> None:
    """The gradient w − 2λx vanishes at w / 2λ, and the box clips; to minimize is to mirror."""
    settings = ImageSettings(penalty, minimize=minimize, learning_rate=0.02, iterations=400)
    found = maximize_logit(linear, TEN, settings, keep_every=400)
    expected = np.clip(settings.sign * weights_of(linear) / (2 * penalty), 0, 1)
    assert found.result == pytest.approx(expected, abs=5e-3)


def test_a_channel_counts_as_its_sum(convolution: Classifier) -> None:
    """Inside, every pixel meets the whole kernel: the best is Σ kernel / 2λ, clipped."""
    settings = ImageSettings(2.0, iterations=400, learning_rate=0.02)
    found = maximize_channel(convolution, "conv1", np.arange(3), settings, keep_every=400)
    sums = convolution.model.get_layer("conv1").get_weights()[0].sum((0, 1, 2))
    for channel, total in enumerate(sums):
        inside = found.result[channel, 1:-1, 1:-1]
        assert inside == pytest.approx(np.clip(total / 4, 0, 1), abs=5e-3)
    real = convolution.activations(found.result, "conv1").mean((1, 2))
    assert found.terms["channel conv1"][-1] == pytest.approx(real[range(3), range(3)], abs=1e-4)


def test_a_unit_paints_its_kernel_where_it_looks(convolution: Classifier) -> None:
    unit = np.ravel_multi_index((10, 20, 2), (SIDE, SIDE, 3))
    settings = ImageSettings(1.0, iterations=400, learning_rate=0.02)
    found = maximize_unit(convolution, "conv1", np.array([unit]), settings, keep_every=400)
    expected = np.zeros((SIDE, SIDE), np.float32)
    kernel = convolution.model.get_layer("conv1").get_weights()[0][..., 0, 2]
    expected[9:12, 19:22] = np.clip(kernel / 2, 0, 1)
    assert found.result[0, ..., 0] == pytest.approx(expected, abs=5e-3)


def test_a_silent_unit_speaks_before_its_relu_only(convolution: Classifier) -> None:
    zero = start_images("zero", 3)
    after = maximize_channel(convolution, "conv1_relu", np.arange(3), start=zero)
    before = maximize_channel(convolution, "conv1", np.arange(3), start=zero)
    assert (after.result == 0).all()
    assert before.result.max() > 0.1


def test_ten_digits_as_in_the_report(model_1: Classifier) -> None:
    settings = ImageSettings()
    found = maximize_logit(model_1, TEN, settings)
    assert found.images.shape == (201, CLASSES, SIDE, SIDE, 1)
    assert (found.images[0] == 0).all()
    assert (found.predicted[-1] == TEN).all()
    assert found.logits[-1, TEN, TEN].mean() >= 33
    costs = cost(found, settings)
    by_hand = found.logits[:, TEN, TEN] - settings.penalty * (found.images**2).sum((2, 3, 4))
    assert costs == pytest.approx(by_hand, rel=1e-3, abs=0.02)
    assert np.abs(late_gain(costs, found.steps)).max() < 0.02
    lighter = maximize_logit(model_1, TEN, replace(settings, penalty=0.3), keep_every=200)
    assert (lighter.result.sum((1, 2, 3)) < found.result.sum((1, 2, 3))).all()


def test_channels_move_the_logits_as_in_the_report(model_1: Classifier) -> None:
    found = maximize_channel(model_1, "conv2", np.arange(32), keep_every=200)
    change = found.logits[-1] - found.logits[0]
    assert ((change.max(axis=1) >= 1) & (change.min(axis=1) <= -1)).sum() >= 24


def test_minimizing_makes_it_small(model_1: Classifier) -> None:
    low = maximize_logit(model_1, TEN, ImageSettings(minimize=True), keep_every=200)
    assert (low.logits[-1, TEN, TEN] < low.logits[0, TEN, TEN] - 10).all()


def test_each_regularizer_does_what_it_is_for(model_1: Classifier) -> None:
    def made(**changed: float) -> FloatArray:
        settings = replace(ImageSettings(penalty=0.0), **changed)  # type: ignore[arg-type]
        return maximize_logit(model_1, TEN, settings, keep_every=200).result

    plain = made()
    assert (made(penalty=0.1) ** 2).sum() < (plain**2).sum()
    rough = total_variation(plain).sum()
    assert total_variation(made(variation=0.05)).sum() < rough
    assert total_variation(made(blur=0.5)).sum() < rough
    assert not np.array_equal(made(jitter=2), plain)


def test_switches_and_sliders_never_retrace(model_1: Classifier) -> None:
    starts = [start_images(kind, 2, image=start_images("noise", 1)) for kind in ("zero", "image")]
    before = None
    for settings, start in zip(
        (ImageSettings(iterations=3), ImageSettings(0.0, 0.1, 2, 0.5, True, 0.2, 5, 7)), starts,
        strict=True,
    ):  # fmt: skip
        maximize_channel(model_1, "conv2", np.array([3, 4]), settings, start=start)
        now = set(model_1._compiled)
        assert before in (None, now)
        before = now


def test_late_gain_is_a_share() -> None:
    steps = np.arange(101)
    costs = np.stack([np.arange(101.0), np.minimum(np.arange(101.0), 50), np.zeros(101)], axis=1)
    assert late_gain(costs, steps) == pytest.approx([0.2, 0.0, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"penalty": -1.0}, "The penalty λ is -1, outside 0 to 100"),
        ({"variation": np.nan}, "The weight of the total variation is nan"),
        ({"jitter": 9}, "The jitter is 9, outside 0 to 8"),
        ({"iterations": 0}, "The number of iterations is 0"),
    ],
)
def test_bad_settings_are_one_sentence(
    linear: Classifier, change: dict[str, float], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        maximize_logit(linear, TEN, ImageSettings(**change))  # type: ignore[arg-type]


def test_bad_targets_are_one_sentence(model_1: Classifier) -> None:
    with pytest.raises(ValueError, match="There is no layer 'conv9'"):
        maximize_channel(model_1, "conv9", np.array([0]))
    with pytest.raises(ValueError, match="The channel is 32, outside 0 to 31"):
        maximize_channel(model_1, "conv1", np.array([32]))
    with pytest.raises(ValueError, match="The unit is 500, outside 0 to 499"):
        maximize_unit(model_1, "dense1", np.array([500]))
    with pytest.raises(ValueError, match="The class is 10"):
        maximize_logit(model_1, np.array([10]))
    with pytest.raises(ValueError, match="The start is 'ink'"):
        start_images("ink", 1)
    with pytest.raises(ValueError, match="there is none"):
        start_images("image", 1)


def test_e10_claims_follow_the_numbers(random: np.random.Generator) -> None:
    smooth = np.full((5, SIDE, SIDE, 1), 0.2, np.float32)
    rough = random.random((10, SIDE, SIDE, 1)).astype(np.float32)
    real = np.concatenate([smooth, 0.5 * rough[:5]])
    likeness = Likeness(7, 0.4, 0.9, 9, "Model 2")
    close, jittery, converges = class_image_claims(
        rough, total_variation(real), np.full(10, 0.004), likeness
    )
    assert close.confirmed is None
    assert "for 7 of 10 (cosine 0.40" in close.measured
    assert "Model 2 reads 9 of 10" in close.measured
    assert jittery.confirmed
    assert converges.confirmed
    assert converges.measured == (
        "for 10 of 10 the last 20 iterations bring less than 1 % of the whole gain, at most 0.4 %."
    )
    gains = np.array([0.001, -0.2, np.nan, 0.002, 0.003])
    _, calm, moving = class_image_claims(smooth, total_variation(real), gains, likeness)
    assert not calm.confirmed
    assert not moving.confirmed
    assert moving.measured.startswith("for 3 of 5 the last 20")
    assert moving.measured.endswith("at most 20.0 %; 1 gain nothing at all.")
    none = class_image_claims(smooth, total_variation(real), np.full(5, np.nan), likeness)[2]
    assert none.measured.endswith("of the whole gain; 5 gain nothing at all.")


def test_e11_claim_names_the_logits_that_move() -> None:
    change = np.array([0.5, -3.0, 0, 0, 7.25, 0, 0, 0, 0, 0])
    claim = channel_claim(change, np.tile([[1.0, -2.0]], (4, 5)))
    assert claim.confirmed
    assert claim.measured.startswith("logit 4 rises by 7.2 and logit 1 falls by 3.0; 2 of 10 rise")
    assert "by 2.0 at most, in the mean of 4 draws" in claim.measured
    still = channel_claim(np.zeros(10), np.zeros((4, 10)))
    assert not still.confirmed
    assert "no logit changes" in still.measured
