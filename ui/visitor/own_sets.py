"""The data sets that are here for this visitor: those that ship, and those brought in the session.

All visitors together have one budget of memory for what they bring.
"""

import threading
import weakref

import streamlit as st

from core.data.dataset import Dataset
from core.data.reading.contents import MOST_PIXEL_BYTES
from core.data.sets import SETS, Source

_BROUGHT = "_brought"
MOST_BROUGHT = 3  # of one visitor


@st.cache_resource(show_spinner=False)
def _living() -> "weakref.WeakValueDictionary[str, Dataset]":
    """Every set that some visitor has brought, by key, for as long as anything uses it."""
    return weakref.WeakValueDictionary()


@st.cache_resource(show_spinner=False)
def _keeping() -> threading.Lock:
    return threading.Lock()


def brought() -> dict[str, Dataset]:
    """The sets of this visitor by key, in the order in which they came."""
    found: dict[str, Dataset] = st.session_state.setdefault(_BROUGHT, {})
    return found


def here() -> dict[str, Source]:
    """All sets that can be chosen, by key, those that ship first."""
    own = {key: Source(each.spec, lambda each=each: each) for key, each in brought().items()}
    return SETS | own


def admit(key: str) -> str:
    """The key of a set that is here, as a link has it. Raises ValueError with one sentence."""
    if key not in here():
        raise ValueError(
            "That data set lives in the session that it was brought to, and is not in this one: "
            "bring its file again on the page Data."
        )
    return key


def title(key: str) -> str:
    """What pickers call a set: a brought one by its key, which tells its content."""
    return SETS[key].spec.name if key in SETS else key


def keep(dataset: Dataset) -> None:
    """Make a set a choice of this visitor. Raises ValueError with one sentence on too much."""
    if dataset.spec.key in brought():
        return
    if len(brought()) >= MOST_BROUGHT:
        raise ValueError(f"You have brought {MOST_BROUGHT} sets: remove one of them first.")
    with _keeping():
        living = _living()
        used = sum(_size(each) for each in living.values())
        if dataset.spec.key not in living and used + _size(dataset) > MOST_PIXEL_BYTES:
            raise ValueError(
                f"What visitors have brought takes {used / 1e6:,.0f} of "
                f"{MOST_PIXEL_BYTES / 1e6:.0f} MB here, and this set {_size(dataset) / 1e6:,.0f}: "
                "bring fewer images, or try again later."
            )
        brought()[dataset.spec.key] = living.setdefault(dataset.spec.key, dataset)


def remove(key: str) -> None:
    """Let a set go; runs that were trained on it keep it for as long as they stay."""
    brought().pop(key, None)


def _size(dataset: Dataset) -> int:
    return sum(split.images.nbytes for split in (dataset.train, dataset.test))
