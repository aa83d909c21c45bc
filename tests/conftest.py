import numpy as np
import pytest

from core import zoo
from core.classifier import Classifier
from core.data import Dataset, load_mnist


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


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)
