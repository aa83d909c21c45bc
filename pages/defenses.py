"""Put a defense in front of a network, and attack it with all that an attacker can know."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header("Defenses", "Does a defense help against an attack that knows about it?")
with st.skeleton(height=600):
    from ui.views.defenses import page as defenses

    classifier = choice.classifier()
defenses.show(choice, classifier)
