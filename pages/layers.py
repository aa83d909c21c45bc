"""Every layer of the network, counted from the model itself (experiment E4)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from core.data.spec import MNIST
from ui import theme
from ui.controls import layer_table
from ui.header.row import header
from ui.views.layers import page as layers

choice = header("Layers", "What is the network made of, and where do its numbers sit?")
palette = theme.palette()
with st.skeleton(height=600):
    classifier = choice.classifier()
    rows = layer_table.table_of(classifier)
with st.container(border=True):
    layer_table.drawing(rows, palette)
with st.container(border=True):
    layers.table(rows)
with st.container(border=True):
    layers.through(classifier, choice, palette)
if choice.spec == MNIST:
    with st.container(border=True):
        layers.reported_beside_computed()
layers.downloads(rows)
