"""The tray: labeled images from all pages, to be trained on (Training page)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.data.spec import MNIST
from core.training.tray import Tray
from ui import text
from ui.visitor import images as chosen_images
from ui.visitor import state

_WANTED = "as wanted"
_LOOK: Mapping[str, Any] = {
    "label": "To the tray", "type": "tertiary", "icon": ":material/inbox:",
}  # fmt: skip


def tray() -> Tray:
    """This visitor's tray of the data set that the chosen model reads."""
    spec = chosen_images.spec()
    key = state.TRAY if spec == MNIST else f"{state.TRAY}-{spec.key}"
    found: Tray = st.session_state.setdefault(key, Tray(spec))
    return found


def button(
    images: FloatArray,
    labels: Sequence[int | None],
    source: str,
    *,
    key: str,
    wanted: Sequence[int | None] | None = None,
    originals: Sequence[int | None] | None = None,
) -> None:
    """“To the tray” for images float32 [n, …], of attacked ones with the true classes.

    Where a label is missing it is asked for; `wanted` are the classes that they were made for,
    which may be taken as labels. originals: the numbers of the test images that they were made
    from, by which a round of training is not scored. Outside of popovers only.
    """
    if not len(images):
        return
    known = [label for label in labels if label is not None]
    if len(known) == len(images):
        why = (
            f"{_count(len(images))} with the true class, to train on later: “Fool it, "
            "retrain, fool it again” on the Training page."
        )
        if st.button(**_LOOK, key=key, help=why):  # no callback: within a fragment it must not draw
            _put(images, known, source, originals)
        return
    with st.popover(**_LOOK, key=f"{key}-popover"):
        ask(images, labels, source, key=key, wanted=wanted, originals=originals)


def ask(
    images: FloatArray,
    labels: Sequence[int | None],
    source: str,
    *,
    key: str,
    wanted: Sequence[int | None] | None = None,
    originals: Sequence[int | None] | None = None,
) -> None:
    """The same in place: which class the images without a label shall be learned as."""
    names = chosen_images.spec().classes
    offered = list(names)
    made = [w if label is None else label for w, label in zip(wanted or [], labels, strict=False)]
    if len(made) == len(images) and None not in made:
        offered.insert(0, _WANTED)
    chosen = st.pills(
        "Learn as" if len(images) == 1 else f"Learn the {len(images)} as",
        offered,
        format_func=text.literal,
        key=f"{key}-label",
        help="The label that training will use. Nobody has written one down for "
        f"{'this image' if len(images) == 1 else 'these images'}.",
    )
    if chosen == _WANTED:
        given = [int(each) for each in made if each is not None]
    else:
        own = names.index(chosen) if chosen else 0
        given = [own if label is None else label for label in labels]
    if st.button(**_LOOK, key=key, disabled=chosen is None):
        _put(images, given, source, originals)


def _put(
    images: FloatArray,
    labels: Sequence[int],
    source: str,
    originals: Sequence[int | None] | None,
) -> None:
    try:
        clipped = np.clip(np.asarray(images, np.float32), 0, 1)
        count = tray().add(clipped, labels, source, originals)
    except ValueError as error:
        st.toast(text.literal(error), icon=":material/error:")
        return
    there = f"the tray holds {_count(len(tray()))}"
    st.toast(f"{_count(count)} added: {there}." if count else f"Already in: {there}.")


def _count(number: int) -> str:
    return f"{number} image{'' if number == 1 else 's'}"
