"""Accuracy against ε: a line with its band for each classifier, and the cursor."""

import functools
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.statistics.rate import Rate
from core.studies.robustness_curve import Curve
from ui.figures.charts import DATA, Chart, specification
from ui.figures.palette import DASHES, Palette
from ui.text import full_rate

_LABELS = "datum.value == 0 ? '' : format(datum.value * 100, '.0f') + ' %'"


def accuracy_against_epsilon(
    curves: Sequence[Curve],
    palette: Palette,
    *,
    largest: float,
    cursor: float,
    title: str,
) -> Chart:
    """A color and a dash for each curve; equal noise in gray rings, what is proven in triangles.

    The plot is as wide as the slider below it: the labels of its y axis stand inside.
    """
    rows = [row for curve in curves for row in _rows(curve)]
    rows.append({"kind": "cursor", "epsilon": cursor})
    table = pd.DataFrame(rows).astype(object)
    names = tuple(curve.name for curve in curves)
    return Chart(
        table.where(table.notna(), None), _accuracy_against_epsilon(names, largest, title, palette)
    )


def _rows(curve: Curve) -> list[dict[str, object]]:
    rows = []
    for point in curve.points:
        rows.append(_row(curve.name, "attack", point.epsilon, point.accuracy))
        rows.append(_row(curve.name, "noise", point.epsilon, point.noise_control))
        if point.proven is not None:
            rows.append(_row(curve.name, "certified", point.epsilon, point.proven))
    return rows


def _row(name: str, kind: str, epsilon: float, rate: Rate) -> dict[str, object]:
    low, high = rate.interval
    return {
        "name": name, "kind": kind, "epsilon": epsilon, "rate": rate.value, "low": low,
        "high": high, "text": full_rate(rate),
    }  # fmt: skip


@functools.lru_cache(maxsize=64)
def _accuracy_against_epsilon(
    names: tuple[str, ...], largest: float, title: str, palette: Palette
) -> dict[str, Any]:
    key = alt.Legend(
        title=None, orient="top", columns=2, symbolType="stroke", symbolSize=300, symbolOpacity=1,
        labelLimit=300, symbolStrokeWidth=2,
    )  # fmt: skip
    colors = list(palette.compared[: len(names)])
    dashes = [DASHES[number % len(DASHES)] for number in range(len(names))]
    color = alt.Color("name:N", scale=alt.Scale(domain=names, range=colors), legend=key)
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=dashes), legend=key)
    x = alt.X(
        "epsilon:Q",
        title=title,
        scale=alt.Scale(domain=[0, largest], nice=False),
        axis=alt.Axis(grid=False, tickCount=7, labelFlush=True),
    )
    inside = alt.Axis(
        labelExpr=_LABELS, tickCount=4, ticks=False, domain=False, labelAlign="left",
        labelBaseline="bottom", labelPadding=-2, labelOffset=-2,
    )  # fmt: skip
    y = alt.Y("rate:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=inside)
    base = alt.Chart(DATA).encode(x=x)
    attack = base.transform_filter("datum.kind == 'attack'")
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("epsilon:Q", title="ε", format=".3~f"),
        alt.Tooltip("text:N", title="stand"),
    ]
    noise = base.transform_filter("datum.kind == 'noise'")
    proven = base.transform_filter("datum.kind == 'certified'")
    layers = (
        noise.mark_line(color=palette.other, strokeWidth=1.25).encode(y=y, detail="name:N"),
        noise.mark_point(
            size=22, stroke=palette.other, fill=palette.background, opacity=1, strokeWidth=1.25
        ).encode(y=y, tooltip=tooltip),
        attack.mark_area(opacity=0.15).encode(
            y=alt.Y("low:Q", title=None, axis=inside), y2="high:Q", color=color
        ),
        attack.mark_line(strokeWidth=2).encode(y=y, color=color, strokeDash=dash),
        attack.mark_point(filled=True, size=32, opacity=1).encode(
            y=y, color=color, tooltip=tooltip
        ),
        proven.mark_line(strokeWidth=1.25).encode(y=y, color=color, strokeDash=dash),
        proven.mark_point(filled=True, size=36, shape="triangle-up", opacity=1).encode(
            y=y, color=color, tooltip=tooltip
        ),
        base.transform_filter("datum.kind == 'cursor'").mark_rule(
            color=palette.pointer, strokeWidth=1.5
        ),
    )
    chart = alt.layer(*layers).properties(height=400)
    built = specification(chart.configure_view(strokeWidth=0))
    # A plot begins as far inside its chart as a slider's track does inside its widget.
    return {**built, "padding": {"left": 0, "right": 0, "top": 4, "bottom": 0}}
