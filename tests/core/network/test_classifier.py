import weakref

import numpy as np
import pytest

from core.arrays import to_float
from core.backend import settle
from core.data.mnist import Dataset
from core.network.architecture import MODEL_2, Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import build_model, named_variables


def test_agrees_with_keras(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:700])
    expected = np.asarray(model_1.model(images[:40], training=False))
    assert model_1.logits(images)[:40] == pytest.approx(expected, abs=1e-4)
    assert (model_1.predict(images[:40]) == expected.argmax(axis=1)).all()


def test_a_convolution_is_the_sum_it_should_be(random: np.random.Generator) -> None:
    """Closed form: one 3 × 3 kernel of ones sums its neighborhood."""
    classifier = Classifier(build_model(Architecture((ConvBlock(1, 3, pooling=1),), ())), name="x")
    variables = named_variables(classifier.model)
    variables["conv1/kernel"].assign(np.ones((3, 3, 1, 1)))
    image = random.random((1, 28, 28, 1), np.float32)
    padded = np.pad(image[0, :, :, 0], 1)
    sums = sum(padded[i : i + 28, j : j + 28] for i in range(3) for j in range(3))
    assert classifier.activations(image, "conv1")[0, :, :, 0] == pytest.approx(sums, abs=1e-5)


def test_shapes_of_every_layer_and_of_nothing(model_1: Classifier) -> None:
    image = np.zeros((1, 28, 28, 1), np.float32)
    for name in model_1.layer_names:
        shape = tuple(model_1.model.get_layer(name).output.shape[1:])
        assert model_1.activations(image, name).shape == (1, *shape)
        assert model_1.activations(image[:0], name).shape == (0, *shape)


def test_refuses_what_it_does_not_know(model_1: Classifier) -> None:
    with pytest.raises(ValueError, match="no layer 'conv9': choose of image, conv1"):
        model_1.activations(np.zeros((1, 28, 28, 1), np.float32), "conv9")
    with pytest.raises(ValueError, match=r"core\.data\.to_float"):
        model_1.logits(np.zeros((1, 28, 28), np.uint8))


def test_version_is_that_of_the_weights() -> None:
    a, b = (Classifier(build_model(MODEL_2, seed=1), name=name) for name in "ab")
    assert a.version == b.version
    named_variables(b.model)["conv1_bn/moving_mean"].assign(np.ones(32))
    assert Classifier(b.model, name="b").version != a.version


def test_dropping_it_frees_it() -> None:
    classifier = Classifier(build_model(Architecture((ConvBlock(2),), ())), name="x")
    classifier.logits(np.zeros((2, 28, 28, 1), np.float32))
    gone = weakref.ref(classifier.model)
    del classifier
    settle()
    assert gone() is None
