"""Train a network, watch it learn, rewind it, and lay runs over each other (experiments E1, E2)."""

from ui.navigation import guard

guard()

import streamlit as st  # noqa: E402

from ui import rewind, training, training_settings  # noqa: E402
from ui.header import header  # noqa: E402

choice = header("Training", "Watch a small network learn; stop it, rewind it, lay runs over each other.")
result, controls = st.columns([3.5, 1], gap="medium")
with controls:
    training.run_controls()
    architecture = training_settings.show()
    training.run_list()
with result:
    training.watch()
rewind.show(choice)
training_settings.design(architecture)
training.claim()
training.downloads()
