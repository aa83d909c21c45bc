"""A PNG says what it is, and is believed no further than short plain text goes."""

import json

import numpy as np
import pytest
from PIL import PngImagePlugin

from core.data import provenance
from core.data.pictures import _unpacked as unpacked
from core.data.pictures import decode, read_picture
from tests.photographs import saved

DIGIT = np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)


def _file(text: str, keyword: str = provenance.KEYWORD) -> bytes:
    chunk = PngImagePlugin.PngInfo()
    chunk.add_itxt(keyword, text)
    return saved(DIGIT, pnginfo=chunk)


def test_what_is_written_is_read_back_with_the_pixels() -> None:
    told = {"model": "Model 1", "image": 5, "attack": "PGD · L∞ “ε”", "ε": 0.3, "seed": 0}
    picture = read_picture(provenance.png(DIGIT, told))
    assert picture.about == {name: str(value) for name, value in told.items()}
    np.testing.assert_array_equal(picture.exact, DIGIT)
    color = np.stack([DIGIT] * 3, axis=2)
    assert unpacked(decode(provenance.png(color, told))).about == picture.about


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[1, 2]",
        '"text"',
        "7",
        "null",
        "{",
        "[" * 3_900,
        '{"a": ' * 600,
        json.dumps({"a": "b" * 5_000}),
        '{"a": ' + "9" * 3_990 + "}",
    ],
)
def test_what_cannot_be_read_says_nothing(text: str) -> None:
    picture = unpacked(decode(_file(text)))
    assert set(picture.about) <= {"a"}
    assert all(len(value) <= 200 for value in picture.about.values())
    np.testing.assert_array_equal(picture.exact, DIGIT)


def test_what_is_no_short_plain_text_is_cut() -> None:
    told = {
        "a" * 500: "b" * 500,
        "line\nbreak": "\x1b[31m\u202eturned",
        "list": [1],
        "object": {"a": 1},
        "nothing": None,
        "surrogate": "\ud800",
        **{str(number): number for number in range(50)},
    }
    about = unpacked(decode(_file(json.dumps(told)))).about
    assert about["a" * 200] == "b" * 200
    assert about["linebreak"] == "[31mturned"
    assert about["surrogate"] == ""
    assert not about.keys() & {"list", "object", "nothing"}
    assert len(about) <= provenance.MAX_FIELDS


def test_other_texts_are_left_alone() -> None:
    assert unpacked(decode(_file('{"a": 1}', keyword="Comment"))).about == {}
