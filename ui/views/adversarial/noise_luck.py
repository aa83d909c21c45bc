"""How many random starts end as a class, as a background job."""

import functools
import itertools
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.network.classifier import Classifier
from core.statistics.paired import judged
from core.studies.repeated import NoiseStudy
from ui import text, theme
from ui.controls import shared
from ui.controls.measure_panel import TOTAL, MeasurePanel, Record
from ui.figures import attack_charts
from ui.show import draw
from ui.views.adversarial.noise_settings import NoiseSettings

_FAILURES = 10


def _begin(
    classifier: Classifier, settings: Mapping[str, Any]
) -> tuple[NoiseStudy, Callable[..., Generator[float]]]:
    rest = dict(settings)
    study = NoiseStudy(rest.pop("classes"), TOTAL)
    return study, functools.partial(study.work, classifier, **rest)


def seconds(settings: Mapping[str, Any]) -> str:
    """How long the job takes, roughly."""
    work = TOTAL * len(settings["classes"]) * settings["iterations"]
    return f"{work:,} gradients of one image each, {text.duration(work / 4_000)} or more"


def _show_luck(record: Record[NoiseStudy]) -> None:
    study, made = (
        record.study,
        NoiseSettings(**{k: v for k, v in record.settings.items() if k != "classes"}),
    )
    ends = list(study.ends.values())
    arrived = sum(each.arrived.successes for each in ends)
    total = sum(each.arrived.total for each in ends)
    st.markdown(
        f"**Was that the start’s luck? {arrived:,} of {total:,} starts end as their class** "
        f":gray[· {text.literal(record.model)}, {study.count} random starts for each; {made.words}]"
    )
    rates = {}
    for each in ends:
        name = record.spec.classes[each.label]
        rates[f"Made into {name}"] = each.arrived
        rates[f"{attack_charts.CONTROL}read as {name} as it starts"] = each.read_before
    draw(
        attack_charts.attack_rates(rates, theme.palette()),
        key="noise-luck-rates",
        alt="How many starts end as each class, and how many are read as it before",
    )
    verdicts = judged({each.label: each.beside_start for each in ends})
    shown = [label for label, verdict in verdicts.items() if verdict.winner > 0]
    st.markdown(
        f"More of them are read as their class than before, for {len(shown)} of {len(ends)} "
        f":gray[· McNemar’s exact test on the same starts, p < 0.05 (Holm, {len(ends)})]"
    )
    names = text.literals(record.spec.classes)
    each_class = [
        [
            (end.images[row], f"**{names[end.label]}** is {text.a(names[end.read[row]])}")
            for row in rows
        ]
        for end in ends
        if len(rows := np.flatnonzero(end.read != end.label))
    ]
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*each_class))
    failed = list(itertools.islice(filter(None, in_turn), _FAILURES))
    if failed:
        images, captions = zip(*failed, strict=True)
        shared.tile_row(np.stack(images), captions, ["A start that did not arrive"] * len(failed))
        st.caption("Starts that did not end as their class, the first of them.")
    else:
        st.caption("No start failed. Brackets: 95 % Wilson intervals.")


NOISE_LUCK = MeasurePanel(
    name="noise_luck",
    title=f"E7 from {TOTAL} starts",
    what="starts",
    question=f"**Was that the start’s luck?** :gray[· not measured yet: {TOTAL} random starts "
    "for each class shown, and what they are read as before anything is done]",
    begin=_begin,
    show=_show_luck,
)
