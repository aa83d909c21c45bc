"""The one reader of NumPy archives (.npz): bounded before anything is unpacked."""

import io
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_MOST_MEMBERS = 100


def read_npz(path: Path, *, most_bytes: int, only: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """The read-only arrays of an archive by name, or those named in `only`.

    Raises FileNotFoundError, and ValueError with what is wrong if the archive is damaged in any
    way, holds more than a hundred members or more than `most_bytes` unpacked, or lacks a name.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if len(members) > _MOST_MEMBERS or size > most_bytes:
                raise ValueError(f"{len(members):,} arrays of {size:,} bytes are too many")
            names = only or [member.filename.removesuffix(".npy") for member in members]
            return {name: array_of(_unpacked(archive, f"{name}.npy")) for name in names}
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and numpy fail in a dozen ways on damaged bytes
        reason = error.strerror if isinstance(error, OSError) else str(error).strip("'\"")
        raise ValueError((reason or "it cannot be read").rstrip(".")) from None


def _unpacked(archive: zipfile.ZipFile, member: str) -> bytes:
    announced = archive.getinfo(member).file_size
    with archive.open(member) as stream:
        return stream.read(announced)  # not a byte more, whatever the stream expands to


def array_of(data: bytes) -> NDArray[Any]:
    """The read-only array in an .npy file, whose header must agree with its bytes.

    Raises ValueError on any other bytes, and on objects, which would have to be unpickled.
    """
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, in_columns, kind = read(stream)
    numbers: NDArray[Any] = np.frombuffer(data, kind, offset=stream.tell())
    return numbers.reshape(shape, order="F" if in_columns else "C")
