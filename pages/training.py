"""Train a network, watch it learn, rewind it, and lay runs over each other (experiments E1, E2)."""

from ui.header.navigation import guard

guard()

import streamlit as st

from core.data.spec import MNIST
from ui.header.row import header
from ui.visitor import compute

choice = header(
    "Training", "Watch a small network learn; stop it, rewind it, lay runs over each other."
)
with st.skeleton(height=600):
    from ui.views.training import design as training_design
    from ui.views.training import files as training_files
    from ui.views.training import result as training
    from ui.views.training import rewind, run_controls, tray_panel

result, controls = st.columns([3.5, 1], gap="medium")
context, network = st.container(), st.container()
with controls:
    run_controls.latest_run()
with network:
    st.subheader("The network of the next run", anchor=False)
    training_design.design()
with controls:
    run_controls.next_run()
with result:
    training.watch()
with context:
    rewind.show(choice)
tray_panel.show(choice)
if choice.spec == MNIST:
    training.claim()
training_files.show()
compute.warm_up_training()
