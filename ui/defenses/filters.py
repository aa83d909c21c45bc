"""Filters in front of the network (E12): what each does to a clean, an attacked, a noisy digit."""

import streamlit as st

from core.classifier import Classifier
from core.defenses.filters import KINDS
from ui.header import Choice


def show(choice: Choice, classifier: Classifier) -> None:
    """Every filter with its gradient."""
    for kind in KINDS.values():
        st.markdown(f"**{kind.label}** :gray[· gradient {kind.gradient}] {kind.summary}")
