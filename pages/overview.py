"""What this is: one digit all the way through a network, and the models on the shelf."""

from ui.navigation import guard

guard()

import streamlit as st

from core import walkthrough
from ui import compute, overview, theme
from ui.header import header

choice = header(
    "Train a network, see what it sees",
    "A convolutional network small enough to understand, on a laptop's processor.",
)
palette = theme.palette()

try:
    shown = walkthrough.read(walkthrough.SHIPPED_FILE)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

place = st.container()
shipped = compute.shipped_cards().get(walkthrough.SHIPPED_MODEL)
same = shipped is not None and shown.version == shipped.version
first = choice.image.number == walkthrough.SHIPPED_IMAGE
if not (same and first and choice.model == shipped.name):
    with place, st.skeleton(height=640):
        shown = walkthrough.walk_through(choice.classifier(), choice.image.pixels)
with place:
    overview.reading(shown, choice, palette)
    overview.strip(shown, palette)

st.subheader("On the shelf", anchor=False)
overview.shelf()
overview.links()
