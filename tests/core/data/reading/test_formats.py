"""One set of images in every format that images come in: the same set comes out."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
from PIL import Image

from core.data import read_dataset
from core.data.reading.contents import Contents
from core.data.reading.formats import read_contents
from core.data.reading.read import Examined, Overruled, understood

SIDE, COUNT = 12, 60
NAMES = ("ant", "bee", "cat")


def _pictures(colors: bool = False) -> np.ndarray:
    """Smooth, all different, dark at the border."""
    rng = np.random.default_rng(4)
    coarse = rng.integers(0, 256, (COUNT, 4, 4, *([3] * colors))).astype(np.float64)
    images = coarse.repeat(3, axis=1).repeat(3, axis=2)
    images = (images + np.roll(images, 1, 1) + np.roll(images, 1, 2)) / 3
    images[:, [0, -1]] = images[:, :, [0, -1]] = 0
    images = images.astype(np.uint8)
    images[0, 5, 5] = 255
    return images


GRAY, COLORED = _pictures(), _pictures(colors=True)
LABELS = np.arange(COUNT) % 3


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    return _saved(lambda file: np.savez(file, **arrays))


def _idx(array: np.ndarray) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + shape + array.astype(np.uint8).tobytes()


def _hdf5(**arrays: np.ndarray) -> bytes:
    def save(file: io.BytesIO) -> None:
        with h5py.File(file, "w") as inside:
            for name, array in arrays.items():
                inside[name] = array

    return _saved(save)


def _parquet(images: list[object], **metadata: str) -> bytes:
    table = pa.table({"image": images, "label": LABELS})
    return _saved(lambda file: pq.write_table(table.replace_schema_metadata(metadata), file))


def _hugging_face() -> bytes:
    features = {"info": {"features": {"label": {"names": NAMES, "_type": "ClassLabel"}}}}
    images = [{"bytes": _png(image), "path": None} for image in GRAY]
    return _parquet(images, huggingface=json.dumps(features))


def _csv(header: bool) -> bytes:
    table = pd.DataFrame(np.column_stack([LABELS, GRAY.reshape(COUNT, -1)]))
    table.columns = ["label", *(f"pixel{n}" for n in range(SIDE * SIDE))]
    return table.to_csv(index=False, header=header).encode()


def _folders(images: np.ndarray) -> bytes:
    return _zip(
        {
            f"set/{NAMES[label]}/{n:03}.png": _png(image)
            for n, (image, label) in enumerate(zip(images, LABELS, strict=True))
        }
    )


WHOLE = {
    "npz": lambda: _npz(images=GRAY, labels=LABELS),
    "npz of other names": lambda: _npz(data=GRAY[..., None], target=LABELS[:, None]),
    "npz, channels first": lambda: _npz(x=GRAY[:, None], y=np.eye(3)[LABELS]),
    "npz of floats": lambda: _npz(x=GRAY / 255, y=LABELS),
    "two npz as KMNIST": lambda: _zip(
        {"k-imgs.npz": _npz(arr_0=GRAY), "k-labels.npz": _npz(arr_0=LABELS)}
    ),
    "npy pair": lambda: _zip(
        {"x.npy.gz": gzip.compress(_saved(lambda f: np.save(f, GRAY))), "y.idx": _idx(LABELS)}
    ),
    "idx": lambda: _zip({"images-idx3-ubyte": _idx(GRAY), "labels-idx1-ubyte": _idx(LABELS)}),
    "csv": lambda: _csv(True),
    "csv without a header": lambda: _csv(False),
    "parquet": _hugging_face,
    "matlab": lambda: _saved(
        lambda file: scipy.io.savemat(
            file, {"X": GRAY.transpose(0, 2, 1).reshape(COUNT, -1), "y": LABELS[:, None] + 1}
        )
    ),
    "hdf5": lambda: _hdf5(images=GRAY, labels=LABELS),
    "folders": lambda: _folders(GRAY),
    "json of each class": lambda: _zip(
        {f"{c}.json": json.dumps({"data": GRAY[c == LABELS].tolist()}).encode() for c in range(3)}
    ),
}


def _read(data: bytes, name: str = "set", overruled: Overruled | None = None) -> Examined:
    contents = Contents.unpacked(read_contents(data).packed())
    return understood(contents, name, overruled)


def _pairs(images: np.ndarray, labels: np.ndarray) -> set[tuple[bytes, int]]:
    return {(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)}


@pytest.mark.parametrize("name", WHOLE)
def test_a_set_comes_out_of_every_format_as_it_went_in(name: str) -> None:
    found = _read(WHOLE[name]()).dataset
    train, test = found.train, found.test
    assert found.spec.shape == (SIDE, SIDE, 1)
    assert len(test) > 0
    read = _pairs(train.images, train.labels) | _pairs(test.images, test.labels)
    assert read == _pairs(GRAY, LABELS)


COLORS = {
    "last": COLORED,
    "first": COLORED.transpose(0, 3, 1, 2),
    "counted by the last axis, as SVHN": COLORED.transpose(1, 2, 3, 0),
    "flat planes, as CIFAR": COLORED.transpose(0, 3, 1, 2).reshape(COUNT, -1),
    "flat pixels": COLORED.reshape(COUNT, -1),
}


@pytest.mark.parametrize("layout", COLORS)
def test_colors_are_found_wherever_they_lie(layout: str) -> None:
    found = _read(_npz(x=COLORS[layout], y=LABELS)).dataset
    assert found.spec.channels == 3
    images = np.concatenate([found.train.images, found.test.images])
    assert {image.tobytes() for image in images} == {image.tobytes() for image in COLORED}


def test_names_of_classes_come_from_folders_and_from_the_file() -> None:
    assert _read(_folders(GRAY)).dataset.spec.classes == NAMES
    assert _read(_hugging_face()).dataset.spec.classes == NAMES


def test_parts_are_told_by_their_names_and_validation_trains() -> None:
    arrays = {
        f"{part}_{kind}": array[rows]
        for part, rows in (("train", slice(30)), ("val", slice(30, 45)), ("test", slice(45, None)))
        for kind, array in (("images", GRAY), ("labels", LABELS[:, None]))
    }
    found = _read(_npz(**arrays))
    assert (len(found.dataset.train), len(found.dataset.test)) == (45, 15)
    assert any("15 images for validation" in each.sentence for each in found.findings)


def test_a_file_alone_takes_those_of_its_kind_beside_it(tmp_path) -> None:
    for name, array in (("train-images.idx3", GRAY), ("train-labels.idx3", LABELS)):
        (tmp_path / name).write_bytes(_idx(array))
    (tmp_path / "LICENSE").write_text("free")
    found = read_dataset(tmp_path / "train-images.idx3")
    assert len(found.train) + len(found.test) == COUNT


def test_letters_of_emnist_are_named_and_stand_upright() -> None:
    flat = GRAY.transpose(0, 2, 1).reshape(COUNT, -1)
    part = {"images": flat, "labels": LABELS[:, None], "writers": LABELS[:, None]}
    mapping = np.array([[0, 65, 65], [1, 66, 98], [2, 67, 99]])
    tree = {"dataset": {"train": part, "test": part, "mapping": mapping}}
    found = _read(_saved(lambda file: scipy.io.savemat(file, tree))).dataset
    assert found.spec.classes == ("A", "B/b", "C/c")
    assert np.array_equal(found.train.images, GRAY)


def _tiff(image: np.ndarray) -> bytes:
    return _saved(lambda file: Image.fromarray(image).save(file, "TIFF"))


DEEP = {  # datasets 5.2.0 keeps floats and wide numbers so, in tables and folders
    "floats of 0 to 1": lambda image: _tiff((image / 255).astype(np.float32)),
    "floats of 0 to 255": lambda image: _tiff(image.astype(np.float32)),
    "16 bits": lambda image: _png(image.astype(np.uint16) * 257),
    "32 bits": lambda image: _tiff(image.astype(np.int32)),
}


@pytest.mark.parametrize("depth", DEEP)
def test_pictures_of_any_depth_keep_their_levels(depth: str) -> None:
    files = {f"{n % 3}/{n}.any": DEEP[depth](image) for n, image in enumerate(GRAY)}
    found = _read(_zip(files)).dataset
    read = np.concatenate([found.train.images, found.test.images])
    assert {image.tobytes() for image in read} == {image.tobytes() for image in GRAY}


def _pointing() -> bytes:
    def save(file: io.BytesIO) -> None:
        with h5py.File(file, "w") as inside:
            inside["labels"] = LABELS
            inside["images"] = h5py.ExternalLink("other.h5", "/images")

    return _saved(save)


WRONG = {
    "nothing": (b"", "an empty file"),
    "a pickle": (b"\x80\x04K\x01.", "pickle"),
    "a text": (b"once upon a time", "cannot be read|no images"),
    "a picture": (_png(GRAY[0]), "a picture"),
    "objects": (_npz(x=np.array([{}, None], object), y=LABELS), "cannot be read"),
    "no labels": (_npz(x=GRAY), "no labels"),
    "no images": (_npz(y=LABELS), "no images"),
    "too few labels": (_npz(x=GRAY, y=LABELS[:-1]), "no labels of that number"),
    "several classes at once": (
        _npz(x=GRAY, y=np.ones((COUNT, 3))),
        "several classes",
    ),
    "one class": (_npz(x=GRAY, y=LABELS * 0), "number of classes is 1"),
    "labels between": (_npz(x=GRAY, y=LABELS / 3), "not a whole number"),
    "labels that are no numbers": (_npz(x=GRAY, y=LABELS * np.nan), "neither whole numbers"),
    "not finite": (
        _npz(x=GRAY / 0.0 if False else np.full(GRAY.shape, np.inf), y=LABELS),
        "finite",
    ),
    "blank": (_npz(x=GRAY * 0, y=LABELS), "nothing but 0"),
    "no square": (_npz(x=np.zeros((COUNT, 150)), y=LABELS), "fill no square"),
    "cut off": (_idx(GRAY)[:-1], "promises"),
    "a gzip cut off": (gzip.compress(_idx(GRAY))[:-9], "ends too early"),
    "an archive cut off": (_npz(x=GRAY, y=LABELS)[:-30], "cannot be read"),
    "a picture that is damaged": (_zip({"a/1.png": _png(GRAY[0])[:60]}), "damaged"),
    "paths instead of pictures": (
        _parquet([{"bytes": None, "path": "a.png"}] * COUNT),
        "paths of pictures",
    ),
    "a link to another file": (_pointing(), "points elsewhere"),
    "an empty archive": (_zip({}), "empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_gets_one_true_sentence(name: str) -> None:
    data, told = WRONG[name]
    with pytest.raises(ValueError, match=told) as error:
        _read(data)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
