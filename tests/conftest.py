import numpy as np
import pytest

from core.backend import keras
from core.data.mnist import Dataset, load_mnist
from core.network.classifier import Classifier
from core.zoo import models as zoo
from tests.sizes import CLASSES, SIDE


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load_mnist()


@pytest.fixture(scope="session")
def small(mnist: Dataset) -> Dataset:
    """Real MNIST, cut to what trains in seconds."""
    return Dataset(mnist.train.first(2_000), mnist.test.first(500))


@pytest.fixture(scope="session")
def model_1() -> Classifier:
    return zoo.load("model-1")


@pytest.fixture(scope="session")
def linear() -> Classifier:
    """Logits that are weighted sums of the pixels, plus a bias."""
    inputs = keras.Input((SIDE, SIDE, 1), name="image")
    outputs = keras.layers.Dense(CLASSES, name="logits")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    random = np.random.default_rng(3)
    pixels = SIDE * SIDE
    model.layers[-1].set_weights(
        [random.normal(size=(pixels, CLASSES)), random.normal(size=CLASSES)]
    )
    return Classifier(model, name="linear")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)
