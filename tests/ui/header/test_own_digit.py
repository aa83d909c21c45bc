"""Dialogs for an own digit, as far as they go without a browser."""

import base64

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.arrays import ByteArray
from core.data.centering import center
from core.data.mnist import load_mnist
from core.data.provenance import png
from tests.photographs import on_phone, photograph, saved
from tests.ui.conftest import text_of
from ui.components.digit_pad import mount as digit_pad
from ui.components.digit_reading import mount as digit_reading
from ui.visitor.images import decode_ink


def _url(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode()


def _upload(app: AppTest, name: str, file: bytes) -> AppTest:
    app.run()
    app.button(key="upload-photo").click().run()
    return app.file_uploader[0].upload(name, file).run()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1"])
def test_the_pad_s_picture_is_read(mode: str) -> None:
    ink = np.zeros((280, 280), np.uint8)
    ink[50:200, 100:130] = 255
    sent = {"number": 7, "png": _url(saved(Image.fromarray(ink).convert(mode)))}
    drawing = digit_pad.read(sent)
    assert drawing.number == 7
    np.testing.assert_array_equal(drawing.ink, ink)


def test_a_cleared_pad_is_empty() -> None:
    assert not digit_pad.read({"number": 3, "png": ""}).ink.any()


_BLANK = _url(saved(np.zeros((280, 280), np.uint8)))


@pytest.mark.parametrize(
    "sent",
    [
        "text",
        17,
        [],
        {},
        {"number": 1},
        {"png": _BLANK},
        {"number": "1", "png": _BLANK},
        {"number": 1.5, "png": _BLANK},
        {"number": 10**30, "png": _BLANK},
        {"number": 1, "png": 5},
        {"number": 1, "png": "http://example.org/a.png"},
        {"number": 1, "png": "data:image/png;base64,§"},
        {"number": 1, "png": "data:image/png;base64,AAAA"},
        {"number": 1, "png": _BLANK[:-40]},
        {"number": 1, "png": _BLANK + "A" * 200_000},
        {"number": 1, "png": _url(saved(np.zeros((281, 280), np.uint8)))},
        {"number": 1, "png": _url(saved(np.zeros((3000, 3000), np.uint8)))},
        {"number": 1, "png": _url(saved(np.zeros((280, 280), np.uint8), "JPEG"))},
    ],
)
def test_anything_else_from_the_browser_gets_a_sentence(sent: object) -> None:
    with pytest.raises(ValueError, match="draw again"):
        digit_pad.read(sent)


def test_the_steps_are_sent_small() -> None:
    drawing = np.zeros((512, 400), np.uint8)
    drawing[10:500, 50:200] = 255
    steps = digit_reading.centering(center(drawing))
    assert [(step["width"], step["height"]) for step in steps] == [(49, 160), (20, 20), (28, 28)]
    for step in steps:
        pixels = base64.b64decode(str(step["pixels"]))
        assert len(pixels) == step["width"] * step["height"]
    assert steps[1]["mass"] == (9.5, 9.5)
    assert steps[0]["scale"] == 20 / 160


def test_both_dialogs_open_on_every_page(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/layers.py").run()
    app.button(key="draw").click().run()
    assert not app.exception
    assert app.button(key="use-digit").disabled
    app.button(key="upload-photo").click().run()
    assert not app.exception
    assert "PNG or JPEG" in text_of(app)


def test_a_photograph_goes_to_all_pages(app: AppTest) -> None:
    zero = load_mnist().test.images[3]
    _upload(app, "zero.jpg", on_phone(zero, seed=3, shape=(400, 300)))
    assert not app.exception
    assert not app.error
    app.button(key="use-digit").click().run()
    assert not app.exception
    assert "Model 1 reads 0" in text_of(app)
    assert "your own digit" in text_of(app)
    assert not app.file_uploader
    ink = decode_ink(app.query_params["ink"]).astype(int)
    assert np.corrcoef(ink.ravel(), zero.ravel())[0, 1] > 0.9


def test_without_centering_the_whole_picture_is_used(app: AppTest) -> None:
    picture = photograph(load_mnist().test.images[0], shape=(400, 300))
    _upload(app, "seven.png", saved(picture))
    app.toggle(key="_own_digit_center").set_value(False).run()
    app.button(key="use-digit").click().run()
    ink = decode_ink(app.query_params["ink"])
    rows = np.flatnonzero(ink.any(axis=1))
    assert np.ptp(rows) + 1 < 20


def _ink(app: AppTest) -> ByteArray:
    """The digit that all pages are about, once it is used."""
    app.button(key="use-digit").click().run()
    assert not app.exception
    return decode_ink(app.query_params["ink"])


def test_what_the_network_takes_is_taken_as_it_is(app: AppTest) -> None:
    random = np.random.default_rng(0)
    digit = np.clip(load_mnist().test.images[3] + random.integers(0, 52, (28, 28)), 0, 255)
    _upload(app, "attacked.png", saved(digit.astype(np.uint8)))
    assert app.radio[0].options == ["As it is", "Redraw as a photograph"]
    assert not app.toggle
    np.testing.assert_array_equal(_ink(app), digit)


def test_dark_ink_is_turned_over_when_asked_and_redrawn_when_asked(app: AppTest) -> None:
    digit = 255 - load_mnist().test.images[3]
    _upload(app, "dark.png", saved(digit))
    assert app.radio[0].value == "As it is"
    assert "turn it over" in text_of(app)
    app.radio[0].set_value("Redraw as a photograph").run()
    assert app.toggle
    app.radio[0].set_value("Turned over").run()
    np.testing.assert_array_equal(_ink(app), 255 - digit)


def test_the_digit_is_chosen_among_those_on_the_sheet(app: AppTest) -> None:
    page = np.full((300, 400), 230, np.uint8)
    page[40:260, 60:75] = 40  # a 1
    page[40:60, 200:320] = page[60:260, 305:320] = 40  # a 7
    page[150:160, 120:130] = 40  # a speck
    _upload(app, "sheet.png", saved(page))
    assert "2 digits found" in text_of(app)
    assert "dark ink on bright paper" in text_of(app)
    assert "left out, with a thin box: 1 piece" in text_of(app)
    assert "of 255 may count as paper" in text_of(app)
    which = next(each for each in app.button_group if each.label == "Which digit")
    which.set_value(2).run()
    assert np.ptp(np.flatnonzero(_ink(app).any(axis=0))) > 8  # a 1 is narrow


def test_faint_pixels_are_told_and_the_other_way_is_open(app: AppTest) -> None:
    _upload(app, "faint.png", saved(load_mnist().test.images[3] // 16))
    assert ["Too faint: the darkest pixel" in error.value for error in app.error] == [True]
    assert "Redraw as a photograph" in app.error[0].value
    assert "thicker strokes" not in app.error[0].value
    assert app.button(key="use-digit").disabled
    app.radio[0].set_value("Redraw as a photograph").run()
    assert not app.error
    assert _ink(app).max() > 200


def test_a_transparent_picture_of_nothing_is_not_answered(app: AppTest) -> None:
    _upload(app, "clear.png", saved(Image.new("RGBA", (28, 28))))
    assert ["Nothing to see" in error.value for error in app.error] == [True]
    assert app.button(key="use-digit").disabled


def test_a_file_s_own_words_are_shown_as_text(app: AppTest) -> None:
    words = "![](https://example.org/a.png) **bold** $x$"
    _upload(app, "told.png", png(load_mnist().test.images[3], {"model": words, "image": 3}))
    assert app.code[-1].value == f"model: {words}\nimage: 3"
    assert words not in text_of(app)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "The file is empty"),
        (b"hello", "neither a PNG nor a JPEG"),
        (saved(np.zeros((50, 50), np.uint8))[:60], "damaged or cut off"),
        (saved(np.full((300, 300), 200, np.uint8)), "No digit stands out"),
        (saved(np.zeros((1, 1), np.uint8)), "too few"),
    ],
)
def test_a_bad_file_gets_one_sentence(app: AppTest, file: bytes, sentence: str) -> None:
    _upload(app, "bad.png", file)
    assert not app.exception
    assert [sentence in error.value for error in app.error] == [True]
    assert not [button for button in app.button if button.key == "use-digit"]
