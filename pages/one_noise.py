"""One noise, calculated for a few digits, added to all others (experiment E9)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header(
    "One noise, many images",
    "Does a noise that was calculated for one {noun} fool the network on others?",
)
with st.skeleton(height=600):
    from ui.views.one_noise import page as one_noise

    classifier = choice.classifier()
one_noise.explore(choice, classifier)
