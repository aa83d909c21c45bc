"""The one line in front of all work that a visitor waits for, and what is seen of it."""

import contextlib
import math
from collections.abc import Iterator

import streamlit as st

from core.line import Line, Place
from ui import text

_line = Line()


@contextlib.contextmanager
def in_line(what: str, units: float, guess: float) -> Iterator[None]:
    """Go on when it is this visitor's turn, who sees the place in the line until then.

    Arguments as of `Line.place`. A new wish of the visitor ends this run, and gives the place up.
    """
    with _line.place(what, units, guess) as place:
        while not _line.comes(place, 0.0):
            _show(what, place)
        yield


def _show(what: str, place: Place) -> None:
    """Say where in the line it stands, until that changes or 2 s have passed.

    Where the spinner ends, the run ends if the visitor has asked for something else meanwhile.
    """
    said = _sentence(what, place)
    with st.spinner(said):
        for _ in range(4):
            if _line.comes(place, 0.5) or _sentence(what, place) != said:
                return


def _sentence(what: str, place: Place) -> str:
    ahead, seconds = _line.ahead(place), max(1, math.ceil(_line.wait_of(place)))
    where = "is next" if not ahead else f"waits, number {ahead + 1} in the line"
    return f"{what} {where}: about {text.duration(seconds)}."
