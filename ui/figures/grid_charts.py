"""Defenses against attacks as a heat map of rates, and the security that was not there."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.statistics.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import Palette
from ui.text import full_rate, percent

_ROW, _LEAST = 58, 400  # a row, and the whole matrix where there are few
_LOSS_ROW = 46
_DARK = 0.55  # a rate from which it is written in the background's color


def rates_matrix(
    rows: Sequence[str],
    columns: Sequence[str],
    rates: Mapping[tuple[str, str], Rate],
    palette: Palette,
) -> Chart:
    """A rate with its interval in each cell, on a scale from 0 to 1; a click is `cell`.

    rates by row and column; a cell without one is written as not measured.
    """
    table = pd.DataFrame(
        [_cell(row, column, rates.get((row, column))) for row in rows for column in columns]
    )
    return Chart(table, _rates_matrix(tuple(rows), tuple(columns), palette))


def _cell(row: str, column: str, rate: Rate | None) -> dict[str, Any]:
    if rate is None:
        nothing = {"rate": 0.0, "big": "", "small": "", "measured": False}
        return {"row": row, "column": column, **nothing, "full": "not measured"}
    low, high = rate.interval
    return {
        "row": row,
        "column": column,
        "rate": rate.value,
        "big": percent(rate),
        "small": f"{low * 100:.1f} – {high * 100:.1f}",
        "measured": True,
        "full": full_rate(rate),
    }


@functools.lru_cache(maxsize=32)
def _rates_matrix(
    rows: tuple[str, ...], columns: tuple[str, ...], palette: Palette
) -> dict[str, Any]:
    plain = {
        "labelAngle": 0, "ticks": False, "domain": False, "labelFlush": False, "grid": False,
        "labelFontSize": 13, "labelColor": palette.ink, "labelLimit": 170,
    }  # fmt: skip
    weight = alt.condition(f"datum.value == '{columns[0]}'", alt.value("bold"), alt.value("normal"))
    scale = alt.Scale(paddingInner=0.04, paddingOuter=0)
    x = alt.X("column:N", sort=list(columns), title=None, scale=scale,
              axis=alt.Axis(orient="top", labelFontWeight=weight, **plain))  # fmt: skip
    y = alt.Y("row:N", sort=list(rows), title=None, scale=scale,
              axis=alt.Axis(labelExpr="split(datum.label, ' + ')", **plain))  # fmt: skip
    tooltip = [
        alt.Tooltip("row:N", title="defense"),
        alt.Tooltip("column:N", title="attack"),
        alt.Tooltip("full:N", title="right"),
    ]
    base = alt.Chart(DATA).encode(x=x, y=y, tooltip=tooltip)
    color = alt.Color(
        "rate:Q",
        scale=alt.Scale(domain=[0, 1], range=list(palette.sequential), interpolate="rgb"),
        legend=None,
    )
    cells = base.transform_filter("datum.measured").mark_rect(cornerRadius=4).encode(color=color)
    empty = base.transform_filter("!datum.measured").mark_rect(
        cornerRadius=4, fill=palette.paper, fillOpacity=0.5
    )
    ink = alt.condition(
        f"datum.rate > {_DARK}", alt.value(palette.background), alt.value(palette.ink)
    )
    big = base.mark_text(fontSize=15, fontWeight=600, dy=-8).encode(text="big:N", color=ink)
    small = base.mark_text(fontSize=12, dy=11).encode(text="small:N", color=ink)
    nothing = base.transform_filter("!datum.measured").mark_text(
        fontSize=12, color=palette.quiet_text, text="not measured"
    )
    chosen = alt.selection_point(name="cell", fields=["row", "column"], on="click")
    outline = alt.when(chosen, empty=False).then(alt.value(palette.ink))
    frame = (
        base.mark_rect(strokeWidth=2.5, fillOpacity=0, cursor="pointer", cornerRadius=4)
        .encode(stroke=outline.otherwise(alt.value("transparent")))
        .add_params(chosen)
    )
    matrix = alt.layer(cells, empty, nothing, big, small, frame).properties(
        height=max(_LEAST, _ROW * len(rows))
    )
    return specification(matrix.configure_view(strokeWidth=0))


def static_and_adaptive(rates: Mapping[str, tuple[Rate, Rate, Rate]], palette: Palette) -> Chart:
    """For each name what a static attack leaves (ring), an adaptive one (dot), and all (tick)."""
    table = pd.DataFrame(
        [
            {
                "name": name,
                "static": static.value,
                "adaptive": adaptive.value,
                "worst": worst.value,
                "loss": _points(adaptive.value - static.value),
                "static_text": full_rate(static),
                "adaptive_text": full_rate(adaptive),
                "worst_text": full_rate(worst),
                "start": 0.0,
                "end": 1.0,
            }
            for name, (static, adaptive, worst) in rates.items()
        ]
    )
    return Chart(table, _static_and_adaptive(len(rates), palette))


def _points(difference: float) -> str:
    """“−42 points”; empty below half a point."""
    points = round(100 * difference)
    return f"{'−' if points < 0 else '+'}{abs(points)} points" if points else ""


@functools.lru_cache(maxsize=32)
def _static_and_adaptive(count: int, palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(
        labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False, labelFlush=True
    )
    tooltip = [
        alt.Tooltip("name:N", title="defense"),
        alt.Tooltip("static_text:N", title="static"),
        alt.Tooltip("adaptive_text:N", title="adaptive"),
        alt.Tooltip("worst_text:N", title="worst of all"),
    ]
    base = alt.Chart(DATA).encode(y=alt.Y("name:N", sort=None, axis=None), tooltip=tooltip)
    track = base.mark_rule(color=palette.track, strokeWidth=2, yOffset=9).encode(
        x=alt.X("start:Q", scale=scale, axis=axis, title=None), x2="end:Q"
    )
    bar = base.mark_rule(color=palette.against, strokeWidth=4, opacity=0.4, yOffset=9).encode(
        x="adaptive:Q", x2="static:Q"
    )
    ring = base.mark_point(
        size=90, stroke=palette.other, fill=palette.background, opacity=1, yOffset=9
    ).encode(x="static:Q")
    dot = base.mark_point(size=80, filled=True, color=palette.against, opacity=1, yOffset=9).encode(
        x="adaptive:Q"
    )
    tick = base.mark_tick(color=palette.ink, thickness=2, size=16, yOffset=9).encode(x="worst:Q")
    name = base.mark_text(align="left", fontSize=13, dy=-8, color=palette.ink).encode(
        x=alt.datum(0.0), text="name:N"
    )
    loss = base.mark_text(
        align="right", fontSize=12, fontWeight=600, dy=-8, color=palette.against
    ).encode(x=alt.datum(1.0), text="loss:N")
    layers = alt.layer(track, bar, ring, dot, tick, name, loss)
    return specification(layers.properties(height=_LOSS_ROW * count).configure_view(strokeWidth=0))
