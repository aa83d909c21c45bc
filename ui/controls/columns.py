"""The two columns of a page: what came out, and the settings beside it."""

from typing import Any

import streamlit as st


def result_and_settings() -> Any:
    """A wide column and a narrow one; on a phone the settings come below the result."""
    return st.columns([3.5, 1], gap="medium")
