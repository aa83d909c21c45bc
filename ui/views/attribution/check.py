"""One map put to the test on one image: its controls, and the curves in its order."""

import math

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.inspection.catalog import METHODS
from core.inspection.fidelity import (
    IMAGE_ITSELF,
    RANDOM_MAP,
    Fidelity,
    fidelity,
    random_map,
    rank_correlation,
)
from core.network.classifier import Classifier
from ui import text, theme
from ui.figures import attribution_charts, tiles
from ui.show import draw, picture
from ui.views.attribution.maps import Settings, attribution, limit, randomized
from ui.visitor.images import ChosenImage

_TILE = 140
_SHORT = ("this map", "image itself", "random")  # three that fit above a chart on a phone


def check(
    classifier: Classifier, image: ChosenImage, label: int, settings: Settings, method: str
) -> None:
    """The card that asks whether the chosen map tells the truth."""
    values = attribution(method, classifier, image, label, settings).values
    orders = {
        method: values,
        IMAGE_ITSELF: image.floats.mean(axis=-1),
        RANDOM_MAP: random_map(image.floats),
    }
    measured = {
        name: fidelity(classifier, image.floats, np.array([label]), order)
        for name, order in orders.items()
    }
    st.markdown(f"**Does the map tell the truth?** {_finding(method, measured)}")
    maps, curves = st.columns([1, 1.15], gap="medium")
    with maps:
        _controls(classifier, image, label, settings, method, values, measured)
    with curves:
        _curves(image.spec.classes[label], measured)


def _finding(method: str, measured: dict[str, Fidelity]) -> str:
    scores = {name: float(each.score[0]) for name, each in measured.items()}
    beaten = [
        name[0].lower() + name[1:]
        for name in (IMAGE_ITSELF, RANDOM_MAP)
        if scores[method] > scores[name]
    ]
    verdict = f"beats {' and '.join(beaten)}" if beaten else "beats neither control"
    numbers = " and ".join(text.number(scores[name]) for name in (IMAGE_ITSELF, RANDOM_MAP))
    return (
        f":gray[· on this image {method}] **{verdict}** :gray[· insertion minus deletion area "
        f"{text.number(scores[method])}; controls {numbers}]"
    )


def _controls(
    classifier: Classifier,
    image: ChosenImage,
    label: int,
    settings: Settings,
    method: str,
    values: FloatArray,
    measured: dict[str, Fidelity],
) -> None:
    palette = theme.palette()
    end = limit(method, classifier)
    drawn = attribution(method, randomized(classifier), image, label, settings).values
    shown = {
        method: tiles.signed(values[0], end, palette),
        "Last layer random": tiles.signed(drawn[0], end, palette),
        IMAGE_ITSELF: tiles.colored(image.floats[0], palette),
        RANDOM_MAP: tiles.ink(random_map(image.floats)[0], palette),
    }
    notes = {
        name: f"Deletion {each.deletion_area[0]:.2f}, insertion {each.insertion_area[0]:.2f}"
        for name, each in measured.items()
    }
    notes["Last layer random"] = _correlation(values, drawn)
    with st.grid(2, min_column_width=_TILE, gap="small"):
        for name, pixels in shown.items():
            with st.container(gap="xsmall"):
                st.markdown(f"**{name}**")
                picture(
                    tiles.enlarge(pixels, tiles.scale_of(_TILE, len(pixels))), width=_TILE, alt=name
                )
                st.caption(notes[name])
    st.caption(
        f"Upper row: one scale ±{end:g} {METHODS[method].unit}. A map that stays the same when "
        "the last layer is drawn anew does not show what the network has learned."
    )


def _correlation(values: FloatArray, drawn: FloatArray) -> str:
    correlation = rank_correlation(values, drawn)
    if math.isnan(correlation):
        return "Rank correlation not measured: a map is blank."
    return f"Rank correlation with the map: **{text.number(correlation)}**"


def _curves(label: str, measured: dict[str, Fidelity]) -> None:
    palette = theme.palette()
    shares = next(iter(measured.values())).shares
    for what, title, x_title in (
        ("deletion", "Deletion: the pixels that the map puts highest go first", "pixels set to 0"),
        ("insertion", "Insertion: the same order, onto an empty image", "pixels put in"),
    ):
        st.markdown(f":gray[**{title}**]")
        draw(
            attribution_charts.fidelity_curves(
                shares,
                {
                    short: getattr(each, what)[0]
                    for short, each in zip(_SHORT, measured.values(), strict=True)
                },
                palette,
                x_title=x_title,
            ),
            key=f"curves-{what}",
            alt=f"Probability of {label} by share of {x_title}",
        )
    st.caption(
        f"Probability of {text.literal(label)}. Deletion sets pixels to 0 in {len(shares) - 1} "
        "equal parts; insertion begins with all of them at 0. Equal values go in random order."
    )
