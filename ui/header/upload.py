"""What a visitor's file holds: read once, and shown before it is taken."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.arrays import ByteArray
from core.data.photograph import Photograph, read_photograph
from core.data.pictures import MAX_BYTES, Picture, read_picture
from ui import theme
from ui.figures import tiles
from ui.figures.found import found
from ui.show import error_box
from ui.show import picture as show_picture
from ui.visitor import state

_AS_IT_IS, _TURNED, _REDRAWN = "As it is", "Turned over", "Redraw as a photograph"
_EVERYTHING = "Everything"


@dataclass(frozen=True, eq=False)
class Taken:
    """What the network shall read: ink uint8 [h, w], or exactly these pixels [28, 28]."""

    ink: ByteArray
    exact: bool


def picture(number: int) -> Picture | None:
    """The picture in the file that dialog `number` has got; None, and a sentence, without one."""
    file = st.file_uploader(
        "Photograph of one digit or several",
        ["png", "jpg", "jpeg"],
        max_upload_size=MAX_BYTES // 2**20,
        key=f"photograph-{number}",
    )
    if file is None:
        st.caption(
            "PNG or JPEG. A thick pen on plain paper reads best; bright ink on dark is turned. "
            "Gray pictures of 28 × 28 pixels can be taken as they are. The file is read, not kept."
        )
        return None
    kept = st.session_state.get(state.UPLOAD)
    if kept is None or kept[0] != file.file_id:
        kept = st.session_state[state.UPLOAD] = file.file_id, _read(file.getvalue())
    if isinstance(kept[1], Picture):
        return kept[1]
    error_box(kept[1])
    return None


def _read(data: bytes) -> Picture | str:
    try:
        with st.spinner("Reading the picture"):
            return read_picture(data)
    except ValueError as error:
        return str(error)


def take(seen: Picture) -> Taken | None:
    """Show the picture and what was found on it; what shall be read of it, None if nothing can."""
    way = _way(seen) if seen.exact is not None else _REDRAWN
    if seen.exact is None or way == _REDRAWN:
        taken: Taken | None = _photograph(seen)
    else:
        taken = Taken(seen.exact if way == _AS_IT_IS else 255 - seen.exact, True)
        _plain(seen)
    if seen.notes:
        st.caption(" ".join(seen.notes))
    _about(seen)
    return taken


def _way(seen: Picture) -> str:
    offered = [_AS_IT_IS, *([_TURNED] if seen.dark_on_light else []), _REDRAWN]
    way: str = st.radio(
        "28 × 28 gray pixels: what the network reads",
        offered,
        key=f"_way-{st.session_state[state.UPLOAD][0]}",
        help="As it is: every pixel to the last level. Redrawn: its paper is taken away, and the "
        "ink drawn anew, which removes what an attack has added.",
    )
    if way == _AS_IT_IS and seen.dark_on_light:
        st.caption("Its border is light. MNIST’s digits are bright on dark: turn it over?")
    return way


def _photograph(seen: Picture) -> Taken | None:
    try:
        photograph = read_photograph(seen.gray)
    except ValueError as error:
        _plain(seen)
        error_box(error)
        return None
    chosen = _digit(photograph)
    pixels = found(seen.gray, photograph.sheet, chosen, theme.palette())
    show_picture(pixels, width="stretch", alt="The photograph, with a box around each digit")
    st.markdown(_finding(photograph))
    if photograph.uneven:
        st.caption(
            "The light on the paper is very uneven: at the edge of a shadow ink may be missing, or "
            "the edge itself be taken for ink. Compare what the network reads with the picture, or "
            "photograph it in even light."
        )
    return Taken(photograph.digit(chosen), False)


def _digit(photograph: Photograph) -> int | None:
    """The digit to read, counted from 0; None for all ink."""
    count, more = len(photograph.sheet.digits), len(photograph.sheet.left_out)
    if count + more == 1:
        return 0
    chosen = st.pills(
        "Which digit",
        [*range(1, count + 1), _EVERYTHING],
        default=1,
        required=True,
        key=f"_digit-{st.session_state[state.UPLOAD][0]}",
    )
    return None if chosen == _EVERYTHING else int(chosen) - 1


def _finding(photograph: Photograph) -> str:
    count, more = len(photograph.sheet.digits), len(photograph.sheet.left_out)
    digits = "One digit" if count == 1 else f"{count} digits"
    ink = "bright ink on dark" if photograph.bright else "dark ink on bright"
    low, high = photograph.paper
    paper = f"{low}" if low == high else f"{low} to {high}"
    left_out = f"; left out, with a thin box: {more} {'piece' if more == 1 else 'pieces'}"
    return (
        f"**{digits} found** :gray[· {ink} paper of brightness {paper} of 255"
        f"{left_out if more else ''}; marks fainter than {photograph.faintest} of 255 may count as "
        "paper]"
    )


def _plain(seen: Picture) -> None:
    pixels = np.rint(seen.gray).astype(np.uint8)
    scale = max(1, 560 // max(pixels.shape))
    rgb = tiles.enlarge(pixels[..., None].repeat(3, axis=2), scale)
    show_picture(rgb, width="stretch", alt="The picture")


def _about(seen: Picture) -> None:
    if seen.about:
        st.caption("What the file says of itself:")
        told = "\n".join(f"{name}: {value}" for name, value in seen.about.items())
        st.code(told, language=None, wrap_lines=True)
