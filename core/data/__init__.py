"""Images: MNIST's and a visitor's own."""

from core.arrays import check_classes, check_image, check_images, to_bytes, to_float
from core.data.mnist import DataError, Dataset, Split, load_mnist, load_test_labels, read_mnist

__all__ = [
    "DataError",
    "Dataset",
    "Split",
    "check_classes",
    "check_image",
    "check_images",
    "load_mnist",
    "load_test_labels",
    "read_mnist",
    "to_bytes",
    "to_float",
]
