"""Which pixels raise or lower the logit of a class, and whether such a map can be trusted."""

from ui.navigation import guard

guard()

import streamlit as st

from ui.header import header

choice = header("Attribution", "Which pixels speak for the class? And can the map be trusted?")
with st.skeleton(height=600):
    from ui import attribution

    classifier = choice.classifier()
attribution.explain(classifier, choice)
