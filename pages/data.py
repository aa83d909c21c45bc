"""The data sets that are here, and a visitor's own: understood and shown before they are used."""

from ui.header.navigation import guard

guard()

import streamlit as st

from ui.header.row import header
from ui.views.data import page as data

header("Data", "What do networks learn from? Bring your own images.")
with st.skeleton(height=600):
    data.sets()
    data.own()
