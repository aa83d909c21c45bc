"""Hide a block of the digit, everywhere, and see where the network looks (experiment E6)."""

from ui.navigation import guard

guard()

import streamlit as st

from ui.header import header

choice = header(
    "Occlusion", "Which part of the digit does the network rely on? Hide it, and watch."
)
with st.skeleton(height=600):
    from ui import occlusion

    classifier = choice.classifier()
occlusion.explore(classifier, choice)
