"""A visitor's files: read once, understood as often as something is overruled."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from core.data.reading.contents import Contents
from core.data.reading.levels import RANGES
from core.data.reading.pictures import LARGEST
from core.data.reading.read import Examined, Overruled, contents_of, understood
from core.data.spec import MIN_SIDE, MNIST
from ui.show import error_box

_READ = "_data_read"  # the files that were read last, and what they hold
_FOUND = "As found"
_INK = {_FOUND: None, "Exchanged": True, "As they are": False}


@dataclass(frozen=True)
class _Read:
    key: str
    contents: Contents | str


def files() -> tuple[str, Contents] | None:
    """The name and contents of what is in the uploader; None, and a sentence, without any."""
    chosen = st.file_uploader(
        "Files", accept_multiple_files=True, key="own-set", label_visibility="collapsed"
    )
    if not chosen:
        st.caption(
            "NPZ or NPY, IDX (also .gz), CSV, Parquet, MATLAB, HDF5, or a ZIP of folders of "
            "pictures; several files that belong together at once. Square images of 8 to 64 "
            "pixels, gray or in color (others are resized), 2 to 50 classes. They stay in this "
            "session, and nothing in them is run."
        )
        return None
    held = {file.name: file.getvalue() for file in chosen}
    key = hashlib.sha256(b"".join(n.encode() + d for n, d in sorted(held.items()))).hexdigest()
    kept: _Read | None = st.session_state.get(_READ)
    if kept is None or kept.key != key:
        with st.spinner("Reading the files"):
            kept = st.session_state[_READ] = _Read(key, _contents(held))
    if isinstance(kept.contents, str):
        error_box(kept.contents)
        return None
    return chosen[0].name, kept.contents


def _contents(held: dict[str, bytes]) -> Contents | str:
    try:
        return contents_of(held)
    except ValueError as error:
        return str(error)


def overruled() -> Overruled:
    """What the visitor knows better; as little in the link as the files themselves."""
    st.markdown("**Overrule**")
    levels = st.selectbox(
        "Range of the numbers", (_FOUND, *RANGES), key="own-range", help="What becomes 0 to 255."
    )
    ink = st.selectbox(
        "0 and 255", tuple(_INK), key="own-ink", help="The background is 0, and ink 255."
    )
    transposed = st.toggle("Exchange rows and columns", key="own-transposed")
    resized = st.toggle("Another size", key="own-resized")
    side = st.slider(
        "Pixels a side", MIN_SIDE, LARGEST, MNIST.side, key="own-side", disabled=not resized
    )
    seed = st.number_input(
        "Seed of the test part",
        0,
        9_999,
        0,
        key="own-seed",
        help="Where a set has no test part, one image of six is held out.",
    )
    return Overruled(
        levels="" if levels == _FOUND else levels,
        inverted=_INK[ink],
        transposed=transposed,
        side=int(side) if resized else None,
        seed=int(seed),
    )


def examined(name: str, contents: Contents, known: Overruled) -> Examined | None:
    """How the files are understood; None, and a sentence, if they are no set of images."""
    try:
        with st.spinner("Looking at the images"):
            return understood(contents, name, known)
    except ValueError as error:
        error_box(error)
        return None
