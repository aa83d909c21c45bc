"""Randomized smoothing: the votes of noisy copies, and what they certify in L2."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.certification.smoothing import (
    ABSTAIN,
    ALPHA,
    GUESSES,
    Certificate,
    certify,
    largest_radius,
    predict,
)
from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from ui import text, theme
from ui.controls import bound, shared
from ui.controls.columns import result_and_settings
from ui.figures import charts, tiles
from ui.show import draw, error_box, picture
from ui.views.defenses.smoothing_accuracy import ACCURACY
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

COPIES = (100, 200, 500, 1_000, 2_000, 5_000, 10_000)
COUNTS = (50, 100, 200, 500)
_SHOWN, _TILE = 5, 84


def show(choice: Choice, classifier: Classifier) -> None:
    """The certificate of the image, and certified accuracy against the radius."""
    st.subheader("Randomized smoothing", anchor=False)
    result, side = result_and_settings()
    with side, st.container(border=True, key="smooth-settings"):
        sigma, copies, count = _settings(choice.spec)
    with result, st.container(border=True, height="stretch", key="smooth-result"):
        try:
            with st.skeleton(height=380):
                found = _certificate(sigma, copies, classifier, choice.image.floats)
        except ValueError as error:
            error_box(error)
            return
        _result(choice.image, found, sigma, copies)
    with st.container(border=True, key="smooth-accuracy-card"):
        settings = {"images": count, "sigma": sigma, "copies": copies}
        looks = count * (copies + GUESSES)
        seconds = text.duration(compute.seconds_of(looks))
        ACCURACY.draw(classifier, choice, settings, f"{seconds} or more")


def _settings(spec: DatasetSpec) -> tuple[float, int, int]:
    st.markdown("**Smoothing** :gray[· L2]")
    sigma: float = bound.slider(
        "σ",
        0.05,
        1.0,
        0.25,
        0.05,
        key="smooth_sigma",
        help="The standard deviation of the noise in each pixel, where a full pixel is 1. More "
        "noise allows a larger radius, and costs accuracy.",
    )
    copies: int = bound.select_slider(
        "Noisy copies",
        COPIES,
        1_000,
        format_func="{:,}".format,
        key="smooth_copies",
        help="How many votes of an image are counted. If all agree, the radius is "
        f"{largest_radius(1.0, COPIES[0]):.2f} σ for {COPIES[0]} and "
        f"{largest_radius(1.0, COPIES[-1]):.2f} σ for {COPIES[-1]:,}.",
    )
    count = shared.count_slider(
        spec,
        COUNTS,
        key="smooth_images",
        help=f"The first of the {spec.test_images:,}, for the certified accuracy against the "
        "radius.",
    )
    st.caption("CERTIFY and PREDICT of Cohen, Rosenfeld and Kolter (2019), arXiv:1902.02918.")
    return sigma, copies, count


@cached
def _certificate(
    sigma: float, copies: int, classifier: Classifier, image: FloatArray
) -> Certificate:
    with compute.inline("Counting the votes", copies + GUESSES, classifier):
        return certify(classifier, image, sigma=sigma, copies=copies)


def _result(image: ChosenImage, found: Certificate, sigma: float, copies: int) -> None:
    st.markdown(
        f"**{_finding(image, found)}** :gray[· {image.title}; σ = {sigma:g}, {copies:,} votes, "
        f"wrong with probability {ALPHA:g} at most]"
    )
    names = image.spec.classes
    pictures, bars = st.columns(2, gap="medium")
    with pictures:
        _noisy(image, sigma)
        st.caption(
            "Five of the noisy copies, clipped to [0, 1] for the network. The smoothed network "
            "says what the network says most often of them."
        )
        st.markdown(
            f"- Votes for {text.literal(names[found.guess])}: "
            f"**{found.votes[found.guess]:,} of {copies:,}**\n"
            f"- so its probability is at least **{found.lower:.4f}**\n"
            f"- radius σ · Φ⁻¹ of that: **L2 {found.radius:.3f}**, of "
            f"{largest_radius(sigma, copies):.3f} possible with so many votes\n"
            f"- {_prediction(found, text.literals(names))}"
        )
    with bars:
        draw(
            charts.class_bars(
                found.votes / found.votes.sum(), names, theme.palette(), true=image.label
            ),
            key="smooth-votes",
            alt=f"Share of the votes for each class; most for {names[np.argmax(found.votes)]}",
        )
        st.caption(
            f"Share of the votes. {GUESSES} other copies have chosen the class that is counted. "
            "The network is used as it is: it was not trained with this noise."
        )
    st.caption(
        "This proof is in L2: a change of that length in all pixels together. The bounds above are "
        f"in L∞. A ball of L2 {found.radius:.3f} holds only an L∞ ball of "
        f"{found.radius / image.spec.largest_l2:.4f}, "
        "and an L∞ proof of ε holds the L2 ball of ε."
    )


def _finding(image: ChosenImage, found: Certificate) -> str:
    if found.predicted == ABSTAIN:
        return "The smoothed network abstains: no class is sure to have more than half of the votes"
    wrong = image.label is not None and found.predicted != image.label
    missed = f", and it is {text.literal(image.kind)}" if wrong else ""
    name = text.literal(image.spec.classes[found.predicted])
    return f"Certified as {name} within L2 {found.radius:.2f}{missed}"


def _prediction(found: Certificate, names: Sequence[str]) -> str:
    """What PREDICT makes of the votes: a class without a radius."""
    said = predict(found.votes)
    if said == ABSTAIN:
        return "PREDICT **abstains**: the two leading classes could be equally likely"
    return f"PREDICT answers **{names[said]}**: ahead of every other class, without a radius"


def _noisy(image: ChosenImage, sigma: float) -> None:
    noise = np.random.default_rng(0).standard_normal((_SHOWN, *image.spec.shape)) * sigma
    copies = np.clip(image.floats + noise, 0, 1)
    palette, scale = theme.palette(), tiles.scale_of(_TILE, image.spec.side)
    sheet = tiles.mosaic(tiles.colored(copies, palette), palette, columns=_SHOWN, scale=scale)
    picture(sheet, width="stretch", alt=f"Five noisy copies of {image.title}, σ = {sigma:g}")
