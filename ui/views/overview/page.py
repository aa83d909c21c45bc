"""The parts of the first page; none of them needs TensorFlow.

Altair and pandas take half a second to import, in which the server answers nobody: what needs them
is drawn in its place when everything else is there.
"""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.arrays import FloatArray
from core.data.spec import MNIST, DatasetSpec
from core.network.card import WORST_CASE, ModelCard
from core.statistics.rate import Rate
from core.zoo import walkthrough
from core.zoo.walkthrough import Walkthrough
from ui import text
from ui.figures import tiles
from ui.figures.palette import Palette
from ui.header import own_digit
from ui.header.navigation import VIEWS, view
from ui.show import draw, picture
from ui.visitor import compute
from ui.visitor.choice import Choice, short_titles

_LARGE_LETTERS = 2  # of a class's name that fill a card at most


def at_once(choice: Choice) -> Walkthrough | None:
    """What ships with the project to be shown before TensorFlow is loaded; None of other choices.

    A file that is damaged costs a few seconds.
    """
    first = choice.model, choice.image.number
    if first != (walkthrough.SHIPPED_MODEL, walkthrough.SHIPPED_IMAGE):
        return None
    try:
        shown = walkthrough.read(walkthrough.SHIPPED_FILE)
    except ValueError as error:
        st.warning(text.literal(error), icon=":material/warning:")
        return None
    return shown if shown.version == compute.shipped_cards()[choice.model].version else None


def reading(shown: Walkthrough, choice: Choice, palette: Palette) -> DeltaGenerator:
    """The image beside what the model makes of it, and where to go; the place for `bars`."""
    spec = choice.spec
    left, right = st.columns([1, 1.1], gap="medium")
    with left, st.container(height="stretch"):
        st.markdown(
            f"Every number on these pages is measured on real {text.literal(spec.name)} "
            f"{spec.noun}s and says on how many. "
            f"Pick another model or another {spec.noun} above; it follows you from page to page."
        )
        with st.container(horizontal=True):
            if st.button("Train your own", type="primary", icon=":material/model_training:"):
                st.switch_page(view("training").path, query_params={})
            if st.button("See what it gets wrong", icon=":material/fact_check:"):
                st.switch_page(view("predictions").path, query_params={})
            if spec == MNIST:
                st.button(
                    "Draw a digit",
                    icon=":material/draw:",
                    on_click=own_digit.open_pad,
                    key="overview-draw",
                )
        st.caption("No set-up: trained models are on the shelf below.")
    with right, st.container(border=True, height="stretch"):
        predicted = int(shown.probabilities.argmax())
        name, read = text.literal(short_titles()[choice.model]), spec.classes[predicted]
        st.markdown(
            f"**{name} reads {text.literal(read)}** "
            f":gray[· p = {shown.probabilities[predicted]:.3f}, {_truth(choice)}]"
        )
        left, place = st.columns([1, 1.4], gap="medium", vertical_alignment="center")
        with left:
            picture(
                tiles.image(shown.image / 255, 168, palette),
                width=168,
                alt=f"{choice.image.title}, {choice.image.kind}",
            )
    return place


def bars(shown: Walkthrough, choice: Choice, palette: Palette) -> None:
    """The probabilities of all classes."""
    from ui.figures.charts import class_bars

    names = choice.spec.classes
    draw(
        class_bars(shown.probabilities, names, palette, true=choice.image.label),
        key="reading",
        alt=f"Probabilities of all classes; {names[int(shown.probabilities.argmax())]} is the "
        "largest",
    )


def _truth(choice: Choice) -> str:
    label, spec = choice.image.label, choice.spec
    return (
        f"your own {spec.noun}"
        if label is None
        else f"true class {text.literal(spec.classes[label])}"
    )


def strip(shown: Walkthrough, spec: DatasetSpec, palette: Palette) -> None:
    """The same image after every layer."""
    st.subheader(f"One {spec.noun}, all the way through", anchor=False)
    count = text.in_words(len(spec.classes))
    predicted = int(shown.probabilities.argmax())
    with st.grid(min_column_width=122):
        with st.container(border=True, height="stretch"):
            st.markdown("**Image**")
            picture(tiles.image(shown.image / 255, 112, palette), alt="The image", width="stretch")
            what = "gray" if spec.channels == 1 else "three colors"
            st.caption(f"{spec.side} × {spec.side} pixels, {what} from 0 to 1")
        for name, values in shown.stages.items():
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{_stage_title(name)}**")
                picture(_picture(values, palette), alt=f"Output of {name}", width="stretch")
                st.caption(_stage_caption(values))
        with st.container(border=True, height="stretch"):
            st.markdown(f"**{count.capitalize()} classes**")
            name = spec.classes[predicted]
            level = "#" if len(name) <= _LARGE_LETTERS else "####"
            st.markdown(f"{level} {text.literal(name)}", text_alignment="center")
            st.caption(f"the largest of {count} logits, p = {shown.probabilities[predicted]:.3f}")
    st.caption(
        "Maps show the four channels that respond most, on one scale from 0 to the layer's "
        "largest value. The last square is the 500 hidden units, row by row."
        if any(values.shape == (500,) for values in shown.stages.values())
        else "Maps show the four channels that respond most, on one scale per layer."
    )


def _stage_title(name: str) -> str:
    base = name.removesuffix("_relu")
    kind = {"conv": "Convolution", "pool": "Max pooling", "dens": "Hidden layer"}[base[:4]]
    return f"{kind} {base[-1]}" if kind != "Hidden layer" else kind


def _stage_caption(values: FloatArray) -> str:
    if values.ndim == 3:
        return f"4 of {values.shape[2]} channels of {values.shape[0]} × {values.shape[1]}"
    return f"{int((values > 0).sum())} of {len(values)} units respond"


def _picture(values: FloatArray, palette: Palette) -> tiles.Picture:
    largest = max(float(values.max()), 1e-6)
    if values.ndim == 3:
        strongest = np.argsort(-values.sum(axis=(0, 1)))[:4]
        maps = np.moveaxis(values[..., strongest], -1, 0)
        scale = max(1, 112 // maps.shape[1])
        return tiles.mosaic(tiles.ink(maps / largest, palette), palette, columns=2, scale=scale)
    side = int(np.ceil(np.sqrt(len(values))))
    square = np.zeros(side * side, np.float32)
    square[: len(values)] = values / largest
    return tiles.enlarge(tiles.ink(square.reshape(side, side), palette), max(1, 224 // side))


def shelf() -> None:
    """The shipped models with what was measured of them, and which are left out."""
    import pandas as pd

    rows = [
        {
            "Model": text.literal(card.title),
            "What it is": text.literal(card.description),
            "Parameters": f"{card.parameters:,}",
            f"Test accuracy, n = {card.test.total:,}": _accuracy(card.test),
            "Left under attack, L∞ 0.3": _left(card),
            "Training": f"{text.epochs(card.settings)}, {text.duration(card.seconds)}",
        }
        for card in compute.shipped_cards().values()
    ]
    for sentence in compute.left_out():
        st.warning(text.literal(sentence), icon=":material/warning:")
    st.table(pd.DataFrame(rows), hide_index=True, alt="The models that ship with the project")
    st.caption(
        "Brackets hold the 95 % Wilson interval of each model alone; whether two differ, only the "
        "same images tell, as for experiment E2 on the page Training. Trained with "
        "`python -m core.zoo`, on the processor of one machine with two cores; the times are its "
        "own. Under attack: the first "
        "1,000 test images, the strongest of three attacks for each; the page Defenses has more."
    )


def _left(card: ModelCard) -> str:
    worst = card.measured(WORST_CASE)
    return _accuracy(worst.standing) if worst else "not measured"


def _accuracy(rate: Rate) -> str:
    return f"{text.percent(rate)} {text.interval(rate)}"


def links() -> None:
    """Every other page, with what it is for."""
    st.subheader("Where to go", anchor=False)
    with st.grid(min_column_width=240):
        for entry in VIEWS[1:]:
            with st.container(border=True, height="stretch", gap="xsmall"):
                if st.button(
                    f"**{entry.title}**",
                    type="tertiary",
                    icon=f":material/{entry.icon}:",
                    key=f"open-{entry.file}",
                ):
                    st.switch_page(entry.path, query_params={})
                st.caption(entry.told)
