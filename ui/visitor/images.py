"""The images that a visitor has chosen: test images by number, or one of their own making.

They are of the data set that the chosen model reads. All of it sits in the URL: `image` is a test
image's number, `more` lists the numbers of others beside it, and `ink` holds the pixels of a drawn
or uploaded digit, which goes before `image` where the data set is MNIST.
"""

import base64
import binascii
import functools
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.arrays import ByteArray, FloatArray, to_float
from core.data.centering import check_visible
from core.data.spec import MNIST, DatasetSpec
from ui import text
from ui.visitor import compute, link, state
from ui.visitor.parameters import Number, Text

MAX_MORE = 9
_MAX_INK = 1_200  # characters: 784 pixels that cannot be compressed take 1,070


@dataclass(frozen=True)
class ChosenImage:
    """Test image `number` of a data set, or an own digit of which `ink` is the text in the URL."""

    number: int | None = None
    ink: str = ""
    spec: DatasetSpec = MNIST

    @property
    def key(self) -> str:
        """Tells it from every other image."""
        own = "" if self.spec == MNIST else f"{self.spec.key} "
        return self.ink or f"{own}{self.number}"

    @property
    def title(self) -> str:
        """“Test image 8” or “Your digit”."""
        return f"Your {self.spec.noun}" if self.number is None else f"Test image {self.number}"

    @property
    def label(self) -> int | None:
        """The true class; None for an own digit, whose class nobody has written down."""
        return None if self.number is None else int(compute.test_labels(self.spec)[self.number])

    @property
    def kind(self) -> str:
        """“a 5”, for titles; “no label” for an own digit."""
        return "no label" if self.label is None else text.a(self.spec.classes[self.label])

    @property
    def named(self) -> str:
        """“this 5”, inside a sentence; “your digit” of an own digit."""
        return self.title.lower() if self.label is None else f"this {self.spec.classes[self.label]}"

    @functools.cached_property
    def pixels(self) -> ByteArray:
        """Uint8 [side, side], 255 is ink; of colors [side, side, 3]."""
        if self.number is None:
            return decode_ink(self.ink)
        return compute.test_split(self.spec).images[self.number]

    @property
    def floats(self) -> FloatArray:
        """Float32 [1, side, side, channels] in [0, 1]."""
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
        pixels = unpacker.decompress(packed, math.prod(MNIST.shape) + 1)
    except (binascii.Error, zlib.error, ValueError):
        raise ValueError("The link's digit cannot be read: draw it again.") from None
    if len(pixels) != math.prod(MNIST.shape):
        raise ValueError("The link's digit is not 28 × 28 pixels: draw it again.")
    image = np.frombuffer(pixels, np.uint8).reshape(MNIST.byte_shape)
    check_visible(image, "Draw the link's digit again.")  # as the dialogs do
    return image


def spec() -> DatasetSpec:
    """The data set of the model that the header has chosen."""
    return compute.spec(st.session_state.get(state.MODEL, state.FIRST_MODEL))


def chosen() -> ChosenImage:
    """The image that the pages are about; the first visit takes it from the link."""
    own = spec()
    if reading := link.read(state.INK, _DIGIT):
        st.session_state[state.INK] = reading.taken[0] if reading.taken else ""
        link.taken_instead(state.INK, ChosenImage(number(), spec=own).title)
    if own == MNIST and (ink := st.session_state.get(state.INK)):
        return ChosenImage(ink=ink)
    return ChosenImage(number(), spec=own)


def more() -> list[ChosenImage]:
    """The other test images chosen, in the order given, each once. Raises ValueError."""
    own = spec()
    typed = link.ahead(state.MORE, others(own)) or st.session_state.get(state.MORE, "")
    main = chosen().number
    return [ChosenImage(each, spec=own) for each in _numbers(typed, own) if each != main]


def number() -> int:
    """The number in the picker; before the widget exists, that of the link.

    The first one where the data set of the model chosen has no image of that number.
    """
    own = spec()
    said = link.ahead(state.IMAGE, _index(own))
    found = int(said or st.session_state.get(state.IMAGE, state.FIRST_IMAGE))
    return found if found < own.test_images else state.FIRST_IMAGE


def _numbers(typed: str, spec: DatasetSpec) -> list[int]:
    """The numbers of test images that a text lists, each once. Raises ValueError."""
    words, index = typed.replace(",", " ").split(), _index(spec)
    for word in words:
        if not index.read((word,)).taken:
            raise ValueError(
                f"“{word}” is no test image: write numbers from 0 to {spec.test_images - 1}."
            )
    if len(words) > MAX_MORE:
        raise ValueError(f"{len(words)} images are chosen: write at most {MAX_MORE}.")
    return list(dict.fromkeys(int(index.text(float(word))) for word in words))


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
    ink = chosen().ink
    link.write(state.INK, (ink,) if ink else None)


def others(spec: DatasetSpec) -> Text:
    """What `more` takes: numbers of test images."""
    return Text(
        lambda typed: _listed(_numbers(typed, spec)),
        f"up to {MAX_MORE} numbers from 0 to {spec.test_images - 1:,}, such as 5, 9, 12",
    )


def _index(spec: DatasetSpec) -> Number:
    return Number(0, spec.test_images - 1, 1, whole=True)


_DIGIT = Text(lambda ink: encode_ink(decode_ink(ink)), "the pixels of a digit")
