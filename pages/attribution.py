"""Which pixels raise or lower the logit of a class, and whether such a map can be trusted."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header("Attribution", "Which pixels speak for the class? And can the map be trusted?")
with st.skeleton(height=600):
    from ui.views.attribution import page as attribution

    classifier = choice.classifier()
attribution.explain(classifier, choice)
