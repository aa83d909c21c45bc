"""What every channel responds to, and the arithmetic behind any one number (experiment E5)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header

choice = header(
    "Feature maps", "What does each channel respond to? Point at a pixel and read its arithmetic."
)
with st.skeleton(height=800):
    classifier = choice.classifier()
    from ui.views.feature_maps import page as feature_maps  # TensorFlow comes with them
    from ui.views.feature_maps import surgery
feature_maps.inspect(choice, classifier)
surgery.operate(choice, classifier)
feature_maps.downloads(choice, classifier)
