"""Charts of whether a map tells the truth: curves in its order, and means with their intervals."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
from numpy.typing import NDArray

from core.studies.fidelity_study import MapScore
from ui.figures.charts import DATA, Chart, specification
from ui.figures.palette import DASHES, Palette

_LOWEST = -0.2


def fidelity_curves(
    shares: NDArray[Any], curves: Mapping[str, NDArray[Any]], palette: Palette, *, x_title: str
) -> Chart:
    """Probability 0 to 1 against the share of pixels: the map first, then its controls in gray."""
    table = pd.concat(
        pd.DataFrame({"name": name, "x": shares, "p": values}) for name, values in curves.items()
    )
    return Chart(table, _fidelity_curves(tuple(curves), palette, x_title))


@functools.lru_cache
def _fidelity_curves(names: tuple[str, ...], palette: Palette, x_title: str) -> dict[str, Any]:
    key = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=120)
    colors = [palette.gain, *[palette.other] * (len(names) - 1)]
    percent = "format(datum.value * 100, '.0f') + ' %'"
    lines = (
        alt.Chart(DATA)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                "x:Q",
                title=x_title,
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(grid=False, tickCount=5, labelExpr=percent, labelFlush=False),
            ),
            y=alt.Y("p:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=4)),
            color=alt.Color("name:N", scale=alt.Scale(domain=names, range=colors), legend=key),
            strokeDash=alt.StrokeDash(
                "name:N",
                scale=alt.Scale(domain=names, range=list(DASHES[: len(names)])),
                legend=key,
            ),
            tooltip=[
                alt.Tooltip("name:N", title=" "),
                alt.Tooltip("x:Q", title="pixels", format=".0%"),
                alt.Tooltip("p:Q", format=".3f"),
            ],
        )
    )
    return specification(lines.properties(height=220))


def scores(scores: Sequence[MapScore], palette: Palette) -> Chart:
    """Dot and 95 % whisker for each map, a gray ring for each control, on one axis up to 1."""
    table = pd.DataFrame(
        [
            {
                "name": each.name,
                "mean": each.score.value,
                "low": max(each.score.low, _LOWEST),
                "high": min(each.score.high, 1.0),
                "control": each.is_control,
            }
            for each in scores
        ]
    )
    return Chart(table, _scores(len(scores), palette))


@functools.lru_cache
def _scores(count: int, palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=[_LOWEST, 1.0], nice=False)
    axis = alt.Axis(tickCount=6, grid=False, domain=False, ticks=False)
    names = alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False, labelLimit=200)
    base = alt.Chart(DATA).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=names),
        color=alt.condition("datum.control", alt.value(palette.other), alt.value(palette.gain)),
        tooltip=[
            "name:N",
            *(alt.Tooltip(f"{each}:Q", format=".3f") for each in ("mean", "low", "high")),
        ],
    )
    whisker = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title="insertion − deletion area"), x2="high:Q"
    )
    dot = base.mark_point(size=70, opacity=1, strokeWidth=2).encode(
        x="mean:Q",
        fill=alt.condition("datum.control", alt.value(palette.background), alt.value(palette.gain)),
    )
    layers = alt.layer(whisker, dot).properties(height=28 * count)
    return specification(layers.configure_view(strokeWidth=0))
