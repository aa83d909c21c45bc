"""Charts of the class images page: made images among real ones, and what became of the logits."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ui.figures.charts import DATA, Chart, specification
from ui.figures.palette import Palette
from ui.text import signed

_ROW, _AXES = 30, 46


@dataclass(frozen=True, eq=False)
class ClassRow:
    """A made image's value among those of real images [n], and the mean of its shuffled pixels."""

    name: str
    made: float
    shuffled: float
    real: NDArray[np.floating]


def among_real(rows: Sequence[ClassRow], palette: Palette, *, x_title: str) -> Chart:
    """For each row the range of real images (line), its middle 90 % (bar), the made one (dot).

    The gray ring is the made image with its pixels shuffled.
    """
    table = pd.DataFrame(
        [
            {
                "name": row.name,
                "low": float(row.real.min()),
                "high": float(row.real.max()),
                "from": float(np.quantile(row.real, 0.05)),
                "to": float(np.quantile(row.real, 0.95)),
                "median": float(np.median(row.real)),
                "made": row.made,
                "shuffled": row.shuffled,
            }
            for row in rows
        ]
    )
    return Chart(table, _among_real(len(rows), palette, x_title))


@functools.lru_cache
def _among_real(count: int, palette: Palette, x_title: str) -> dict[str, Any]:
    names = alt.Axis(
        ticks=False, domain=False, labelFontSize=13, labelFlush=False, labelOverlap=False
    )
    axis = alt.Axis(grid=False, tickCount=6, domain=False, labelFlush=False)
    shown = [
        alt.Tooltip(f"{field}:Q", title=title, format=".2f")
        for field, title in (
            ("made", "made image"),
            ("shuffled", "its pixels shuffled"),
            ("high", "largest real"),
            ("median", "median of real"),
            ("low", "smallest real"),
        )
    ]
    base = alt.Chart(DATA).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=names), tooltip=["name:N", *shown]
    )

    def at(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=x_title, axis=axis, scale=alt.Scale(nice=True, zero=False))

    layers = (
        base.mark_rule(color=palette.other, strokeWidth=1.5).encode(x=at("low"), x2="high:Q"),
        base.mark_bar(color=palette.other, height=9, cornerRadius=2).encode(
            x=at("from"), x2="to:Q"
        ),
        base.mark_tick(color=palette.ink, thickness=2, size=15).encode(x=at("median")),
        base.mark_point(
            size=70, stroke=palette.other, fill=palette.background, strokeWidth=2, opacity=1
        ).encode(x=at("shuffled")),
        base.mark_point(size=80, filled=True, color=palette.target, opacity=1).encode(x=at("made")),
    )
    chart = alt.layer(*layers).properties(height=_ROW * count + _AXES)
    return specification(chart.configure_view(strokeWidth=0))


def logit_changes(
    change: NDArray[np.floating],
    shuffled: NDArray[np.floating],
    names: Sequence[str],
    palette: Palette,
) -> Chart:
    """A bar a class from 0, blue up, orange down; the gray ring: the mean of shuffled pixels."""
    limit = float(max(np.abs(change).max(), np.abs(shuffled).max(), 1))
    table = pd.DataFrame(
        {
            "label": list(names),
            "change": [float(value) for value in change],
            "shuffled": [float(value) for value in shuffled],
            "text": [signed(float(value), 1) for value in change],
            "color": [palette.gain if value > 0 else palette.target for value in change],
        }
    )
    return Chart(table, _logit_changes(float(np.ceil(limit / 5) * 5), len(change), palette))


@functools.lru_cache
def _logit_changes(limit: float, classes: int, palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=[-limit, limit * 1.15])
    labels = alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False)
    axis = alt.Axis(grid=False, tickCount=5, domain=False, labelFlush=False)
    base = alt.Chart(DATA).encode(y=alt.Y("label:N", sort=None, title=None, axis=labels))
    x = alt.X("change:Q", scale=scale, axis=axis, title="change of the logit")
    bars = base.mark_bar(height=13, cornerRadius=2).encode(
        x=x, color=alt.Color("color:N", scale=None)
    )
    ring = base.mark_point(
        size=60, stroke=palette.other, fill=palette.background, strokeWidth=2, opacity=1
    ).encode(x=alt.X("shuffled:Q", scale=scale, axis=axis))
    numbers = base.mark_text(align="right", fontSize=12, color=palette.ink).encode(
        x=alt.value("width"), text="text:N"
    )
    chart = alt.layer(bars, ring, numbers).properties(height=classes * 22 + _AXES)
    return specification(chart.configure_view(strokeWidth=0))
