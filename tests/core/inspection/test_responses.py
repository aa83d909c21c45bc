import numpy as np
import pytest

from core.arrays import to_float
from core.data.mnist import Dataset
from core.inspection.responses import (
    hidden_layers,
    most_exciting,
    most_similar,
    responses,
    standing,
    unit_responses,
)
from core.network.architecture import MODEL_2
from core.network.classifier import Classifier
from core.network.model import build_model
from tests.sizes import SIDE


def test_layers_that_can_be_asked(model_1: Classifier) -> None:
    found = {layer.name: layer for layer in hidden_layers(model_1.model)}
    assert list(found) == [
        "conv1", "conv1_relu", "pool1", "conv2", "conv2_relu", "pool2", "dense1", "dense1_relu",
    ]  # fmt: skip
    assert [name for name, layer in found.items() if layer.linear] == ["conv1"]
    assert all(layer.rectified for layer in found.values())
    assert (found["conv2"].shape, found["conv2"].channels) == ((14, 14, 32), 32)
    assert (found["dense1"].shape, found["dense1"].channels) == ((500,), 500)
    normalized = {layer.name: layer for layer in hidden_layers(build_model(MODEL_2))}
    assert not normalized["conv1"].rectified
    assert normalized["conv1_bn"].rectified
    assert [name for name, layer in normalized.items() if layer.linear] == ["conv1", "conv1_bn"]


def test_responses_are_those_of_the_layer(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:300])
    for layer in ("conv2", "dense1"):
        output = model_1.activations(images, layer).reshape(
            300, -1, 32 if layer == "conv2" else 500
        )
        found = responses(model_1, images, layer)
        assert found.means == pytest.approx(output.mean(1), abs=1e-4)
        assert found.largest == pytest.approx(output.max((0, 1)), abs=1e-4)
    unit = np.ravel_multi_index((3, 5, 7), (14, 14, 32))
    values = unit_responses(model_1, images, "conv2", int(unit))
    assert values == pytest.approx(model_1.activations(images, "conv2")[:, 3, 5, 7], abs=1e-4)


def test_standing_and_the_most_exciting() -> None:
    real = np.array([1.0, 5.0, 3.0, 2.0, 4.0], np.float32)
    high = standing(9.0, real)
    assert (high.less.successes, high.extreme, high.typical, high.beyond) == (5, 5.0, 3.0, 3.0)
    low = standing(1.5, real, minimize=True)
    assert (low.less.successes, low.extreme, low.beyond) == (4, 1.0, 0.75)
    assert standing(5.0, real).less.successes == 4
    assert list(most_exciting(real, 3)) == [1, 4, 2]
    assert list(most_exciting(real, 2, minimize=True)) == [0, 3]


def test_the_most_similar_image_is_found_at_any_strength(random: np.random.Generator) -> None:
    images = random.random((3, SIDE, SIDE, 1)).astype(np.float32)
    index, cosine = most_similar(images[[2, 0]] * 0.5, images)
    assert list(index) == [2, 0]
    assert cosine == pytest.approx([1, 1], abs=1e-5)
    assert most_similar(np.zeros_like(images), images)[1] == pytest.approx([0, 0, 0])
