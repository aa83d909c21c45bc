"""The parts of the predictions page."""

import numpy as np
import streamlit as st

from core.arrays import IntArray, to_float
from core.data.spec import DatasetSpec
from core.network.evaluation import Evaluation
from ui import text, theme
from ui.controls import bound, tray
from ui.controls.class_picker import any_class
from ui.controls.columns import result_and_settings
from ui.controls.report import as_in_the_report
from ui.figures import charts, tiles
from ui.show import draw, picture
from ui.visitor import compute, images
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

MATRIX = "confusion-matrix"
ORDERS = ("By number", "Hardest first", "Surest first")
_DEFAULTS = {"show": "All", "of": None, "order": ORDERS[0], "count": 24}


@st.fragment
def browse(evaluation: Evaluation, choice: Choice) -> None:
    """Gallery and settings, then the matrix and the rates by class."""
    cell = _selected_cell()
    left, right = result_and_settings()
    with right, st.container(border=True):
        count = _settings(choice.spec, cell is not None)
    shown = _filtered(evaluation, cell)
    with left, st.container(border=True, height="stretch"):
        _gallery(evaluation, choice.spec, shown, count, cell)
    matrix, classes = st.columns([1, 1], gap="small")
    with matrix, st.container(border=True, height="stretch"):
        _matrix(evaluation, choice.spec)
    with classes:
        with st.container(border=True):
            _this_image(choice)
        with st.container(border=True):
            _by_class(evaluation, choice.spec)


def _settings(spec: DatasetSpec, cell_chosen: bool) -> int:
    st.markdown("**Show**")
    if cell_chosen:
        st.caption("One cell of the matrix is chosen: it decides what is shown.")
        st.button("Show all again", icon=":material/close:", on_click=_clear_cell, width="stretch")
    bound.segmented_control(
        "Which",
        ["All", "Mistakes"],
        key="show",
        default="All",
        required=True,
        label_visibility="collapsed",
        disabled=cell_chosen,
    )
    any_class(
        "True class",
        spec,
        key="of",
        disabled=cell_chosen,
        help=f"None chosen: all {text.in_words(len(spec.classes))}.",
    )
    bound.selectbox(
        "Order",
        ORDERS,
        key="order",
        help="Hardest: least probability for the true class. Surest: most for the predicted one.",
    )
    count: int = bound.slider("Images", 12, 96, 24, 12, key="count")
    as_in_the_report(
        "as-reported",
        _as_reported,
        "E3: test images in order, each with its true and predicted class.",
    )
    return count


def _as_reported() -> None:
    st.session_state.update(_DEFAULTS)
    _clear_cell()


def _matrix_key() -> str:
    return f"{MATRIX}-{st.session_state.get('_matrix_round', 0)}"


def _clear_cell() -> None:
    st.session_state["_matrix_round"] = st.session_state.get("_matrix_round", 0) + 1


def _selected_cell() -> tuple[int, int] | None:
    selection = st.session_state.get(_matrix_key(), {}).get("selection", {}).get("cell", [])
    if not selection:
        return None
    return int(selection[0]["true"]), int(selection[0]["predicted"])


def _filtered(evaluation: Evaluation, cell: tuple[int, int] | None) -> IntArray:
    labels, predicted = evaluation.labels, evaluation.predicted
    if cell is not None:
        keep = (labels == cell[0]) & (predicted == cell[1])
    else:
        keep = np.ones(len(labels), bool)
        if st.session_state["show"] == "Mistakes":
            keep &= labels != predicted
        if (label := st.session_state["of"]) is not None:
            keep &= labels == label
    found = np.flatnonzero(keep)
    if st.session_state["order"] == "Hardest first":
        return found[np.argsort(-evaluation.losses[found], kind="stable")]
    if st.session_state["order"] == "Surest first":
        return found[np.argsort(-evaluation.confidence[found], kind="stable")]
    return found


def _gallery(
    evaluation: Evaluation,
    spec: DatasetSpec,
    shown: IntArray,
    count: int,
    cell: tuple[int, int] | None,
) -> None:
    total, names = len(evaluation.labels), spec.classes
    if cell is not None:
        true, read = (names[label] for label in cell)
        finding = (
            f"{len(shown):,} test images of {text.a(text.literal(true))} are read as "
            f"{text.literal(read)}"
        )
    elif st.session_state["show"] == "Mistakes":
        of = st.session_state["of"]
        kind = "test images" if of is None else f"{text.literal(names[of])}s"
        finding = f"{len(shown):,} {kind} are misread"
    else:
        finding = f"{text.percent(evaluation.accuracy)} of the test images are read right"
    st.markdown(f"**{finding}** :gray[· first {min(count, len(shown))} of {len(shown):,} shown]")
    if not len(shown):
        st.markdown(f"No test image of {total:,} fits: choose another class or show all.")
        return
    palette = theme.palette()
    pixels = compute.test_split(spec).images
    with st.grid(min_column_width=84, gap="xsmall"):
        for index in shown[:count]:
            with st.container(gap=None, horizontal_alignment="center"):
                true = names[evaluation.labels[index]]
                read = names[evaluation.predicted[index]]
                picture(
                    tiles.image(pixels[index] / 255, 56, palette),
                    width=56,
                    alt=f"Test image {index}: {text.a(true)}, read as {read}",
                )
                st.button(
                    f"{text.literal(true)} → **{text.literal(read)}**  "
                    f":gray[{evaluation.confidence[index]:.3f}]",
                    key=f"pick-{index}",
                    type="tertiary",
                    help=f"Test image {index}: use it on all pages",
                    on_click=_choose_image,
                    args=[int(index)],
                )
    st.caption(
        "True → **predicted** class, and the probability of the predicted one. "
        "A label takes its image to all pages."
    )
    _to_tray(evaluation, spec, shown[:count])


def _to_tray(evaluation: Evaluation, spec: DatasetSpec, shown: IntArray) -> None:
    """Those of the shown images that are misread, with their true classes."""
    misread = shown[evaluation.labels[shown] != evaluation.predicted[shown]]
    if len(misread):
        with st.container(
            horizontal=True, horizontal_alignment="right", vertical_alignment="center"
        ):
            st.caption(f"{len(misread)} misread here:", width="content")
            tray.button(
                to_float(compute.test_split(spec).images[misread]),
                evaluation.labels[misread].tolist(),
                "misread test images",
                key="misread-tray",
                originals=misread.tolist(),
            )


def _choose_image(index: int) -> None:
    images.choose(index)
    st.session_state["_image_chosen"] = True


def _matrix(evaluation: Evaluation, spec: DatasetSpec) -> None:
    wrong = len(evaluation.mistakes())
    total = len(evaluation.labels)
    st.markdown(f"**What it confuses** :gray[· {wrong:,} mistakes among {total:,} test images]")
    draw(
        charts.confusion(
            evaluation.confusion, spec.classes, theme.palette(), selectable=True, side=47
        ),
        key=_matrix_key(),
        on_select="rerun",
        selection_mode="cell",
        alt="Confusion matrix: rows are true classes, columns predicted ones",
    )
    st.caption("Click a cell to see its images; the diagonal counts what is right.")


def _this_image(choice: Choice) -> None:
    if st.session_state.pop("_image_chosen", False):
        st.rerun()  # the header stands outside this fragment
    image = choice.image
    probabilities = choice.classifier().probabilities(image.floats)[0]
    predicted = int(probabilities.argmax())
    st.markdown(
        f"**{image.title} is read as {text.literal(image.spec.classes[predicted])}** "
        f":gray[· {_verdict(image, predicted)}p = {probabilities[predicted]:.3f}]"
    )
    left, bars = st.columns([1, 1.5], gap="medium", vertical_alignment="center")
    palette = theme.palette()
    with left:
        picture(tiles.image(image.pixels / 255, 140, palette), width=140, alt=image.title)
    with bars:
        draw(
            charts.class_bars(probabilities, choice.spec.classes, palette, true=image.label),
            key="image-bars",
            alt="Probabilities of all classes",
        )


def _verdict(image: ChosenImage, predicted: int) -> str:
    if image.label is None:
        return ""
    return "rightly, " if image.label == predicted else f"but it is {text.literal(image.kind)}, "


def _by_class(evaluation: Evaluation, spec: DatasetSpec) -> None:
    rates = {name: evaluation.class_accuracy(label) for label, name in enumerate(spec.classes)}
    hardest = min(rates, key=lambda label: rates[label].value)
    st.markdown(
        f"**{text.literal(hardest)} is the hardest class** "
        f":gray[· {text.full_rate(rates[hardest])}]"
    )
    low = np.floor(min(rate.interval[0] for rate in rates.values()) * 20) / 20
    draw(
        charts.rates(rates, theme.palette(), low=float(low)),
        key="class-rates",
        alt="Accuracy by true class with 95 % intervals",
    )
    st.caption("Share of each true class that is read right; whiskers are 95 % Wilson intervals.")
