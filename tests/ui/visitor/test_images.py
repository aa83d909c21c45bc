"""Which image is chosen, and how it sits in the link."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import ByteArray
from core.data.mnist import load_mnist
from ui.visitor import images


def test_ink_travels_through_a_link() -> None:
    pixels = load_mnist().test.images[8]
    ink = images.encode_ink(pixels)
    assert len(ink) < 400
    np.testing.assert_array_equal(images.decode_ink(ink), pixels)


@pytest.mark.parametrize(
    "ink",
    [
        "x",
        "!!!!",
        "AAAA",
        images.encode_ink(np.zeros((28, 27), np.uint8)),
        images.encode_ink(np.zeros((2800, 2800), np.uint8)),
        images.encode_ink(load_mnist().test.images[0])[:-20],
        "é",
    ],
)
def test_other_ink_is_refused(ink: str) -> None:
    with pytest.raises(ValueError, match="draw it again"):
        images.decode_ink(ink)


def test_an_own_digit_in_the_link_is_read(app: AppTest) -> None:
    app.query_params["ink"] = images.encode_ink(load_mnist().test.images[0])
    app.run()
    text = " ".join(element.value for element in app.markdown)
    assert not app.exception
    assert "Model 1 reads 7" in text
    assert "your own digit" in text
    app.button(key="leave-ink").click().run()
    assert "Model 1 reads 2" in " ".join(element.value for element in app.markdown)
    assert "ink" not in app.query_params


def test_mistakes_are_walked_through(app: AppTest) -> None:
    app.run()
    app.button(key="image-mistake").click().run()
    first = app.number_input(key="image").value
    assert "true class" in " ".join(element.value for element in app.markdown)
    app.button(key="image-mistake").click().run()
    assert app.number_input(key="image").value > first
    app.button(key="image-hardest").click().run()
    hardest = app.number_input(key="image").value
    app.button(key="image-hardest").click().run()
    assert app.number_input(key="image").value != hardest
    assert not app.exception


def test_several_images(app: AppTest) -> None:
    app.run()
    app.button(key="image-each").click().run()
    assert len(app.text_input(key="more").value.split(",")) == 9
    app.text_input(key="more").set_value("5, 99999").run()
    assert [error.value for error in app.error] == [
        "“99999” is no test image: write numbers from 0 to 9999."
    ]
    app.button(key="image-none").click().run()
    assert not app.error


def _holding_nothing() -> list[ByteArray]:
    speck = np.zeros((28, 28), np.uint8)
    speck[3, 4] = 3
    return [speck, *(np.full((28, 28), level, np.uint8) for level in (0, 128, 255))]


@pytest.mark.parametrize("pixels", _holding_nothing())
def test_ink_that_shows_nothing_is_refused(pixels: ByteArray) -> None:
    with pytest.raises(ValueError, match="Draw the link's digit again"):
        images.decode_ink(images.encode_ink(pixels))


def test_a_link_whose_ink_shows_nothing_gets_the_default_and_a_notice(app: AppTest) -> None:
    app.query_params["ink"] = images.encode_ink(_holding_nothing()[0])
    app.run()
    assert not app.exception
    assert "your own digit" not in " ".join(element.value for element in app.markdown)
    notice = app.warning[0].value
    assert "Test image 1" in notice
    assert "Too faint" in notice
    assert "Draw the link's digit again" in notice
    assert "ink" not in app.query_params
