import hashlib
from pathlib import Path

import numpy as np
import pytest

from core.arrays import check_images, to_float
from core.data.mnist import MNIST_FILE, DataError, Dataset, load_mnist, load_test, read_mnist

# MD5 of the four original IDX files without their headers is not published; counts are.
TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
IDX_MD5 = {
    ("train", "images"): "6bbc9ace898e44ae57da46a324031adb",
    ("train", "labels"): "a25bea736e30d166cdddb491f175f624",
    ("test", "images"): "2646ac647ad5339dbf082846283269ea",
    ("test", "labels"): "27ae3e4e09519cfbb04c329615203637",
}


def test_is_the_whole_database(mnist: Dataset) -> None:
    assert np.bincount(mnist.train.labels).tolist() == TRAIN_COUNTS
    assert np.bincount(mnist.test.labels).tolist() == TEST_COUNTS


@pytest.mark.parametrize(("split", "part"), IDX_MD5)
def test_is_the_published_file(mnist: Dataset, split: str, part: str) -> None:
    """Rebuild the original IDX file, header and all, and compare with its published MD5."""
    array = getattr(getattr(mnist, split), part)
    magic = 0x0800 + array.ndim
    header = np.array([magic, *array.shape], ">u4").tobytes()
    digest = hashlib.md5(header + array.tobytes(), usedforsecurity=False).hexdigest()
    assert digest == IDX_MD5[split, part]


def test_is_loaded_once_and_read_only(mnist: Dataset) -> None:
    assert load_mnist() is mnist
    assert load_test() is mnist.test  # one copy
    assert mnist.train.images.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        mnist.train.images[0, 0, 0] = 1


def test_floats_are_bytes_in_255ths(mnist: Dataset) -> None:
    floats = to_float(mnist.test.images[:50])
    assert floats.shape == (50, 28, 28, 1)
    assert floats.dtype == np.float32
    assert floats.min() == 0
    assert floats.max() == 1
    assert (np.rint(floats[..., 0] * 255) == mnist.test.images[:50]).all()


def test_the_test_images_are_read_alone(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "mnist.npz", x_test=mnist.test.images, y_test=mnist.test.labels)
    monkeypatch.setattr("core.data.mnist.MNIST_FILE", path)
    test = load_test.__wrapped__()
    assert (test.images == mnist.test.images).all()


def _write(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^mnist\.npz is missing: restore it.*\.$"):
        read_mnist(tmp_path / "mnist.npz")


def test_truncated_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(MNIST_FILE.read_bytes()[:1_000_000])
    with pytest.raises(DataError, match=r"^mnist\.npz is damaged \(.*\): restore it"):
        read_mnist(path)


def test_flipped_bytes_are_noticed(tmp_path: Path) -> None:
    data = bytearray(MNIST_FILE.read_bytes())
    data[5_000_000:5_000_400] = bytes(400)
    path = tmp_path / "mnist.npz"
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        read_mnist(path)


def test_wrong_shape_type_or_label_is_one_sentence(tmp_path: Path) -> None:
    wrong = {
        "x_train": np.zeros((10, 28, 28), np.uint8),
        "y_train": np.zeros(10, np.uint8),
        "x_test": np.zeros((10, 28, 28), np.uint8),
        "y_test": np.zeros(10, np.uint8),
    }
    with pytest.raises(DataError, match="x_train is uint8"):
        read_mnist(_write(tmp_path / "a.npz", **wrong))
    with pytest.raises(DataError, match="no item named 'x_train"):
        read_mnist(_write(tmp_path / "b.npz", other=np.zeros(1)))


@pytest.mark.parametrize(
    ("images", "part"),
    [
        (np.zeros((1, 28, 28), np.float32), "not float32"),
        (np.zeros((1, 28, 28, 1), np.uint8), "convert bytes"),
        (np.full((1, 28, 28, 1), 1.5, np.float32), "outside"),
        (np.full((1, 28, 28, 1), -0.1, np.float32), "outside"),
        (np.full((1, 28, 28, 1), np.nan, np.float32), "outside"),
    ],
)
def test_images_are_checked_at_the_door(images: np.ndarray, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        check_images(images)
