"""The dialogs in which a visitor makes an image: on a pad, or of a photograph.

The header calls `show` on every page before TensorFlow is loaded, so what is heavy is imported when
a dialog is open.
"""

from typing import TYPE_CHECKING

import streamlit as st

from ui import theme
from ui.show import error_box
from ui.visitor import compute, images, state

if TYPE_CHECKING:
    from core.arrays import ByteArray
    from ui.components.digit_reading import mount as digit_reading

_OPEN = "_own_digit"
_REDRAW = "Choose “Redraw as a photograph”, or another file."
_TIMES = "_own_digit_times"
_CENTER = "_own_digit_center"


def open_pad() -> None:
    """Open the pad on the page that follows."""
    _open("pad")


def open_upload() -> None:
    """Open the upload on the page that follows."""
    _open("upload")


def _open(dialog: str) -> None:
    st.session_state[_OPEN] = dialog
    st.session_state[_TIMES] = times_opened() + 1


def times_opened() -> int:
    """How many dialogs this session has seen."""
    return int(st.session_state.get(_TIMES, 0))


def show(model: str) -> None:
    """The dialog that is open, if one is; `model` is the key of the one that reads the digit."""
    match st.session_state.get(_OPEN):
        case "pad":
            _draw(model)
        case "upload":
            _upload(model)


def _close() -> None:
    for key in (_OPEN, state.UPLOAD):
        st.session_state.pop(key, None)


@st.dialog("Draw a digit", width="medium", icon=":material/draw:", on_dismiss=_close)
def _draw(model: str) -> None:
    from ui.components.digit_pad import mount as digit_pad

    key = f"digit-pad-{times_opened()}"  # another pad each time, an empty one
    left, right = st.columns([1, 1.15], gap="medium")
    try:
        drawing = digit_pad.drawing(key)
    except ValueError as error:
        error_box(error)
        drawing = digit_pad.EMPTY
    with left:
        digit_pad.digit_pad(drawing, theme.palette(), key=key)
    with right:
        pixels = _reading(model, drawing.ink)
    _use(pixels)


@st.dialog("Upload a photo", width="medium", icon=":material/add_a_photo:", on_dismiss=_close)
def _upload(model: str) -> None:
    from ui.header import upload

    picture = upload.picture(times_opened())
    if picture is None:
        return
    left, right = st.columns([1, 1.15], gap="medium")
    with left:
        taken = upload.take(picture)
    if taken is None:
        return
    with right:
        with st.skeleton(height=440):
            compute.classifier(model)
        pixels = (_reading_exactly if taken.exact else _reading)(model, taken.ink)
    _use(pixels, exact=taken.exact)


def _reading(model: str, ink: "ByteArray") -> "ByteArray | None":
    """Show what the model makes of the ink [h, w]; the image uint8 [28, 28] that it has read."""
    from core.data import centering
    from ui.components.digit_reading import mount as digit_reading

    steps, pixels = None, None
    centered = st.session_state.get(_CENTER, True)
    if ink.any():
        try:
            steps = centering.center(ink)
            pixels = steps.centered if centered else centering.squeeze(ink)
        except ValueError as error:
            error_box(error)
    if pixels is None:
        steps = None
    shown = digit_reading.centering(steps) if centered else digit_reading.squeezing(pixels)
    _show(model, pixels, shown, empty=not ink.any())
    return pixels


def _reading_exactly(model: str, pixels: "ByteArray") -> "ByteArray | None":
    """The same of an image uint8 [28, 28] as it is."""
    from core.data import centering
    from ui.components.digit_reading import mount as digit_reading

    try:
        centering.check_visible(pixels, _REDRAW, least=centering.LEAST_INK)
    except ValueError as error:
        error_box(error)
        return None
    _show(model, pixels, digit_reading.as_it_is(pixels))
    return pixels


def _show(
    model: str,
    pixels: "ByteArray | None",
    steps: "list[digit_reading.Step]",
    *,
    empty: bool = False,
) -> None:
    from core.arrays import to_float
    from ui.components.digit_reading import mount as digit_reading

    name, probabilities = "Nothing drawn yet" if empty else "Nothing to read", None
    if pixels is not None:
        classifier = compute.classifier(model)
        probabilities, name = classifier.probabilities(to_float(pixels[None]))[0], classifier.name
    digit_reading.digit_reading(name, probabilities, steps, theme.palette(), key="digit-reading")


def _use(pixels: "ByteArray | None", *, exact: bool = False) -> None:
    from core.arrays import to_float
    from ui.controls import tray

    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        if not exact:
            st.toggle(
                "Center it as MNIST does",
                True,
                key=_CENTER,
                help="Off: everything is squeezed to 28 × 28 as it is. The network has only seen "
                "centered digits of one size.",
            )
        used = st.button(
            "Use this digit",
            type="primary",
            icon=":material/check:",
            disabled=pixels is None,
            key="use-digit",
        )
    if pixels is not None:
        tray.ask(to_float(pixels[None]), [None], "own digit", key="own-tray")
    if used and pixels is not None:
        images.choose_ink(pixels)
        _close()
        st.rerun()
