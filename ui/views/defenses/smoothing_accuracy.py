"""Certified accuracy of the smoothed network against the L2 radius, as a background job."""

import functools
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.certification.smoothing import ALPHA, largest_radius
from core.network.classifier import Classifier
from core.studies.smoothing_study import SmoothingStudy
from ui import text, theme
from ui.controls.measure_panel import MeasurePanel, Record
from ui.figures import certified_charts
from ui.show import draw
from ui.visitor import compute

_POINTS = 61


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[SmoothingStudy, Callable[..., Generator[float]]]:
    images, labels = compute.first_test_images(classifier.spec, settings["images"])
    study = SmoothingStudy(len(images))
    sigma, copies = settings["sigma"], settings["copies"]
    return study, functools.partial(
        study.work, classifier, images, labels, sigma=sigma, copies=copies
    )


def _show(record: Record[SmoothingStudy]) -> None:
    smoothed = record.study.found  # once: the job goes on meanwhile
    sigma, copies = record.settings["sigma"], record.settings["copies"]
    largest = largest_radius(sigma, copies)
    radii = np.linspace(0, 1.1 * largest, _POINTS)
    at_all, half = smoothed.certified(0.0), smoothed.certified(largest / 2)
    st.markdown(
        f"**Certified at L2 {largest / 2:.2f}: {text.full_rate(half)}** :gray[· "
        f"{text.literal(record.model)} smoothed with σ = {sigma:g}, {copies:,} votes an image, "
        f"the first "
        f"{len(smoothed.labels):,} test images]"
    )
    rates = {
        certified_charts.CERTIFIED: [smoothed.certified(float(radius)) for radius in radii],
        certified_charts.CLEAN: [smoothed.clean] * len(radii),
    }
    draw(
        certified_charts.accuracy(
            rates, radii.tolist(), theme.palette(), x_title="L2 radius", steps=True
        ),
        key="smooth-accuracy",
        alt=f"Certified accuracy against the L2 radius up to {largest:.2f}",
    )
    st.markdown(
        f"Certified right at all (radius above 0) **{text.full_rate(at_all)}**, "
        f"abstained **{text.full_rate(smoothed.abstained)}**, base network without noise "
        f"**{text.full_rate(smoothed.clean)}**. Smoothed it is, beside the base network, "
        f"{smoothed.beside_base.words()}"
    )
    st.caption(
        f"No radius can exceed {largest:.2f} with so many votes. An abstention counts as wrong. "
        f"Each certificate may be wrong with probability {ALPHA:g}; bands: 95 % Wilson intervals."
    )


ACCURACY = MeasurePanel(
    name="smooth_accuracy",
    title="Randomized smoothing",
    what="test images",
    question="**How many images are certified, and how far?** :gray[· not measured yet: certified "
    "accuracy of the smoothed network against the L2 radius]",
    begin=_begin,
    show=_show,
)
