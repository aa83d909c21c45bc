"""What a result is kept under determines it: the same key, the same computation."""

import contextlib
from collections.abc import Callable

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.backend import keras
from core.data.mnist import Dataset
from core.defenses.autoencoder import Autoencoder, build_autoencoder
from core.defenses.defended import DefendedClassifier, Part, defense_of, key_of, part_of
from core.defenses.filters import KINDS, Filter
from core.defenses.projection import MAX_ITERATIONS, MAX_RESTARTS, Projection
from core.defenses.purification import purifiers
from core.keyed_noise import of_images, other_seed
from core.network.architecture import Architecture, ConvBlock
from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.model import (
    assign_weights,
    build_model,
    deserialize_model,
    earlier_digest,
    named_weights,
    serialize_model,
    weights_digest,
)
from core.statistics.rate import Rate
from core.studies.masking import MaskingStudy
from core.studies.masking_looks import Look, Suspect, looked

STEPS_OFF = (*(10.0**-power for power in range(3, 10)), 0.0)
SMALL = Architecture((ConvBlock(2, 3, 4, 1), ConvBlock(2, 3, 2, 2), ConvBlock(2, 3, 1, 2)), (4,))


@pytest.fixture(scope="module")
def images(mnist: Dataset) -> FloatArray:
    return to_float(mnist.test.images[:3])


def strengths(kind: str) -> list[float]:
    """The ends and some steps of a filter, and what lies 1e-9 to 1e-3 beside each."""
    about = KINDS[kind]
    steps = np.arange(about.low, about.high + about.step / 2, about.step)
    near = [step + sign * off for step in steps for off in STEPS_OFF for sign in (-1, 1)]
    return [float(value) for value in near]


def passing(kind: str) -> list[Filter]:
    """A filter for each of these strengths that is taken at all."""
    found = []
    for strength in strengths(kind):
        with contextlib.suppress(ValueError):
            found.append(Filter(kind, strength))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_filters_key_is_its_computation(kind: str, images: FloatArray) -> None:
    by_key: dict[str, set[Filter]] = {}
    for part in passing(kind):
        by_key.setdefault(part.key, set()).add(part)
        read = part_of(part.key)
        assert (read, read.key, read.title) == (part, part.key, part.title)
        assert f"{part.strength:g}" in part.title
    about = KINDS[kind]
    assert len(by_key) == round((about.high - about.low) / about.step) + 1
    assert all(len(parts) == 1 for parts in by_key.values())
    beside = Filter(kind, about.default + 1e-7 * about.step)
    assert np.array_equal(beside(images), part_of(beside.key)(images))  # type: ignore[operator]


def test_a_median_just_below_five_is_the_median_of_five(
    model_1: Classifier, images: FloatArray
) -> None:
    """It was computed in a window of 4, and kept for everybody who asked for 5."""
    below, five = (defense_of(f"median-{text}") for text in ("4.9999999", "5"))
    assert key_of(below) == key_of(five)
    first, second = (DefendedClassifier(model_1, each) for each in (below, five))
    assert first.version == second.version
    assert np.array_equal(first.logits(images), second.logits(images))


def test_a_projections_key_is_its_counts() -> None:
    random = np.random.default_rng(0)
    drawn = {
        Projection(int(random.integers(1, MAX_ITERATIONS + 1)), np.int64(restarts))
        for restarts in range(1, MAX_RESTARTS + 1)
    }
    assert len({part.key for part in drawn}) == len(drawn)
    assert all(part_of(part.key) == part for part in drawn)
    assert part_of("projection-060x04") == Projection(60, 4)
    for counts in ((60.0, 4), (60, True), (60.5, 4), ("60", 4)):
        with pytest.raises(ValueError, match="not a whole number"):
            Projection(*counts)


def test_every_part_that_is_offered_comes_back_from_its_key() -> None:
    for part in purifiers()[0]:
        assert part_of(part.key).key == part.key
        assert part.key in part.identity


def test_what_a_part_has_learned_is_in_the_version(model_1: Classifier) -> None:
    first, second = (Autoencoder(build_autoencoder(seed=seed)) for seed in (0, 1))
    assert first.key == second.key
    chain: Callable[[Part], DefendedClassifier] = lambda part: DefendedClassifier(model_1, [part])  # noqa: E731
    assert chain(first).version != chain(second).version


@pytest.mark.parametrize("name", ["window", "stride"])
def test_equal_weights_behind_another_stride_or_window_are_another_version(name: str) -> None:
    """The maps of both are 1 × 1 or 2 × 2, so that the earlier digest took one for the other."""
    by_name = {
        "window": [(ConvBlock(2, 3, 3, 3), ConvBlock(2, 3, 1, window)) for window in (2, 3)],
        "stride": [(ConvBlock(2, 3, 4, 2), ConvBlock(2, 3, stride, 1)) for stride in (3, 4)],
    }
    one, other = (build_model(Architecture(blocks, (4,))) for blocks in by_name[name])
    assign_weights(other, named_weights(one))
    image = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    answers = [Classifier(model, name="x").logits(image) for model in (one, other)]
    assert earlier_digest(one) == earlier_digest(other)
    assert weights_digest(one) != weights_digest(other)
    if name == "window":
        assert not np.array_equal(*answers)


def test_every_setting_of_a_layer_is_in_the_digest() -> None:
    """Epsilon, activation, padding, slope: what a configuration may hold beside the weights."""
    kinds = keras.layers

    def digest(**changed: object) -> str:
        x = inputs = keras.Input((28, 28, 1), name="image")
        convolution = {"padding": "same", "activation": "linear", **changed.get("conv", {})}  # type: ignore[dict-item]
        x = kinds.Conv2D(2, 3, name="conv1", kernel_initializer="ones", **convolution)(x)
        x = kinds.BatchNormalization(epsilon=changed.get("epsilon", 1e-3), name="conv1_bn")(x)
        x = kinds.ReLU(negative_slope=changed.get("slope", 0.0), name="conv1_relu")(x)
        x = kinds.GlobalAveragePooling2D(name="mean", keepdims=changed.get("keep", False))(x)
        outputs = kinds.Dense(10, kernel_initializer="ones", name="logits")(x)
        return weights_digest(keras.Model(inputs, outputs))

    changes: list[dict[str, object]] = [
        {},
        {"conv": {"activation": "relu"}},
        {"conv": {"dilation_rate": 2}},
        {"epsilon": 1e-5},
        {"slope": 0.1},
        {"keep": True},
    ]
    assert len({digest(**each) for each in changes}) == len(changes)
    assert digest() == digest()


def test_a_file_from_before_is_read_and_gets_the_digest_of_today() -> None:
    model = build_model(SMALL)
    card = ModelCard(
        name="x", title="x", description="", architecture=SMALL, settings={}, steps=0, seconds=0.0,
        test=Rate(1, 2), parameters=model.count_params(), version=earlier_digest(model),
        data_digest="",
    )  # fmt: skip
    _, read = deserialize_model(serialize_model(model, card))
    assert read.version == weights_digest(model)


def test_the_masking_checks_keep_each_radius_apart(linear: Classifier, images: FloatArray) -> None:
    """Two radii that were one after six decimals: the second got what the first had made."""
    at = Suspect(linear, None, 0.3, 10, 0)
    looks = [Look("white", epsilon, 1) for epsilon in (2e-7, 4e-7)]
    assert len(set(looks)) == 2
    first, second = (looked(look, at, images, linear.predict(images)) for look in looks)
    assert not np.array_equal(first["ahead"], second["ahead"])
    assert MaskingStudy(linear, 3, 0.30000001).epsilon == 0.3


def test_a_defense_takes_any_whole_seed_and_refuses_no_draws(model_1: Classifier) -> None:
    defense = defense_of("noise-0.25")
    three = DefendedClassifier(model_1, defense, seed=np.int64(3))  # type: ignore[arg-type]
    assert three.version == DefendedClassifier(model_1, defense, seed=3).version
    with pytest.raises(ValueError, match="number of draws is 0"):
        three.with_seed(2, draws=0)


def test_draws_are_of_images_and_numbers_in_range() -> None:
    image = np.full((1, 28, 28, 1), np.nan, np.float32)
    with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
        of_images(image, 0, "x")
    draws = of_images(np.zeros_like(image), 0, "x")
    with pytest.raises(ValueError, match="The end is 0"):
        draws.below(0)
    for seed, number in ((-1, 0), (-1, 1), (0, -1)):
        with pytest.raises(ValueError, match="is -1"):
            other_seed(seed, "x", number)
