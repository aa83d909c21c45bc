"""Change a digit, or make one of noise, until the network reads what it should not."""

from ui.navigation import guard

guard()

import streamlit as st

from ui.header import header

choice = header(
    "Adversarial", "Change a digit as little as possible until the network reads another."
)
with st.skeleton(height=600):
    from ui import adversarial

    classifier = choice.classifier()
adversarial.show(choice, classifier)
