"""The dialogs in which a visitor makes an image: on a pad, or of a photograph.

The header calls `show` on every page before TensorFlow is loaded, so what is heavy is imported when
a dialog is open.
"""

from typing import TYPE_CHECKING

import streamlit as st

from ui import compute, images, theme

if TYPE_CHECKING:
    from core.data import ByteArray

_OPEN = "_own_digit"
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
    st.session_state.pop(_OPEN, None)


@st.dialog("Draw a digit", width="medium", icon=":material/draw:", on_dismiss=_close)
def _draw(model: str) -> None:
    from ui import digit_pad

    key = f"digit-pad-{times_opened()}"  # another pad each time, an empty one
    left, right = st.columns([1, 1.15], gap="medium")
    try:
        drawing = digit_pad.drawing(key)
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        drawing = digit_pad.EMPTY
    with left:
        digit_pad.digit_pad(drawing, theme.palette(), key=key)
    with right:
        pixels = _reading(model, drawing.ink)
    _use(pixels)


@st.dialog("Upload a photo", width="medium", icon=":material/add_a_photo:", on_dismiss=_close)
def _upload(model: str) -> None:
    from core.photograph import MAX_BYTES, read_photograph
    from ui.show import picture

    file = st.file_uploader(
        "Photograph of one digit",
        ["png", "jpg", "jpeg"],
        max_upload_size=MAX_BYTES // 2**20,
        key=f"photograph-{times_opened()}",
    )
    if file is None:
        st.caption(
            "PNG or JPEG. A thick pen on plain paper reads best, and one digit that fills the "
            "picture; bright ink on dark is turned over. The file is read and not kept."
        )
        return
    try:
        photograph = read_photograph(file.getvalue())
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    left, right = st.columns([1, 1.15], gap="medium")
    with left:
        picture(photograph.gray[..., None].repeat(3, axis=2), width="stretch", alt="The photograph")
    with right:
        with st.skeleton(height=440):
            compute.classifier(model)
        pixels = _reading(model, photograph.ink)
    _use(pixels)


def _reading(model: str, ink: "ByteArray") -> "ByteArray | None":
    """Show what the model makes of the ink [h, w]; the image uint8 [28, 28] that it has read."""
    from core import centering
    from core.data import to_float
    from ui import digit_reading

    steps, pixels, probabilities, name = None, None, None, ""
    centered = st.session_state.get(_CENTER, True)
    if ink.any():
        try:
            steps = centering.center(ink)
            pixels = steps.centered if centered else centering.squeeze(ink)
        except ValueError as error:
            st.error(str(error), icon=":material/error:")
    if pixels is not None:
        classifier = compute.classifier(model)
        probabilities, name = classifier.probabilities(to_float(pixels[None]))[0], classifier.name
    shown = digit_reading.centering(steps) if centered else digit_reading.squeezing(pixels)
    digit_reading.digit_reading(name, probabilities, shown, theme.palette(), key="digit-reading")
    return pixels


def _use(pixels: "ByteArray | None") -> None:
    from core.data import to_float
    from ui import tray

    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
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
