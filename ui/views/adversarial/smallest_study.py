"""The smallest changes of many test images, as a background job."""

import functools
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.data.spec import DatasetSpec
from core.network.classifier import Classifier
from core.statistics.averages import Median
from core.statistics.rate import Rate
from core.studies.smallest_study import Measured, SmallestStudy
from ui import text, theme
from ui.controls import no_gradient, shared
from ui.controls.measure_panel import MeasurePanel, Record
from ui.figures import smallest_charts
from ui.show import draw
from ui.views.adversarial.smallest_settings import SmallestAsked
from ui.views.adversarial.standard_settings import another
from ui.visitor import compute


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[SmallestStudy, Callable[..., Generator[float]]]:
    rest = dict(settings)
    total = rest.pop("images")
    study = SmallestStudy(total)
    return study, functools.partial(
        study.work, classifier, *compute.first_test_images(classifier.spec, total), **rest
    )


def seconds(asked: SmallestAsked, count: int) -> str:
    """How long the job takes, roughly."""
    work = count * asked.work
    return f"up to {work:,} gradients of one image each, about {text.duration(work / 4_000)}"


def _show_study(record: Record[SmallestStudy]) -> None:
    measured = record.study.found  # once: the job goes on meanwhile
    asked = SmallestAsked(
        **{name: value for name, value in record.settings.items() if name != "images"}
    )
    radius, count = measured.radius, len(measured.labels)
    digits = 3 if asked.measured_in == "L∞" else 2
    goal = another(record.spec, asked.target)
    where = f"{text.literal(record.model)}, the first {count} test images; {asked.words}"
    if not len(radius):
        st.markdown(f"**All images are read as {goal} as they are** :gray[· {where}]")
        return
    median = Median.of(radius)
    st.markdown(
        f"**Half of the images become {goal} with {asked.measured_in} "
        f"{_written(median.value, digits)} [{_written(median.low, digits)}, "
        f"{_written(median.high, digits)}] or less** :gray[· median with 95 % interval; {where}]"
        if np.isfinite(median.value)
        else f"**For half of the images or more, no change to {goal} was found** :gray[· {where}]"
    )
    no_gradient.say(Rate.of(measured.flat))
    chart, gallery = st.columns([1.3, 1], gap="medium")
    with chart:
        draw(
            smallest_charts.histogram(
                radius, median, theme.palette(), title=f"smallest {asked.measured_in}"
            ),
            key="s-histogram",
            alt=f"How many images need which change; median {_written(median.value, digits)}",
        )
    with gallery:
        _extremes(measured, record.spec, digits)
    lost = int(np.isinf(radius).sum())
    before = count - len(radius)
    st.caption(
        f"Line: median, band: its interval. Read so without a change, and left out: {before}; "
        f"nothing found: {lost}. Control: noise of the same L2 changes the answer in "
        f"{text.full_rate(measured.noise_control)}."
    )


def _extremes(measured: Measured, spec: DatasetSpec, digits: int) -> None:
    """The images that need least and most, among those for which something was found."""
    result = measured.result
    rows = np.flatnonzero(result.found)
    if not len(rows):
        st.caption("Nothing was found for any image.")
        return
    order = rows[np.argsort(result.radius[rows])]
    ends = order[[0, -1]]
    names = text.literals(spec.classes)
    captions = [
        f"**{word}**: test image {row}, {names[measured.labels[row]]} → "
        f"{names[measured.after[row]]} with "
        f"{result.radius[row]:.{digits}f}"
        for word, row in zip(("Easiest", "Hardest"), ends, strict=True)
    ]
    shared.pairs(
        result.images[ends],
        result.adversarial[ends],
        captions,
        [f"Test image {row}: original, adversarial, change" for row in ends],
    )


def _written(value: float, digits: int) -> str:
    if np.isfinite(value):
        return f"{value:.{digits}f}"
    return "∞" if value > 0 else "0"


SMALLEST_STUDY = MeasurePanel(
    name="small_study",
    title="Smallest perturbations",
    what="test images",
    question="**And other images?** :gray[· not measured yet: the smallest change of each of many "
    "test images, their median, the easiest and the hardest]",
    begin=_begin,
    show=_show_study,
)
