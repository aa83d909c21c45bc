"""What every channel responds to, and the arithmetic behind any one number (experiment E5)."""

from ui.navigation import guard

guard()

import streamlit as st

from ui.header import header

choice = header(
    "Feature maps", "What does each channel respond to? Point at a pixel and read its arithmetic."
)
with st.skeleton(height=800):
    classifier = choice.classifier()
    from ui import feature_maps, surgery  # TensorFlow comes with them
feature_maps.inspect(choice, classifier)
surgery.operate(choice, classifier)
feature_maps.downloads(choice, classifier)
