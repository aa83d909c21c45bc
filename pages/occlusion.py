"""Hide a block of the digit, everywhere, and see where the network looks (experiment E6)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header(
    "Occlusion", "Which part of the {noun} does the network rely on? Hide it, and watch."
)
with st.skeleton(height=600):
    from ui.views.occlusion import page as occlusion

    classifier = choice.classifier()
occlusion.explore(classifier, choice)
