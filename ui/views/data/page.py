"""The parts of the data page: the sets that are here, and one that a visitor brings."""

import streamlit as st

from core.data.dataset import Dataset
from core.data.reading.read import Examined
from ui import text
from ui.controls.columns import result_and_settings
from ui.show import error_box
from ui.views.data import bring, shown
from ui.visitor import own_sets

_PROBLEM = "_data_problem"


def sets() -> None:
    """What networks can be trained on here."""
    st.markdown("**Data sets that are here**")
    for key, source in own_sets.here().items():
        spec = source.spec
        row = st.container(horizontal=True, vertical_alignment="center", border=True)
        with row:
            st.markdown(
                f"**{text.literal(spec.name)}** :gray[· {spec.training_images:,} training and "
                f"{spec.test_images:,} test images of {spec.side} × {spec.side} pixels, "
                f"{'gray' if spec.channels == 1 else 'in color'}, {len(spec.classes)} classes]",
                width="stretch",
            )
            if st.button("Train on it", key=f"train-on-{key}", icon=":material/model_training:"):
                st.switch_page("pages/training.py", query_params={"set": key})
            if key in own_sets.brought():
                st.button("Remove", key=f"remove-{key}", on_click=own_sets.remove, args=[key])


def own() -> None:
    """Files, how they are understood, and the button that makes them a choice."""
    left, right = result_and_settings()
    with left, st.container(border=True):
        st.markdown("**Bring a set** :gray[· images with labels, in the file as you have it]")
        held = bring.files()
    if held is None:
        return
    with right, st.container(border=True):
        known = bring.overruled()
    with left:
        found = bring.examined(*held, known)
        if found is not None:
            _understood(found)


def _understood(found: Examined) -> None:
    with st.container(border=True):
        shown.findings(found)
        _use(found.dataset)
    with st.container(border=True):
        shown.orientation(found.dataset)
        shown.samples(found.dataset)
    with st.container(border=True):
        shown.counts(found.dataset)
        shown.duplicates(found)


def _use(dataset: Dataset) -> None:
    here = dataset.spec.key in own_sets.brought()
    st.button(
        "It is here" if here else "Use this set",
        key="use-set",
        type="primary",
        icon=":material/check:",
        disabled=here,
        on_click=_keep,
        args=[dataset],
    )
    if problem := st.session_state.pop(_PROBLEM, ""):
        error_box(problem)


def _keep(dataset: Dataset) -> None:
    try:
        own_sets.keep(dataset)
    except ValueError as error:
        st.session_state[_PROBLEM] = str(error)
