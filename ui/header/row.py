"""The row on top of every page: title and question, model, image, share."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.arrays import IntArray
from core.data.spec import MNIST
from ui import text
from ui.controls import bound
from ui.header import own_digit
from ui.show import error_box
from ui.visitor import compute, images, link, state
from ui.visitor.choice import Choice, admit, bare_key, gone, model_titles, short_titles
from ui.visitor.images import ChosenImage
from ui.visitor.parameters import Text

if TYPE_CHECKING:
    pass


def header(title: str, question: str) -> Choice:
    """Draw the row and return what is chosen in it; {noun} in the question: what an image is."""
    row = st.container(
        horizontal=True,
        vertical_alignment="bottom",
        horizontal_alignment="distribute",
        key="header",
    )
    with row:
        name = st.container(width="content", gap=None)
    with row, st.container(horizontal=True, width="content", vertical_alignment="bottom"):
        model = _model_picker()
        with name:
            st.title(title, anchor=False)
            st.markdown(f":gray[{question.format(noun=images.spec().noun)}]")
        more = _image_picker()
        with st.container(width="content"):  # a fragment alone takes a whole row
            _share()
    if images.spec() == MNIST:
        own_digit.show(model)
    return Choice(model, images.chosen(), tuple(more))


def _model_picker() -> str:
    titles = model_titles()
    if not titles:
        st.error("No model file can be read: restore assets/models from the repository.")
        st.stop()
    default = next(iter(titles))
    _take_model(default)
    titles = model_titles()
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
    link.write(state.MODEL, None if chosen == default else (chosen,))
    return chosen


def _take_model(default: str) -> None:
    """Choose what the link asks for, or leave what is chosen if it is still there."""
    reading = link.read(state.MODEL, Text(admit, "the key of a model"))
    asked = reading.taken[0] if reading and reading.taken else st.session_state.get(state.MODEL)
    if asked is not None and asked not in model_titles():
        link.note(state.MODEL, (asked,), gone(bare_key(asked)))
        asked = None
    st.session_state[state.MODEL] = asked or default
    link.taken_instead(state.MODEL, short_titles()[asked or default])


def _image_picker() -> list[ChosenImage]:
    """The picker of images; returns those beside the chosen one."""
    image = images.chosen()
    more, problem = [], ""
    try:
        more = images.more()
    except ValueError as error:
        problem = str(error)
    count = f" + {len(more)}" if more else ""
    picker = st.popover(
        f"{image.title} · {text.literal(image.kind)}{count}",
        icon=":material/image_search:",
        key=f"image-popover-{own_digit.times_opened()}",  # a new key closes it behind the dialog
    )
    with picker:
        _by_number()
        _by_class()
        _several(problem)
        if image.spec == MNIST:
            _own()
    images.write_link()
    return more


def _by_number() -> None:
    total = images.spec().test_images
    if images.chosen().number is None:
        st.button(
            f"Back to test image {images.number()}",
            icon=":material/undo:",
            on_click=images.leave_ink,
            key="leave-ink",
        )
    if st.session_state.get(state.IMAGE, 0) >= total:  # of the model chosen before
        st.session_state[state.IMAGE] = images.number()
    bound.number_input(
        "Test image",
        0,
        total - 1,
        state.FIRST_IMAGE,
        1,
        key=state.IMAGE,
        on_change=images.leave_ink,
    )
    index = images.number()
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Previous", on_click=images.choose, args=[(index - 1) % total])
        st.button("Next", on_click=images.choose, args=[(index + 1) % total])
        st.button("Random", icon=":material/shuffle:", on_click=_choose_random, key="image-random")


def _by_class() -> None:
    names = text.literals(images.spec().classes)
    st.pills(
        "The next one of class",
        range(len(names)),
        format_func=names.__getitem__,
        key="_image_class",
        on_change=_choose_next_of_class,
    )
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            "Next mistake",
            on_click=_choose_next_mistake,
            key="image-mistake",
            help="The next test image that the chosen model misreads.",
        )
        st.button(
            "Hardest",
            on_click=_choose_hardest,
            key="image-hardest",
            help="The mistake with the least probable true class; again: the next hardest.",
        )


def _several(problem: str) -> None:
    bound.text_input(
        "Beside it",
        images.others(images.spec()),
        key=state.MORE,
        placeholder="numbers, such as 5, 9, 12",
        help=f"Up to {images.MAX_MORE} other test images, for the pages that show several.",
    )
    if problem:
        error_box(problem)
    with st.container(horizontal=True, gap="xsmall"):
        st.button("One of each class", on_click=one_of_each_class, key="image-each")
        st.button("None", on_click=images.choose_more, args=[[]], key="image-none")


def _own() -> None:
    st.markdown("Or your own")
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Draw a digit", icon=":material/draw:", on_click=own_digit.open_pad, key="draw")
        st.button(
            "Upload a photo",
            icon=":material/add_a_photo:",
            on_click=own_digit.open_upload,
            key="upload-photo",
        )


def _choose_random() -> None:
    images.choose(int(np.random.default_rng().integers(images.spec().test_images)))


def _choose_next_of_class() -> None:
    label = st.session_state["_image_class"]
    st.session_state["_image_class"] = None
    if label is not None:
        _choose_next_of(np.flatnonzero(compute.test_labels(images.spec()) == label))


def _choose_next_mistake() -> None:
    _choose_next_of(np.sort(_mistakes()))


def _choose_hardest() -> None:
    mistakes = list(_mistakes())
    if mistakes:
        now = images.number()
        following = mistakes.index(now) + 1 if now in mistakes else 0
        images.choose(mistakes[following % len(mistakes)])


def _mistakes() -> IntArray:
    """Of the chosen model, the hardest first; none, and why, where nobody has measured them."""
    from ui.controls import whole_set

    model = compute.classifier(st.session_state[state.MODEL])
    evaluation = whole_set.known(whole_set.evaluation(model))
    if evaluation is None:
        st.toast(
            f"The mistakes of {text.literal(model.name)} are not measured yet: see the page "
            "Predictions."
        )
        return np.zeros(0, np.int64)
    return evaluation.mistakes()


def _choose_next_of(indices: IntArray) -> None:
    """The first of the sorted test images behind the chosen one, or the first of all."""
    if len(indices):
        after = indices[indices > images.number()]
        images.choose(int(after[0] if len(after) else indices[0]))


def one_of_each_class() -> None:
    """Lay the first test image of each other class beside the chosen one."""
    labels, own = compute.test_labels(images.spec()), images.chosen().label
    first = [int(np.argmax(labels == label)) for label in np.unique(labels) if label != own]
    images.choose_more(first[: images.MAX_MORE])


@st.fragment
def _share() -> None:
    # Its content is drawn when it is opened: fragments change the link, and do not draw it anew.
    with st.popover("Share", icon=":material/ios_share:", key="share", on_change="rerun") as opened:
        if not opened.open:
            return
        st.markdown("**This link shows the same page with the same settings.**")
        st.code(link.address(), language=None)
        if bare_key(st.session_state.get(state.MODEL, "")) not in compute.shipped_cards():
            st.caption(
                "The model lives in this session only: download its weights on the Training page "
                "to pass it on. Others see the link with Model 1."
            )
