"""Vega-Lite charts of the feature maps page; see ui/figures/charts.py."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.statistics.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import Palette


def by_layer(
    values: Mapping[str, float], palette: Palette, *, title: str, limit: float | None
) -> Chart:
    """One dot for each named layer on a track from 0 to `limit` (or the largest), value written."""
    finite = [abs(value) for value in values.values() if math.isfinite(value)]
    end = limit or max([1.0, *finite])
    table = pd.DataFrame(
        {
            "name": list(values),
            "value": [value if math.isfinite(value) else None for value in values.values()],
            "text": [
                f"{v:.3f}".replace("-", "−") if math.isfinite(v) else "none"
                for v in values.values()
            ],
            "start": 0.0,
            "end": end,
        }
    )
    low = min(0.0, *finite, *(v for v in values.values() if math.isfinite(v)))
    return Chart(table, _by_layer(tuple(values), round(low, 2), round(end, 2), title, palette))


@functools.lru_cache
def _by_layer(
    names: tuple[str, ...], low: float, end: float, title: str, palette: Palette
) -> dict[str, Any]:
    x = alt.X(
        "value:Q",
        title=title,
        scale=alt.Scale(domain=[low, end * 1.18], nice=False),
        axis=alt.Axis(grid=False, tickCount=4, domain=False, ticks=False),
    )
    labels = alt.Axis(
        ticks=False, domain=False, labelFontSize=13, labelFlush=False, labelOverlap=False
    )
    base = alt.Chart(DATA).encode(y=alt.Y("name:N", sort=None, title=None, axis=labels))
    track = base.mark_rule(color=palette.track, strokeWidth=1.5).encode(
        x=alt.X("start:Q"), x2="end:Q"
    )
    dot = base.mark_point(filled=True, size=70, color=palette.ink, opacity=1).encode(x=x)
    number = base.mark_text(align="left", dx=10, fontSize=12, color=palette.ink).encode(
        x=x, text="text:N"
    )
    layered = alt.layer(track, dot, number).properties(height=34 * len(names))
    return specification(layered.configure_view(strokeWidth=0))


def before_and_after(
    before: Mapping[str, Rate], after: Mapping[str, Rate], palette: Palette, *, low: float
) -> Chart:
    """For each name a gray ring (before) and a dot with its 95 % Wilson interval (after)."""
    table = pd.DataFrame(
        [
            {
                "name": name,
                "before": before[name].value,
                "before_low": before[name].interval[0],
                "before_high": before[name].interval[1],
                "after": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "was": f"{before[name].value * 100:.1f} %",
                "now": f"{rate.value * 100:.1f} %",
                "change": _points(rate.value - before[name].value),
                "start": low,
                "end": 1.0,
            }
            for name, rate in after.items()
        ]
    )
    return Chart(table, _before_and_after(len(after), low, palette))


def _points(change: float) -> str:
    """“−1.2”, nothing where nothing changes."""
    return f"{change * 100:+.1f}".replace("-", "−") if change else ""


@functools.lru_cache
def _before_and_after(count: int, low: float, palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=[low, 1 + (1 - low) * 0.12], nice=False)
    axis = alt.Axis(labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False)
    names = alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False)
    base = alt.Chart(DATA).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=names),
        tooltip=["name:N", "was:N", "now:N", "change:N"],
    )

    def at(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis, title=None)

    track = base.mark_rule(color=palette.track, strokeWidth=1.5).encode(x=at("start"), x2="end:Q")
    ring = base.mark_point(size=80, color=palette.other, strokeWidth=2, opacity=1).encode(
        x=at("before")
    )
    old = base.mark_rule(color=palette.other, strokeWidth=1.5, yOffset=5).encode(
        x=at("before_low"), x2="before_high:Q"
    )
    whisker = base.mark_rule(color=palette.true, strokeWidth=2).encode(x=at("low"), x2="high:Q")
    dot = base.mark_point(filled=True, size=60, color=palette.true, opacity=1).encode(x=at("after"))
    change = base.mark_text(align="right", fontSize=12, color=palette.quiet_text).encode(
        x=alt.value("width"), text="change:N"
    )
    layered = alt.layer(track, old, ring, whisker, dot, change).properties(height=26 * count)
    return specification(layered.configure_view(strokeWidth=0))
