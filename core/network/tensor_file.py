"""The one reader of safetensors files, those that strangers send included.

The format: eight bytes with the length of the header, the header in JSON (each array's type, shape
and place, and texts under __metadata__), and the numbers, one array behind the other.
"""

import io
import itertools
import json
import math
import re
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from core.plain import one_line

MAX_HEADER_BYTES = 1_000_000
MAX_ARRAYS = 1_000
_MAX_DEPTH = 3  # the header, an array, its shape
_LENGTH = 8  # bytes
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)  # or its beginning: one pass in all cases
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_KINDS = {"F": "float", "BF": "bfloat", "I": "int", "U": "unsigned int", "C": "complex"}


class NotTensorsError(ValueError):
    """The bytes are no safetensors file; the message says by what that shows."""


@dataclass(frozen=True)
class Stored:
    """An array as the header announces it: type, such as float32, shape, and bytes from, to."""

    type: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """The arrays of a file by name, and the texts of its metadata."""

    arrays: dict[str, Stored]
    metadata: dict[str, str]


def read_header(file: BinaryIO) -> Header:
    """The header of an open file, bounded before it is parsed, and checked against the file's size.

    Raises NotTensorsError if there is none, and ValueError with what is wrong if it has more than
    1 MB or 1,000 arrays, if it is damaged, or if the file is cut off.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(_LENGTH), "little")
    if file.read(1) != b"{":
        raise NotTensorsError("no header stands at its beginning")
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"its header has {length:,} bytes, above {MAX_HEADER_BYTES:,}")
    if _LENGTH + length > size:
        raise ValueError(f"it is cut off within its header, after {size:,} bytes")
    file.seek(_LENGTH)
    return _parsed(file.read(length), size - _LENGTH - length)


def read_arrays(data: bytes) -> dict[str, NDArray[np.float32]]:
    """The arrays of a file by name. Raises ValueError as `read_header`, and unless all are float32.

    Arrays stored in few bits are not converted: what is measured of the ones is not true of the
    others.
    """
    for name, stored in read_header(io.BytesIO(data)).arrays.items():
        if stored.type != "float32":
            raise ValueError(f"{one_line(name, 60)} is stored as {stored.type}, not as float32")
    try:
        return safetensors.numpy.load(data)
    except safetensors.SafetensorError as error:
        raise ValueError(f"it is damaged ({one_line(str(error), 100)})") from None


def _parsed(header: bytes, body: int) -> Header:
    _check_structure(header)
    try:
        values = json.loads(header, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise ValueError("its header is damaged, or names an array twice") from None
    metadata = values.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata is not made of texts")
    arrays = {name: _stored(name, value) for name, value in values.items()}
    _check_places(arrays, body)
    return Header(arrays, metadata)


def _check_structure(header: bytes) -> None:
    """Raise ValueError if the JSON is wider or deeper than a header is; without parsing it."""
    brackets = _STRING.sub(b"", header).translate(None, _NO_BRACKETS)
    most = 6 * MAX_ARRAYS + 4
    depths = itertools.accumulate(1 if bracket in b"{[" else -1 for bracket in brackets[:most])
    if max(depths, default=0) > _MAX_DEPTH:
        raise ValueError("its header is nested deeper than one of arrays and their shapes")
    if brackets.count(b"{") > MAX_ARRAYS + 2 or len(brackets) > most:
        raise ValueError(f"it names more than {MAX_ARRAYS:,} arrays")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name stands there twice")
    return values


def _stored(name: str, value: object) -> Stored:
    match value:
        case {"dtype": str(kind), "shape": [*shape], "data_offsets": [start, end]}:
            numbers = (*shape, start, end)
            if all(type(number) is int and 0 <= number < 2**40 for number in numbers):
                bits = _bits(kind)
                if bits is None or math.prod(shape) * bits == (end - start) * 8:
                    return Stored(_type(kind), tuple(shape), start, end)
    raise ValueError(f"what its header says of {one_line(name, 60)} does not fit together")


def _bits(kind: str) -> int | None:
    """Of one number of the type that safetensors calls `kind`, None of one it does not know."""
    if kind == "BOOL":
        return 8
    found = re.fullmatch(r"(?:B?F|[IUC])(\d+)(?:_E\w+)?", kind)
    return int(found[1]) if found else None


def _type(kind: str) -> str:
    """“bfloat16” of BF16, “float8” of F8_E4M3."""
    found = re.match(r"(BF|[FIUC])(\d+)", kind)
    return f"{_KINDS[found[1]]}{found[2]}" if found else one_line(kind.lower(), 20)


def _check_places(arrays: dict[str, Stored], body: int) -> None:
    """Raise ValueError unless the arrays lie side by side and fill all `body` bytes."""
    end = 0
    for start, following in sorted((each.start, each.end) for each in arrays.values()):
        if start != end:
            raise ValueError("its arrays overlap, or leave gaps")
        end = following
    if end > body:
        raise ValueError(f"it is cut off, with {body:,} of {end:,} bytes of numbers")
    if end < body:
        raise ValueError(f"{body - end:,} bytes stand behind its last array")
