"""Change a digit, or make one of noise, until the network reads what it should not."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header(
    "Adversarial", "Change a {noun} as little as possible until the network reads another."
)
with st.skeleton(height=600):
    from ui.views.adversarial import page as adversarial

    classifier = choice.classifier()
adversarial.show(choice, classifier)
