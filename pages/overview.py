"""What this is: one digit all the way through a network, and the models on the shelf."""

from ui.header.navigation import guard

guard()

import streamlit as st

from core.zoo import walkthrough
from ui import theme
from ui.header.row import header
from ui.views.overview import page as overview

choice = header(
    "Train a network, see what it sees",
    "A convolutional network small enough to understand, on a laptop's processor.",
)
palette = theme.palette()

place = st.container()
shown = overview.at_once(choice)
if shown is None:
    with place, st.skeleton(height=640):
        shown = walkthrough.walk_through(choice.classifier(), choice.image.pixels)
with place:
    bars = overview.reading(shown, choice, palette)
    overview.strip(shown, choice.spec, palette)

st.subheader("On the shelf", anchor=False)
shelf = st.container()
overview.links()
with bars:
    overview.bars(shown, choice, palette)
with shelf:
    overview.shelf()
