"""What the network says of the test images, and which it gets wrong (experiment E3)."""

from ui.navigation import guard

guard()

import streamlit as st

from ui import compute, predictions
from ui.header import header

choice = header("Predictions", "What does it get right, what does it get wrong, and how surely?")
with st.skeleton(height=600):
    classifier = choice.classifier()
    evaluation = compute.test_evaluation(classifier)
predictions.browse(evaluation, choice)
