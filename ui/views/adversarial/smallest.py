"""How small a change is enough: for the chosen image, and for many."""

from dataclasses import asdict

import numpy as np
import streamlit as st

from core.network.classifier import Classifier
from ui import text, theme
from ui.controls import no_gradient, shared, tray
from ui.controls.columns import result_and_settings
from ui.figures import smallest_charts
from ui.show import draw, error_box
from ui.views.adversarial.smallest_settings import Found, SmallestAsked, controls, found_for
from ui.views.adversarial.smallest_study import SMALLEST_STUDY, seconds
from ui.views.adversarial.standard_settings import DRAWS, another
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage


@st.fragment
def show(choice: Choice, classifier: Classifier) -> None:
    """The smallest change of the image, the plane around it, and a histogram over many images."""
    result, side = result_and_settings()
    with side, st.container(border=True, key="settings"):
        asked, seed, count = controls(choice.spec)
    image = choice.image
    with result, st.container(border=True, height="stretch", key="result"):
        try:
            with st.skeleton(height=520):
                found = found_for(classifier, image, asked, seed)
        except ValueError as error:
            error_box(error)
            return
        _result(image, found, asked)
        no_gradient.note(classifier, image.floats, asked.goal(image, classifier).classes)
    with st.container(border=True, key="s-study-card"):
        settings = {**asdict(asked), "images": count}
        SMALLEST_STUDY.draw(classifier, choice, settings, seconds(asked, count))


def _result(image: ChosenImage, found: Found, asked: SmallestAsked) -> None:
    st.markdown(f"**{_finding(image, found, asked)}** :gray[· {image.title}; {asked.words}]")
    if found.plane is None or found.noise_control is None:
        return
    smallest, seen = found.smallest, found.plane
    before, after = (image.spec.classes[label] for label in found.read)
    pictures, chart = st.columns([1, 1.25], gap="medium")
    with pictures:
        shared.pairs(
            smallest.images,
            smallest.adversarial,
            [
                f"**{text.literal(before)} → {text.literal(after)}**: original, adversarial, "
                "signed change from −1 to +1."
            ],
            [f"{image.title}: original, adversarial, change"],
        )
        moved = np.abs(smallest.adversarial - smallest.images) > 1e-6
        changed = int(moved.any(axis=-1).sum())
        largest = float(np.abs(smallest.adversarial - smallest.images).max())
        st.markdown(f"L2 {smallest.l2[0]:.2f} · L∞ {largest:.3f} · {changed} pixels")
        st.markdown(
            f"**Control:** {DRAWS} random directions of the same L2 change the answer in "
            f"{text.full_rate(found.noise_control)}."
        )
        if np.isfinite(smallest.failed[0]):
            digits = 4 if smallest.norm == "linf" else 3
            st.caption(
                f"Found with ε = {smallest.ball[0]:.{digits}f}; with ε = "
                f"{smallest.failed[0]:.{digits}f} the same attack fails. A stronger one could "
                "still find a smaller change."
            )
    with chart:
        draw(
            smallest_charts.regions(seen, image.spec.classes, theme.palette()),
            key="s-plane",
            alt=f"What is read on the plane through the image: {before} here, {after} there",
        )
    if image.label is None and asked.target is None:
        st.caption(
            f"{image.title} has no label: the goal is any other class than the one read now."
        )
    outside = float((seen.clipped > 1e-6).mean())
    st.caption(
        f"The plane through the image, the adversarial one and a noise as long; green reads "
        f"{text.literal(before)}, orange {text.literal(after)}. "
        f"{100 * outside:.0f} % of its points lie outside the box, by "
        f"L2 {seen.clipped.max():.2f} at most, and are clipped. The attack’s steps (line) lie "
        f"beside the plane by L2 {seen.off_plane:.2f} at most."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        tray.button(
            smallest.adversarial,
            [image.label],
            "smallest change",
            key="s-tray",
            originals=[image.number],
        )


def _finding(image: ChosenImage, found: Found, asked: SmallestAsked) -> str:
    names, named = text.literals(image.spec.classes), text.literal(image.named)
    before, after = (text.a(names[label]) for label in found.read)
    kind = named[0].upper() + named[1:]
    radius = float(found.smallest.radius[0])
    if not radius:
        return f"{kind} is read as {before} as it is: no change is needed"
    wanted = another(image.spec, asked.target)
    if not np.isfinite(radius):
        return f"No change was found that turns {named} into {wanted}"
    digits = 3 if asked.measured_in == "L∞" else 2
    return f"{kind} becomes {after} with {asked.measured_in} {radius:.{digits}f}"
