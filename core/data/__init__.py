"""Images: MNIST's and a visitor's own."""

from core.arrays import check_classes, check_image, check_images, to_bytes, to_float
from core.data.dataset import DataError, Dataset, Split
from core.data.mnist import load_mnist, load_test_labels, read_mnist
from core.data.spec import MNIST, DatasetSpec
from core.later import offered

__all__ = [
    "MNIST",
    "DataError",
    "Dataset",
    "DatasetSpec",
    "Split",
    "check_classes",
    "check_image",
    "check_images",
    "examine",
    "load_mnist",
    "load_test_labels",
    "read_dataset",
    "read_mnist",
    "to_bytes",
    "to_float",
]

__getattr__ = offered("core.data.reading.read", "examine", "read_dataset")
