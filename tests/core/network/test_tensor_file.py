"""Safetensors files of strangers: bounded before they are parsed, and refused in true words."""

import contextlib
import io
import json
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy

from core.network.tensor_file import MAX_HEADER_BYTES, read_arrays, read_header


def _file(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _array(kind: str = "F32", shape: object = (2,), places: object = (0, 8)) -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": places}


def test_reads_what_the_library_writes() -> None:
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.zeros(0, np.float32)}
    data = safetensors.numpy.save(arrays, metadata={"card": "{[“"})
    header = read_header(io.BytesIO(data))
    assert header.metadata == {"card": "{[“"}
    assert {name: each.shape for name, each in header.arrays.items()} == {"a": (0,), "b": (2, 3)}
    assert {each.type for each in header.arrays.values()} == {"float32"}
    read = read_arrays(data)
    assert read.keys() == arrays.keys()
    assert all(np.array_equal(read[name], array) for name, array in arrays.items())


@pytest.mark.parametrize(
    ("kind", "bits", "called"),
    [
        ("BF16", 16, "bfloat16"), ("F16", 16, "float16"), ("F64", 64, "float64"),
        ("F8_E4M3", 8, "float8"), ("F8_E5M2", 8, "float8"), ("I8", 8, "int8"),
        ("U8", 8, "unsigned int8"), ("F4", 4, "float4"), ("BOOL", 8, "bool"), ("Z9", 8, "z9"),
    ],
)  # fmt: skip
def test_other_types_are_named(kind: str, bits: int, called: str) -> None:
    data = _file({"kernel": _array(kind, (2,), (0, bits // 4))}, bytes(bits // 4))
    assert read_header(io.BytesIO(data)).arrays["kernel"].type == called
    with pytest.raises(ValueError, match=f"^kernel is stored as {called}, not as float32$"):
        read_arrays(data)


_HOSTILE = {
    "length's highest bit": (bytes(7) + b"\x80{}", "above 1,000,000"),
    "cut off in the header": (_file({"a": _array()})[:30], "cut off within its header"),
    "cut off": (_file({"a": _array()}, bytes(7)), "cut off, with 7 of 8"),
    "more behind": (_file({"a": _array()}, bytes(9)), "1 bytes stand behind"),
    "overlap": (_file({"a": _array(), "b": _array(places=(4, 12))}, bytes(12)), "overlap"),
    "gap": (_file({"a": _array(), "b": _array(places=(9, 17))}, bytes(17)), "gaps"),
    "twins": (_file(b'{"a": {}, "a": {}}'), "twice"),
    "wrong size": (_file({"a": _array(shape=(3,))}, bytes(8)), "does not fit together"),
    "negative": (_file({"a": _array(places=(-8, 0))}, bytes(8)), "does not fit together"),
    "half": (_file({"a": _array(shape=(2.0,))}, bytes(8)), "does not fit together"),
    "flag": (_file({"a": _array(shape=(True, 2))}, bytes(8)), "does not fit together"),
    "no record": (_file({"a": 3}), "does not fit together"),
    "metadata": (_file({"__metadata__": {"card": 3}}), "not made of texts"),
    "metadata is a list": (_file({"__metadata__": []}), "not made of texts"),
    "no JSON": (_file(b"{nonsense"), "damaged"),
    "digits": (_file(b'{"a": ' + b"9" * 900_000 + b"}"), "damaged"),
    "broken letters": (_file(b'{"\xff": 1}'), "damaged"),
    "deep": (_file(b'{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}"), "nested deeper"),
    "a bit deep": (_file(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"), "nested deeper"),
    "wide": (_file(b'{"a":[' + b"[]," * 300_000 + b"[]]}"), "more than 1,000"),
    "quotes without end": (_file(b'{"' + rb"\"" * 450_000), "damaged"),
    "line breaks in quotes": (_file(b'{"' + b'\\\n"' * 300_000), "damaged|more than"),
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_headers_are_told(name: str) -> None:
    data, part = _HOSTILE[name]
    with pytest.raises(ValueError, match=part) as caught:
        read_header(io.BytesIO(data))
    assert len(str(caught.value)) < 200


def test_many_names_are_refused_before_they_are_parsed() -> None:
    """A million took 1.8 GB and half a minute; the bound on bytes alone lets 60,000 through."""
    million = b"{" + b",".join(b'"%d":{}' % number for number in range(1_000_000)) + b"}"
    few = b"{" + b",".join(b'"%d":{}' % number for number in range(60_000)) + b"}"
    assert len(few) < MAX_HEADER_BYTES < len(million)
    for header, part in ((million, "above 1,000,000"), (few, "more than 1,000 arrays")):
        file = io.BytesIO(_file(header))
        tracemalloc.start()
        with pytest.raises(ValueError, match=part):
            read_header(file)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * MAX_HEADER_BYTES


def test_any_flipped_bit_is_read_or_told() -> None:
    good = safetensors.numpy.save(
        {"conv1/kernel": np.zeros((3, 3), np.float32), "b": np.zeros(2, np.float32)},
        metadata={"card": json.dumps({"steps": 3})},
    )
    header = 8 + int.from_bytes(good[:8], "little")
    for bit in range(8 * header):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ValueError):
            read_arrays(bytes(data))
    for end in range(len(good)):
        with pytest.raises(ValueError):  # noqa: PT011 — the words differ by place
            read_header(io.BytesIO(good[:end]))
