"""The same attack on 200 test images, as a background job."""

import functools
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.network.classifier import Classifier
from core.statistics.paired import Verdict
from core.studies.repeated import SourceStudy
from ui import text, theme
from ui.controls import shared
from ui.controls.measure_panel import TOTAL, MeasurePanel, Record
from ui.figures import attack_charts
from ui.show import draw
from ui.views.adversarial.source_settings import SourceSettings
from ui.visitor import compute

_SHOWN = 4


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[SourceStudy, Callable[..., Generator[float]]]:
    total = min(TOTAL, classifier.spec.test_images)
    study = SourceStudy(total)
    return study, functools.partial(
        study.work, classifier, *compute.first_test_images(classifier.spec, total), **settings
    )


def seconds(settings: SourceSettings) -> str:
    """How long the job takes, roughly."""
    work = TOTAL * settings.iterations
    return f"{work:,} gradients of one image each, {text.duration(work / 4_000)} or more"


def _show_luck(record: Record[SourceStudy]) -> None:
    moved = record.study.found  # once: the job goes on meanwhile
    names = text.literals(record.spec.classes)
    result = moved.result
    st.markdown(
        f"**Was that luck? {result.success.successes} of {result.success.total} images reach their "
        f"target** :gray[· {text.literal(record.model)}, the first {len(moved)} test images, "
        f"one random target "
        f"each; {SourceSettings(**record.settings).words}]"
    )
    chart, gallery = st.columns([1.3, 1], gap="medium")
    with chart:
        rates = {
            "Attack: reaches its target": result.success,
            "Attack: any wrong answer": moved.misread,
            f"{attack_charts.CONTROL}noise of equal L2": moved.misread_noise_control,
        }
        draw(
            attack_charts.attack_rates(rates, theme.palette()),
            key="to-luck-rates",
            alt="Rates of the attack and of noise of equal L2, with 95 % intervals",
        )
    with gallery:
        for hit, words in (
            (True, "Reached their target."),
            (False, "Did not reach it, and count as failures."),
        ):
            rows = np.flatnonzero(result.succeeded == hit)[:_SHOWN]
            if len(rows):
                shared.tile_row(
                    result.adversarial[rows],
                    [
                        f"{names[moved.labels[row]]} → **{names[moved.read[row, 1]]}**"
                        + ("" if hit else f", not {names[result.goal.classes[row]]}")
                        for row in rows
                    ],
                    [words] * len(rows),
                )
                st.caption(words)
    median, pair = float(np.median(result.l2)), moved.beside_noise
    st.markdown(
        f"To mislead, the attack is, beside noise of equal L2, "
        f"{Verdict(pair, pair.p_value).words('stronger')}."
    )
    st.caption(
        f"Median L2 {median:.2f}, of {record.spec.largest_l2:.3g} that are possible. Wrong answers "
        "are counted among "
        "the images that were read right."
    )


SOURCE_LUCK = MeasurePanel(
    name="to_luck",
    title=f"E8 on {TOTAL} images",
    what="test images",
    question=f"**Was that luck?** :gray[· not measured yet: the same attack on {TOTAL} test "
    "images, one random target each, beside noise of equal L2]",
    begin=_begin,
    show=_show_luck,
)
