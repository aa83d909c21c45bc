"""The formats that images come in, each read to named arrays; nothing is unpickled or run.

To be called apart (`core.apart`): a stranger's bytes meet libraries that were not made for them.
"""

import csv
import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from core.data.archive import array_of
from core.data.file_kind import kind_of
from core.data.reading.contents import MOST_UNPACKED, Array, Contents, check_unpacked
from core.data.reading.pictures import PICTURE, gathered
from core.data.spec import MNIST
from core.plain import one_line

_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_MEMBERS = 250_000
_LABEL_COLUMNS = {"label", "labels", "class", "target", "y", "digit", "character"}
_HIDDEN = re.compile(r"(^|/)(__MACOSX|\.)")


def unpack(data: bytes) -> bytes:
    """`read_contents` for `core.apart`: the packed contents of a file."""
    return read_contents(data).packed()


def read_contents(data: bytes, name: str = "") -> Contents:
    """The named arrays of a file of any format that is read here.

    name: without its folder, which tells a JSON file's class. Raises ValueError with one sentence
    on any other file, and on one that is damaged.
    """
    for mark, reader in _READERS.items():
        if re.match(mark, data, re.DOTALL):
            return _read(reader, data, name)
    if kind_of(data) == "a JSON file":
        return _read(_json, data, name)
    if kind_of(data) == "a text file":
        return _read(_table, data, name)
    kind = kind_of(data) or "of no kind that is known here"
    raise ValueError(
        f"The file is {kind}, no set of images: give NPZ, NPY, IDX, CSV, Parquet, MATLAB, HDF5 or "
        "a ZIP of folders of pictures."
    )


def _read(reader: Callable[[bytes, str], Contents], data: bytes, name: str) -> Contents:
    try:
        return reader(data, name)
    except ValueError as error:
        if str(error).startswith(("The ", "It ", "Two ")):
            raise
        raise _damaged(data, error) from None
    except Exception as error:  # each library fails in its own dozen ways on damaged bytes
        raise _damaged(data, error) from None


def _damaged(data: bytes, error: Exception) -> ValueError:
    reason = one_line(str(error), 80).rstrip(".") or type(error).__name__
    return ValueError(f"The file, {kind_of(data)}, cannot be read ({reason}): save it again.")


def _npy(data: bytes, name: str) -> Contents:
    return Contents({"array": array_of(data)})


def _idx(data: bytes, name: str) -> Contents:
    """LeCun's format: two zeros, a type, the number of axes, their lengths, the numbers."""
    code, axes = data[2], data[3]
    shape = struct.unpack_from(f">{axes}I", data, 4)
    kind = np.dtype(_IDX_TYPES[code])
    count, start = int(np.prod(shape, dtype=object)), 4 + 4 * axes
    if len(data) - start != count * kind.itemsize:
        raise ValueError(f"its header promises {count * kind.itemsize:,} bytes")
    array = np.frombuffer(data, kind, offset=start).reshape(shape)
    return Contents({"array": array.astype(kind.newbyteorder("="))})


def _gzip(data: bytes, name: str) -> Contents:
    stream = zlib.decompressobj(wbits=31)
    inside = stream.decompress(data, MOST_UNPACKED + 1)
    check_unpacked(len(inside))
    if not stream.eof:
        raise ValueError("it ends too early")
    return read_contents(inside, name.removesuffix(".gz"))


def _zip(data: bytes, name: str) -> Contents:
    """A NumPy archive, folders of pictures, or several files that belong together."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [
            m for m in archive.infolist() if not m.is_dir() and not _HIDDEN.search(m.filename)
        ]
        if len(members) > _MOST_MEMBERS:
            raise ValueError(
                f"The archive holds {len(members):,} files, above {_MOST_MEMBERS:,}: give fewer."
            )
        check_unpacked(sum(member.file_size for member in members))
        files = {member.filename: archive.read(member) for member in members}
    if not files:
        raise ValueError("The archive is empty: put images into it.")
    if all(file.endswith(".npy") for file in files):
        arrays = {name.removesuffix(".npy"): array_of(inside) for name, inside in files.items()}
        return Contents(arrays)
    pictures = {
        path: inside for path, inside in files.items() if re.match(PICTURE, inside, re.DOTALL)
    }
    if pictures:
        return gathered(pictures)
    return _together(files)


def _together(files: dict[str, bytes]) -> Contents:
    whole = Contents({})
    for path, inside in sorted(files.items()):
        stem = PurePosixPath(path).name
        if kind_of(inside) == "a text file" and "," not in stem and not stem.endswith(".csv"):
            continue  # a license, a README
        whole = whole.joined(read_contents(inside, stem).under(stem))
    return whole


def _table(data: bytes, name: str) -> Contents:
    """Comma-separated values: a label and the pixels of an image in each line."""
    import pandas as pd

    first = next(csv.reader(io.StringIO(data[:1_000_000].decode("utf-8-sig"))), [])
    header = None if all(_is_number(cell) for cell in first) else 0
    table = pd.read_csv(io.BytesIO(data), header=header)
    column = _label_column(list(table.columns), table.shape[1])
    labels = table.pop(table.columns[column]).to_numpy()
    if labels.dtype == object or labels.dtype.kind not in "iufb":
        labels = labels.astype(str)
    pixels = table.select_dtypes("number").to_numpy()
    if pixels.shape[1] != table.shape[1]:
        raise ValueError(
            "The table has cells that are no numbers beside its labels: leave them out."
        )
    return Contents({"images": pixels, "labels": labels})


def _label_column(names: list[Any], columns: int) -> int:
    """By its name; else the first or the last, whichever lets the others be images."""
    for place, name in enumerate(names):
        if str(name).strip().lower() in _LABEL_COLUMNS:
            return place
    return 0


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _json(data: bytes, name: str) -> Contents:
    """The pixels of all images of one class, one after the other, in a file named by the class."""
    values = json.loads(data)
    if isinstance(values, dict) and len(values) == 1:
        values = next(iter(values.values()))
    pixels = np.asarray(values, np.float64)
    if pixels.ndim == 1 and pixels.size and pixels.size % _JSON_PIXELS == 0:
        pixels = pixels.reshape(-1, _JSON_PIXELS)
    if pixels.ndim < 2:
        raise ValueError(
            "The JSON file holds no list of images: give the pixels of 28 × 28 images."
        )
    label = PurePosixPath(name).stem or "0"
    return Contents({"images": pixels, "labels": np.full(len(pixels), label)})


_JSON_PIXELS = math.prod(MNIST.shape)  # which a flat list cannot say


def _parquet(data: bytes, name: str) -> Contents:
    """Hugging Face's tables: a column of encoded pictures and one of labels."""
    import pyarrow.parquet as pq
    from pyarrow import types

    table = pq.read_table(io.BytesIO(data), use_threads=False)
    names = _hugging_face_names(table.schema.metadata or {})
    images, labels = None, None
    for column in table.column_names:
        values = table[column].combine_chunks()
        if types.is_struct(values.type) and values.type.get_field_index("bytes") >= 0:
            values = values.field("bytes")
        if any(is_(values.type) for is_ in (types.is_binary, types.is_large_binary, types.is_null)):
            images = values.to_pylist()
        elif types.is_list(values.type) or types.is_large_list(values.type):
            images = np.asarray(values.to_pylist())
        elif labels is None or column in _LABEL_COLUMNS:
            labels = values.to_numpy(zero_copy_only=False)
    if images is None or labels is None:
        raise ValueError("The table has no column of pictures and one of labels: give both.")
    if isinstance(images, list):
        if any(image is None for image in images):
            raise ValueError(
                "The table holds paths of pictures and not the pictures themselves: save it with "
                "them embedded."
            )
        pictures = gathered({f"{number:09}": image for number, image in enumerate(images)})
        images = pictures.arrays["images"]
    if labels.dtype.kind not in "iufb":
        labels = labels.astype(str)
    return Contents({"images": images, "labels": labels}, names)


def _hugging_face_names(metadata: dict[bytes, bytes]) -> tuple[str, ...]:
    about = json.loads(metadata.get(b"huggingface", b"{}"))
    features = about.get("info", {}).get("features", {})
    named = [feature["names"] for feature in features.values() if feature.get("names")]
    return tuple(map(str, named[0])) if named else ()


def _matlab(data: bytes, name: str) -> Contents:
    from scipy.io import loadmat

    tree = loadmat(io.BytesIO(data), simplify_cells=True)
    arrays = dict(_leaves({k: v for k, v in tree.items() if not k.startswith("__")}))
    names = _letters(arrays)
    note = "A MATLAB file: flat images are read column by column, as MATLAB keeps them."
    return Contents({k: _by_columns(v) for k, v in arrays.items()}, names, (note,))


def _leaves(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Array]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        elif isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
            yield f"{above}{key}", value


def _letters(arrays: dict[str, Array]) -> tuple[str, ...]:
    """EMNIST's mapping: a label and the code of a character (or of two: both cases) a row."""
    for key, table in arrays.items():
        if key.rpartition(".")[2] == "mapping" and table.ndim == 2:
            return tuple("/".join(chr(code) for code in dict.fromkeys(row[1:])) for row in table)
    return ()


def _by_columns(array: Array) -> Array:
    """Flat square images [n, side²] of MATLAB, whose first axis runs fastest."""
    if array.ndim != 2 or (side := int(np.sqrt(array.shape[1]))) ** 2 != array.shape[1] or side < 8:
        return array
    return array.reshape(-1, side, side).transpose(0, 2, 1)


def _hdf5(data: bytes, name: str) -> Contents:
    """All arrays of the file itself: what points out of it is refused."""
    import h5py

    with h5py.File(io.BytesIO(data), "r") as file:
        arrays = dict(_datasets(file))
    return Contents(arrays)


def _datasets(group: Any, above: str = "") -> Iterator[tuple[str, Array]]:
    import h5py

    for key in group:
        if isinstance(group.get(key, getlink=True), h5py.ExternalLink | h5py.SoftLink):
            raise ValueError(
                f"The file points elsewhere at {above}{one_line(key, 40)}: save the images in it."
            )
        value = group[key]
        if isinstance(value, h5py.Group):
            if above.count("/") > 8:
                raise ValueError("The file nests its groups more than eight deep: save it flat.")
            yield from _datasets(value, f"{above}{key}/")
            continue
        if value.is_virtual or value.external:
            raise ValueError(
                f"The file keeps {above}{one_line(key, 40)} in another file: save the images in it."
            )
        if value.dtype.kind in "biuf":
            check_unpacked(value.size * value.dtype.itemsize)
            yield f"{above}{key}", np.asarray(value[()])


_READERS: dict[bytes, Callable[[bytes, str], Contents]] = {
    rb"PK\x03\x04|PK\x05\x06": _zip,
    rb"\x93NUMPY": _npy,
    rb"\x00\x00[\x08\x09\x0b-\x0e][\x01-\x08]": _idx,
    rb"\x1f\x8b": _gzip,
    rb"PAR1": _parquet,
    rb"MATLAB 5\.0": _matlab,
    rb"\x89HDF|MATLAB 7\.3": _hdf5,
}
