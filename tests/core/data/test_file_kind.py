"""What a file is, by its bytes."""

import gzip
import io
import json
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from core.data.file_kind import kind_of


def _zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return file.getvalue()


def _npz() -> bytes:
    file = io.BytesIO()
    np.savez(file, kernel=np.zeros(3))
    return file.getvalue()


def _h5() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive["kernel"] = np.zeros(3)
    return file.getvalue()


_PYTORCH_MAGIC = 0x1950A86A20F9469CFC6C
_FILES = {
    "an empty file": b"",
    "a Keras model (.keras)": _zip("metadata.json", "config.json", "model.weights.h5"),
    "an HDF5 file, such as a Keras model (.h5)": _h5(),
    "a PyTorch file (.pt or .pth)": _zip("model/data.pkl", "model/data/0"),
    "a Python pickle, which can run any program when it is opened": pickle.dumps({"a": 1}),
    "a NumPy archive (.npz)": _npz(),
    "a zip archive with a TensorFlow SavedModel": _zip("model/saved_model.pb"),
    "a zip archive": _zip("a.txt"),
    "a TensorFlow Lite model (.tflite)": b"\x1c\x00\x00\x00TFL3" + bytes(20),
    "a language model (.gguf)": b"GGUF\x03\x00\x00\x00",
    "an ONNX model (.onnx)": b"\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x80\x01",
    "a TensorFlow SavedModel (.pb)": b"\x08\x01\x12\xf0\x01\x0a\x10",
    "a MATLAB file (.mat)": b"MATLAB 5.0 MAT-file, Platform: GLNXA64",
    "a gzip archive": gzip.compress(b"content"),
    "a picture (PNG)": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "a picture (JPEG)": b"\xff\xd8\xff\xe0" + bytes(20),
    "an IDX file of images, as MNIST comes in": b"\x00\x00\x08\x03\x00\x00\x27\x10",
    "a tar archive": b"model.pt".ljust(257, b"\0") + b"ustar\x00",
    "a Git LFS pointer, which only says where the file itself is kept": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3204744\n"
    ),
    "a web page (HTML), perhaps saved in place of a file": (
        b"\xef\xbb\xbf\n<!-- saved -->\n<!DOCTYPE html><title>404</title>"
    ),
    "an XML file": b'<?xml version="1.0"?><svg/>',
    "a JSON file": json.dumps({"weights": [1, 2], "name": "ü" * 5000}, ensure_ascii=False).encode(),
    "a text file": b"epoch,loss\n1,0.3\n",
}


@pytest.mark.parametrize("kind", _FILES)
def test_bytes_tell_what_a_file_is(kind: str) -> None:
    assert kind_of(_FILES[kind]) == kind


def test_old_pytorch_files_are_told_from_other_pickles() -> None:
    assert kind_of(pickle.dumps(_PYTORCH_MAGIC, protocol=2)) == "a PyTorch file (.pt or .pth)"


def test_a_zip_that_is_cut_off_is_told_by_its_first_members() -> None:
    whole = _FILES["a Keras model (.keras)"]
    assert kind_of(whole[: whole.index(b"PK\x01\x02")]) == "a Keras model (.keras)"


def test_raw_numbers_are_nothing(random: np.random.Generator) -> None:
    numbers = random.normal(size=1000).astype(np.float32).tobytes()  # such as .onnx.data
    assert kind_of(numbers) == ""


@pytest.mark.parametrize("kind", _FILES)
def test_any_beginning_gives_an_answer(kind: str) -> None:
    for end in range(min(len(_FILES[kind]), 300)):
        assert isinstance(kind_of(_FILES[kind][:end]), str)
