"""The row on top of every page: title and question, model, image, share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

import numpy as np
import streamlit as st

from core.data import CLASSES
from ui import compute, state, text

if TYPE_CHECKING:
    from core.classifier import Classifier

TEST_IMAGES = 10_000


@dataclass(frozen=True)
class Choice:
    """What the header says: the model's key and the number of a test image."""

    model: str
    image: int

    def classifier(self) -> "Classifier":
        """The chosen model, loaded; one sentence and the end of the run if it cannot be."""
        return compute.classifier(self.model)

    @property
    def label(self) -> int:
        """The true class of the chosen image."""
        return int(compute.test_labels()[self.image])


def header(title: str, question: str) -> Choice:
    """Draw the row and return what is chosen in it."""
    row = st.container(
        horizontal=True,
        vertical_alignment="bottom",
        horizontal_alignment="distribute",
        key="header",
    )
    with row, st.container(width="content", gap=None):
        st.title(title, anchor=False)
        st.markdown(f":gray[{question}]")
    with row, st.container(horizontal=True, width="content", vertical_alignment="bottom"):
        model = _model_picker()
        image = _image_picker()
        _share()
    return Choice(model, image)


def model_titles() -> dict[str, str]:
    """What the picker offers: key → title with test accuracy, shipped models first."""
    titles = {
        key: f"{card.title} · {text.percent(card.test)}"
        for key, card in compute.shipped_cards().items()
    }
    for run in state.runs():
        if run.trained:
            titles[state.run_key(run)] = f"{run.name} · step {run.checkpoints.steps[-1]:,}"
    for key, upload in state.uploads().items():
        titles[key] = f"{upload.card.title} · step {upload.card.steps:,}, {key}"
    return titles


def _model_picker() -> str:
    titles = model_titles()
    if not titles:
        st.error("No model file can be read: restore assets/models from the repository.")
        st.stop()
    default = next(iter(titles))
    asked = st.session_state.get(state.MODEL, st.query_params.get(state.MODEL))
    st.session_state[state.MODEL] = asked if asked in titles else default
    chosen: str = st.selectbox(
        "Model",
        list(titles),
        format_func=titles.__getitem__,
        key=state.MODEL,
        label_visibility="collapsed",
        icon=":material/deployed_code:",
        width=230,
        persist_state="session",
    )
    # Not bound by Streamlit, which would put the title with its accuracy into the link.
    if chosen != default:
        st.query_params[state.MODEL] = chosen
    else:
        st.query_params.pop(state.MODEL, None)
    return chosen


def _image_picker() -> int:
    labels = compute.test_labels()
    index = _image_index()
    title = f"Test image {index} · a {labels[index]}"
    with st.popover(title, icon=":material/image_search:", key="image-popover"):
        st.number_input(
            "Test image",
            0,
            TEST_IMAGES - 1,
            state.FIRST_IMAGE,
            1,
            key=state.IMAGE,
            bind="query-params",
        )
        with st.container(horizontal=True, gap="xsmall"):
            st.button("Previous", on_click=_choose, args=[(index - 1) % TEST_IMAGES])
            st.button("Next", on_click=_choose, args=[(index + 1) % TEST_IMAGES])
            st.button(
                "Random", icon=":material/shuffle:", on_click=_choose_random, key="image-random"
            )
        st.pills(
            "The next one of class",
            range(CLASSES),
            key="_image_class",
            on_change=_choose_next_of_class,
        )
    return index


def _image_index() -> int:
    """The chosen test image; before the widget exists, that of the link."""
    index = st.session_state.get(state.IMAGE, st.query_params.get(state.IMAGE, ""))
    known = str(index).isdecimal() and int(index) < TEST_IMAGES
    return int(index) if known else state.FIRST_IMAGE


def _choose(index: int) -> None:
    st.session_state[state.IMAGE] = int(index)


def _choose_random() -> None:
    _choose(int(np.random.default_rng().integers(TEST_IMAGES)))


def _choose_next_of_class() -> None:
    label = st.session_state["_image_class"]
    st.session_state["_image_class"] = None
    if label is not None:
        of_class = np.flatnonzero(compute.test_labels() == label)
        after = of_class[of_class > st.session_state[state.IMAGE]]
        _choose(int(after[0] if len(after) else of_class[0]))


def _share() -> None:
    with st.popover("Share", icon=":material/ios_share:"):
        st.markdown("**This link shows the same page with the same settings.**")
        parts = urlsplit(st.context.url or "")
        query = urlencode(st.query_params.to_dict())
        st.code(urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")), language=None)
        if st.session_state.get(state.MODEL) not in compute.shipped_cards():
            st.caption(
                "The model lives in this session only: download its weights on the Training page "
                "to pass it on. Others see the link with Model 1."
            )
