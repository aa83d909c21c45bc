"""Edited networks against closed forms, NumPy and each other."""

import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.arrays import to_float
from core.backend import settle
from core.data.mnist import Dataset
from core.data.spec import MNIST
from core.inspection.feature_maps import convolutions
from core.inspection.surgery import edited_classifier, scale_channels, shuffled
from core.network.architecture import Architecture, ConvBlock
from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.model import build_model, load_model, named_variables, save_model
from core.statistics.rate import Rate
from core.zoo import models as zoo

POOL_FREE = Architecture((ConvBlock(5, 3, stride=2, pooling=1), ConvBlock(4, 5, pooling=3)), (9,))
RESIDUAL = Architecture((ConvBlock(5, 3), ConvBlock(4, 3, 2, 2, "residual", "average")), (9,))
NORMALIZED = Architecture((ConvBlock(5, 3), ConvBlock(4, 5, pooling=1)), (9,), True)


def _random(architecture: Architecture, random: np.random.Generator) -> Classifier:
    model = build_model(architecture)
    for name, variable in named_variables(model).items():
        values = random.normal(0, 0.4, variable.shape)
        variable.assign(np.abs(values) + 0.1 if "variance" in name else values)
    return Classifier(model, name="random")


def _factors(classifier: Classifier, random: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        each.name: random.uniform(0, 2, each.channels) * (random.random(each.channels) > 0.3)
        for each in convolutions(classifier.model)
    }


def _by_hand(classifier: Classifier, images: np.ndarray, factors: dict[str, np.ndarray]):
    """Layer by layer through Keras, with the multiplication where it is defined: after the ReLU."""
    after = {each.after: each.name for each in convolutions(classifier.model)}
    x = images
    for layer in classifier.model.layers[1:]:
        x = np.asarray(layer(x, training=False))
        if layer.name in after:
            x = x * factors.get(after[layer.name], 1)
    return x


@pytest.mark.parametrize(
    "architecture",
    [Architecture(), POOL_FREE, NORMALIZED, RESIDUAL, replace(RESIDUAL, batch_normalization=True)],
)
def test_scaling_is_multiplication_after_the_relu(
    architecture: Architecture, random: np.random.Generator
) -> None:
    classifier = _random(architecture, random)
    images = random.random((6, 28, 28, 1), np.float32)
    factors = _factors(classifier, random)
    logits = scale_channels(classifier, images, factors)
    expected = _by_hand(classifier, images, factors)
    assert logits == pytest.approx(expected, rel=1e-4, abs=1e-4 * float(np.abs(expected).max()))


def test_a_channel_switched_off_takes_its_weight_out() -> None:
    """Closed form: one 1 × 1 kernel for each of two channels, whose sums are the logits."""
    model = build_model(Architecture((ConvBlock(2, 1, pooling=1),), (), classes=2))
    variables = named_variables(model)
    variables["conv1/kernel"].assign(np.array([1.0, 3.0]).reshape(1, 1, 1, 2))
    variables["conv1/bias"].assign([0.0, 0.0])
    variables["logits/kernel"].assign(np.tile(np.eye(2), (784, 1)))
    two = replace(MNIST, classes=("black", "white"))
    classifier = Classifier(model, name="sums", spec=two)
    image = np.full((1, 28, 28, 1), 0.5, np.float32)
    for factors, expected in (([1, 1], [392, 1176]), ([0, 1], [0, 1176]), ([2, 0.5], [784, 588])):
        assert scale_channels(classifier, image, {"conv1": factors})[0] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["model-1", "model-2", "residual", "residual, normalized"])
def test_the_edited_classifier_has_the_same_logits(
    name: str, mnist: Dataset, random: np.random.Generator
) -> None:
    if name.startswith("residual"):
        own = replace(RESIDUAL, batch_normalization="normalized" in name)
        classifier = _random(own, random)
    else:
        classifier = zoo.load(name)
    images = to_float(mnist.test.images[:300])
    factors = _factors(classifier, random)
    edited = edited_classifier(classifier, factors, name="Edited")
    scaled = scale_channels(classifier, images, factors)
    assert edited.name == "Edited"
    assert edited.version != classifier.version
    assert np.abs(edited.logits(images) - scaled).max() <= 1e-5 * max(1, np.abs(scaled).max())
    untouched = scale_channels(classifier, images, {})
    assert untouched == pytest.approx(classifier.logits(images), abs=1e-4)


def test_an_edited_classifier_is_saved_like_any_model(tmp_path: Path, mnist: Dataset) -> None:
    classifier = zoo.load("model-2")
    origin = next(card for card in zoo.available_models() if card.name == "model-2")
    factors = {"conv2": np.r_[0, np.ones(31)]}
    edited = edited_classifier(classifier, factors, name="Edited")
    values = {**vars(origin), "version": edited.version, "test": Rate(1, 2), "name": "edited"}
    save_model(tmp_path / "edited.safetensors", edited.model, ModelCard(**values))
    model, card = load_model(tmp_path / "edited.safetensors")
    images = to_float(mnist.test.images[:20])
    loaded = Classifier(model, name=card.title)
    assert loaded.version == edited.version
    assert loaded.logits(images) == pytest.approx(edited.logits(images), abs=1e-5)


def test_the_control_has_the_same_factors_elsewhere(random: np.random.Generator) -> None:
    factors = {"conv1": random.random(32), "conv2": np.r_[0, np.ones(15)]}
    control = shuffled(factors, seed=1)
    for name, given in factors.items():
        assert np.sort(control[name]) == pytest.approx(np.sort(given))
        assert (control[name] == shuffled(factors, seed=1)[name]).all()
    assert (control["conv1"] != shuffled(factors, seed=2)["conv1"]).any()


def test_no_factor_retraces(model_1: Classifier, random: np.random.Generator) -> None:
    images = random.random((3, 28, 28, 1), np.float32)
    for count in (1, 2, 3):
        scale_channels(model_1, images[:count], _factors(model_1, random))
        scale_channels(model_1, images[:count], {"conv2": np.full(32, count / 2)})
    assert model_1.compiled("surgery", lambda _: None).experimental_get_tracing_count() == 1


def test_dropping_the_classifier_frees_its_model(random: np.random.Generator) -> None:
    classifier = _random(POOL_FREE, random)
    scale_channels(classifier, np.zeros((1, 28, 28, 1), np.float32), {})
    gone = weakref.ref(classifier.model)
    del classifier
    settle()
    assert gone() is None


@pytest.mark.parametrize(
    ("factors", "sentence"),
    [
        ({"conv3": np.ones(32)}, "The convolution is 'conv3', not one of conv1, conv2"),
        ({"conv1": np.ones(31)}, "conv1 has 32 channels, but 31 factors are given"),
        ({"conv1": np.full(32, -0.5)}, "A channel's factor is -0.5, outside 0 to 2"),
        ({"conv2": np.full(32, 2.5)}, "A channel's factor is 2.5"),
        ({"conv2": np.full(32, np.nan)}, "A channel's factor is nan"),
    ],
)
def test_refuses_other_factors(
    model_1: Classifier, factors: dict[str, np.ndarray], sentence: str
) -> None:
    image = np.zeros((1, 28, 28, 1), np.float32)
    with pytest.raises(ValueError, match=sentence):
        scale_channels(model_1, image, factors)
    with pytest.raises(ValueError, match=sentence):
        edited_classifier(model_1, factors, name="x")
