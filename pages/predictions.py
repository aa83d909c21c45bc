"""What the network says of the test images, and which it gets wrong (experiment E3)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.controls import whole_set
from ui.header.row import header
from ui.views.predictions import page as predictions

choice = header("Predictions", "What does it get right, what does it get wrong, and how surely?")
with st.skeleton(height=600):
    asked = whole_set.evaluation(choice.classifier())
    whole_set.known(asked)
if (evaluation := whole_set.outcome(asked)) is not None:
    predictions.browse(evaluation, choice)
