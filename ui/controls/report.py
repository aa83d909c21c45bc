"""The button that sets a page as the report had it."""

from collections.abc import Callable

import streamlit as st


def as_in_the_report(
    key: str, apply: Callable[[], object], help: str, *, width: str = "content"
) -> None:
    """`apply` sets everything as the report had it; `help` says what that was."""
    st.button(
        "As in the report",
        key=key,
        type="tertiary",
        icon=":material/history_edu:",
        on_click=apply,
        help=help,
        width=width,
    )
