"""Which class a page explains: the predicted one, or any other; it travels between pages."""

import streamlit as st

from core.arrays import CLASSES, FloatArray
from ui.visitor import link, state
from ui.visitor.choice import Choice

_PREDICTED = "predicted"


def class_picker(choice: Choice, probabilities: FloatArray) -> int:
    """A select of the ten classes; `probabilities` float32 [10] are of the chosen image."""
    predicted = int(probabilities.argmax())
    options = [_PREDICTED, *map(str, range(CLASSES))]
    link.chosen(state.CLASS, options, _PREDICTED)
    chosen: str = st.selectbox(
        "Explain class",
        options,
        format_func=lambda option: _title(option, predicted, choice.image.label, probabilities),
        key=state.CLASS,
        persist_state="session",
    )
    # Not bound by Streamlit, which would put the title with its probability into the link.
    link.write(state.CLASS, None if chosen == _PREDICTED else (chosen,))
    return predicted if chosen == _PREDICTED else int(chosen)


def _title(option: str, predicted: int, true: int | None, probabilities: FloatArray) -> str:
    if option == _PREDICTED:
        same = ", true" if predicted == true else ""
        return f"{predicted} · predicted{same}"
    word = " · true" if int(option) == true else ""
    return f"{option}{word} · p = {probabilities[int(option)]:.3f}"
