"""The button that sets a page as the report had it."""

from collections.abc import Callable

import streamlit as st

from core.data.spec import MNIST
from ui.visitor import images


def as_in_the_report(
    key: str, apply: Callable[[], object], help: str, *, width: str = "content"
) -> None:
    """`apply` sets everything as the report had it; `help` says what that was.

    Nothing where the chosen model reads another data set than the report's.
    """
    if images.spec() != MNIST:
        return
    st.button(
        "As in the report",
        key=key,
        type="tertiary",
        icon=":material/history_edu:",
        on_click=apply,
        help=help,
        width=width,
    )
