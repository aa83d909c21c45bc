"""What a class, a channel or a unit asks for: images that excite it (experiments E10 and E11)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header("Class images", "What does the network want to see? Start from nothing, and climb.")
with st.skeleton(height=800):
    from ui.views.class_images import page as class_images

    classifier = choice.classifier()
class_images.explore(choice, classifier)
