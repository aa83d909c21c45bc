"""Classes to choose from, by their names."""

from collections.abc import Sequence

import streamlit as st

from core.arrays import FloatArray
from core.data.spec import DatasetSpec
from ui import text
from ui.controls import bound
from ui.visitor import link, state
from ui.visitor.choice import Choice

_PREDICTED = "predicted"


def class_picker(choice: Choice, probabilities: FloatArray) -> int:
    """Which class a page explains: the predicted one, or any other; it travels between pages.

    probabilities: float32 [classes] of the chosen image.
    """
    names, predicted = choice.spec.classes, int(probabilities.argmax())
    options = [_PREDICTED, *names]
    link.chosen(state.CLASS, options, _PREDICTED)
    chosen: str = st.selectbox(
        "Explain class",
        options,
        format_func=lambda option: _title(option, choice, probabilities),
        key=state.CLASS,
        persist_state="session",
    )
    # Not bound by Streamlit, which would put the title with its probability into the link.
    link.write(state.CLASS, None if chosen == _PREDICTED else (chosen,))
    return predicted if chosen == _PREDICTED else names.index(chosen)


def _title(option: str, choice: Choice, probabilities: FloatArray) -> str:
    names, true = choice.spec.classes, choice.image.label
    if option == _PREDICTED:
        predicted = int(probabilities.argmax())
        same = ", true" if predicted == true else ""
        return f"{names[predicted]} · predicted{same}"
    label = names.index(option)
    word = " · true" if label == true else ""
    return f"{option}{word} · p = {probabilities[label]:.3f}"


def one_class(label: str, spec: DatasetSpec, *, default: int, key: str) -> int:
    """One class that must be chosen."""
    count = len(spec.classes)
    if st.session_state.get(key, 0) not in range(count):  # of the data set before
        del st.session_state[key]
    chosen: int = bound.pills(
        label,
        range(count),
        default=min(default, count - 1),
        format_func=text.literals(spec.classes).__getitem__,
        required=True,
        key=key,
    )
    return chosen


def any_class(label: str, spec: DatasetSpec, *, key: str, disabled: bool, help: str) -> int | None:
    """One class, or None for all."""
    count = len(spec.classes)
    if st.session_state.get(key) not in (None, *range(count)):
        del st.session_state[key]
    chosen: int | None = bound.pills(
        label,
        range(count),
        format_func=text.literals(spec.classes).__getitem__,
        key=key,
        disabled=disabled,
        help=help,
    )
    return chosen


def some_classes(
    label: str, spec: DatasetSpec, *, default: Sequence[int], key: str, help: str
) -> list[int]:
    """Any number of classes."""
    count = len(spec.classes)
    if any(each not in range(count) for each in st.session_state.get(key, ())):
        del st.session_state[key]
    chosen: list[int] = bound.pills(
        label,
        range(count),
        selection_mode="multi",
        default=[each for each in default if each < count],
        format_func=text.literals(spec.classes).__getitem__,
        key=key,
        help=help,
    )
    return chosen
