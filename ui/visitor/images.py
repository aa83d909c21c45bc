"""The images that a visitor has chosen: test images by number, or one of their own making.

All of it sits in the URL: `image` is a test image's number, `more` lists the numbers of others
beside it, and `ink` holds the pixels of a drawn or uploaded digit, which goes before `image`.
"""

import base64
import binascii
import functools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.arrays import SIDE, ByteArray, FloatArray, to_float
from core.data.centering import check_visible
from ui.visitor import compute, link, state
from ui.visitor.parameters import Number, Text

TEST_IMAGES = 10_000
MAX_MORE = 9
_MAX_INK = 1_200  # characters: 784 pixels that cannot be compressed take 1,070


@dataclass(frozen=True)
class ChosenImage:
    """Test image `number`, or an own digit of which `ink` is the text in the URL."""

    number: int | None = None
    ink: str = ""

    @property
    def key(self) -> str:
        """Tells it from every other image."""
        return self.ink or str(self.number)

    @property
    def title(self) -> str:
        """“Test image 8” or “Your digit”."""
        return "Your digit" if self.number is None else f"Test image {self.number}"

    @property
    def label(self) -> int | None:
        """The true class; None for an own digit, whose class nobody has written down."""
        return None if self.number is None else int(compute.test_labels()[self.number])

    @property
    def kind(self) -> str:
        """“a 5”, for titles; “no label” for an own digit."""
        return "no label" if self.label is None else f"a {self.label}"

    @functools.cached_property
    def pixels(self) -> ByteArray:
        """Uint8 [28, 28], 255 is ink."""
        if self.number is None:
            return decode_ink(self.ink)
        return compute.mnist().test.images[self.number]

    @property
    def floats(self) -> FloatArray:
        """Float32 [1, 28, 28, 1] in [0, 1]."""
        return to_float(self.pixels[np.newaxis])


def encode_ink(pixels: ByteArray) -> str:
    """Pixels uint8 [28, 28] as text for a URL, some 200 characters for a digit."""
    return base64.urlsafe_b64encode(zlib.compress(pixels.tobytes(), 9)).decode().rstrip("=")


def decode_ink(ink: str) -> ByteArray:
    """The inverse of `encode_ink`. Raises ValueError on anything else, or if it shows nothing."""
    if len(ink) > _MAX_INK:
        raise ValueError(f"The link's digit has {len(ink)} characters: draw it again.")
    try:
        packed = base64.urlsafe_b64decode(ink + "=" * (-len(ink) % 4))
        unpacker = zlib.decompressobj()
        pixels = unpacker.decompress(packed, SIDE * SIDE + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise ValueError("The link's digit cannot be read: draw it again.") from None
    if len(pixels) != SIDE * SIDE:
        raise ValueError("The link's digit is not 28 × 28 pixels: draw it again.")
    image = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
    check_visible(image, "Draw the link's digit again.")  # as the dialogs do
    return image


def chosen() -> ChosenImage:
    """The image that the pages are about; the first visit takes it from the link."""
    if reading := link.read(state.INK, _DIGIT):
        st.session_state[state.INK] = reading.taken[0] if reading.taken else ""
        link.taken_instead(state.INK, ChosenImage(number()).title)
    if ink := st.session_state.get(state.INK):
        return ChosenImage(ink=ink)
    return ChosenImage(number())


def more() -> list[ChosenImage]:
    """The other test images chosen, in the order given, each once. Raises ValueError."""
    typed = link.ahead(state.MORE, OTHERS) or st.session_state.get(state.MORE, "")
    main = chosen().number
    return [ChosenImage(each) for each in _numbers(typed) if each != main]


def number() -> int:
    """The number in the picker; before the widget exists, that of the link."""
    said = link.ahead(state.IMAGE, _INDEX)
    return int(said or st.session_state.get(state.IMAGE, state.FIRST_IMAGE))


def _numbers(typed: str) -> list[int]:
    """The numbers of test images that a text lists, each once. Raises ValueError."""
    words = typed.replace(",", " ").split()
    for word in words:
        if not _INDEX.read((word,)).taken:
            raise ValueError(f"“{word}” is no test image: write numbers from 0 to 9999.")
    if len(words) > MAX_MORE:
        raise ValueError(f"{len(words)} images are chosen: write at most {MAX_MORE}.")
    return list(dict.fromkeys(int(_INDEX.text(float(word))) for word in words))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def choose(index: int) -> None:
    """Take test image `index` to all pages."""
    st.session_state[state.IMAGE] = int(index)
    st.session_state[state.INK] = ""


def choose_more(indices: list[int]) -> None:
    """Lay other test images beside the chosen one."""
    st.session_state[state.MORE] = _listed(indices)


def choose_ink(pixels: ByteArray) -> None:
    """Take a drawn or uploaded digit uint8 [28, 28] to all pages."""
    st.session_state[state.INK] = encode_ink(pixels)


def leave_ink() -> None:
    """Back from an own digit to the test images."""
    st.session_state[state.INK] = ""


def write_link() -> None:
    """Bring `ink` in the URL up to date; the other two are bound to their widgets."""
    ink = st.session_state.get(state.INK)
    link.write(state.INK, (ink,) if ink else None)


_INDEX = Number(0, TEST_IMAGES - 1, 1, whole=True)
OTHERS = Text(
    lambda typed: _listed(_numbers(typed)),
    f"up to {MAX_MORE} numbers from 0 to {TEST_IMAGES - 1:,}, such as 5, 9, 12",
)
_DIGIT = Text(lambda ink: encode_ink(decode_ink(ink)), "the pixels of a digit")
