"""Charts of a noise on many images: by true class, against its scale, models against models."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.statistics.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import DASHES, Palette
from ui.text import full_rate, interval, percent

_ROW, _CELL = 46, 58
_AXIS, _AXES = 30, 56
_SHAPES = ("circle", "circle", "diamond")
_DARK = 0.55  # from this rate on a cell's text is written in the background's color


def by_class(rates: Mapping[str, Mapping[str, Rate]], palette: Palette) -> Chart:
    """Dot and 95 % whisker on a track from 0 to 100 %: rates by series, then by row.

    The first series is the attack, in red and in numbers; the others are controls, gray, with open
    marks below.
    """
    table = pd.DataFrame(
        [
            {
                "series": series,
                "row": row,
                "rate": rate.value if rate.total else None,
                "low": rate.interval[0] if rate.total else None,
                "high": rate.interval[1] if rate.total else None,
                "text": full_rate(rate) if rate.total else "not counted",
                "start": 0.0,
                "end": 1.0,
            }
            for series, of_row in rates.items()
            for row, rate in of_row.items()
        ]
    )
    rows = len(next(iter(rates.values())))
    return Chart(table, _by_class(tuple(rates), rows, palette))


@functools.lru_cache
def _by_class(series: tuple[str, ...], rows: int, palette: Palette) -> dict[str, Any]:
    axis = alt.Axis(
        labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False, labelFlush=False
    )
    names = alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False)
    y = alt.Y("row:N", sort=None, title=None, axis=names)
    x = alt.X("start:Q", scale=alt.Scale(domain=[0, 1]), axis=axis, title=None)
    base = alt.Chart(DATA).encode(
        y=y, tooltip=[alt.Tooltip("series:N", title=" "), "row:N", alt.Tooltip("text:N", title=" ")]
    )
    layers = [base.mark_rule(color=palette.track, strokeWidth=1.5).encode(x=x, x2="end:Q")]
    for number, name in enumerate(series):
        color = palette.against if number == 0 else palette.other
        own = base.transform_filter(alt.datum.series == name)
        below = 10 * number - 4
        whisker = own.mark_rule(color=color, strokeWidth=2, yOffset=below)
        dot = own.mark_point(
            shape=_SHAPES[number % len(_SHAPES)],
            size=60,
            opacity=1,
            stroke=color,
            fill=color if number == 0 else palette.background,
            yOffset=below,
        )
        layers += [whisker.encode(x="low:Q", x2="high:Q"), dot.encode(x="rate:Q")]
    written = base.transform_filter(alt.datum.series == series[0]).mark_text(
        align="right", fontSize=12, dy=-15, color=palette.quiet_text
    )
    layers.append(written.encode(x=alt.datum(1.0), text="text:N"))
    chart = alt.layer(*layers).properties(height=_ROW * rows + _AXIS)
    return specification(chart.configure_view(strokeWidth=0))


def against_scale(
    rates: Mapping[str, Sequence[Rate]],
    scales: Sequence[float],
    palette: Palette,
    *,
    now: float,
    controls: Iterable[str],
) -> Chart:
    """A line with its 95 % band for each series against the scale; a rule stands at `now`.

    Red, then orange; the controls in gray. Each has a dash of its own.
    """
    table = pd.DataFrame(
        [
            {
                "name": name,
                "scale": scale,
                "rate": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "text": full_rate(rate),
                "now": now,
            }
            for name, of_scale in rates.items()
            for scale, rate in zip(scales, of_scale, strict=True)
        ]
    )
    return Chart(table, _against_scale(tuple(rates), tuple(controls), palette))


@functools.lru_cache
def _against_scale(
    names: tuple[str, ...], controls: tuple[str, ...], palette: Palette
) -> dict[str, Any]:
    attack = iter((palette.against, palette.target))
    colors = [palette.other if name in controls else next(attack) for name in names]
    key = alt.Legend(
        title=None,
        orient="top",
        columns=2,
        symbolType="stroke",
        symbolSize=200,
        symbolOpacity=1,
        labelLimit=300,
    )
    color = alt.Color("name:N", scale=alt.Scale(domain=names, range=colors), legend=key)
    dash = alt.StrokeDash(
        "name:N", scale=alt.Scale(domain=names, range=list(DASHES[: len(names)])), legend=key
    )
    x = alt.X("scale:Q", title="scale of the noise", axis=alt.Axis(grid=False, tickCount=5))
    axis = alt.Axis(labelExpr=PERCENT, tickCount=4)
    y = alt.Y("rate:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis)
    base = alt.Chart(DATA).encode(x=x)
    band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title=None), y2="high:Q",
                                               color=color)  # fmt: skip
    tooltip = [alt.Tooltip("name:N", title=" "), "scale:Q", alt.Tooltip("text:N", title=" ")]
    lines = base.mark_line(strokeWidth=2).encode(y=y, color=color, strokeDash=dash)
    points = base.mark_point(filled=True, size=30, opacity=1).encode(
        y=y, color=color, tooltip=tooltip
    )
    rule = alt.Chart(DATA).mark_rule(color=palette.pointer, strokeWidth=1.5).encode(x="max(now):Q")
    return specification(alt.layer(band, lines, points, rule).properties(height=420))


def matrix(
    rates: Mapping[str, Mapping[str, Rate | None]], palette: Palette, *, rows: str, columns: str
) -> Chart:
    """A cell for each row and column with its rate and interval; None is not measured."""
    table = pd.DataFrame(
        [
            {
                "row": row,
                "column": column,
                "rate": None if rate is None else rate.value,
                "text": "not" if rate is None else percent(rate),
                "below": "measured" if rate is None else interval(rate),
                "count": "not measured" if rate is None else full_rate(rate),
            }
            for row, of_column in rates.items()
            for column, rate in of_column.items()
        ]
    )
    return Chart(
        table, _matrix(tuple(rates), tuple(next(iter(rates.values()))), palette, rows, columns)
    )


@functools.lru_cache
def _matrix(
    row_names: tuple[str, ...],
    column_names: tuple[str, ...],
    palette: Palette,
    rows: str,
    columns: str,
) -> dict[str, Any]:
    plain = {"labelAngle": 0, "ticks": False, "domain": False, "labelFlush": False, "grid": False,
             "labelFontSize": 12, "labelLimit": 120}  # fmt: skip
    x = alt.X("column:N", sort=list(column_names), title=columns,
              axis=alt.Axis(orient="top", **plain))  # fmt: skip
    y = alt.Y("row:N", sort=list(row_names), title=rows, axis=alt.Axis(**plain))
    fill = alt.Color(
        "rate:Q",
        scale=alt.Scale(domain=[0, 1], range=list(palette.sequential), interpolate="rgb"),
        legend=None,
    )
    base = alt.Chart(DATA).encode(
        x=x, y=y, tooltip=["row:N", "column:N", alt.Tooltip("count:N", title=" ")]
    )
    unmeasured = base.transform_filter("datum.rate == null").mark_rect(
        fill=palette.paper, stroke=palette.background, strokeWidth=3
    )
    cells = (
        base.transform_filter("datum.rate != null")
        .mark_rect(stroke=palette.background, strokeWidth=3)
        .encode(color=fill)
    )
    ink = alt.condition(
        f"datum.rate != null && datum.rate > {_DARK}",
        alt.value(palette.background),
        alt.value(palette.ink),
    )
    number = base.mark_text(fontSize=14, fontWeight="bold", dy=-7).encode(text="text:N", color=ink)
    below = base.mark_text(fontSize=12, dy=11).encode(text="below:N", color=ink)
    layers = alt.layer(unmeasured, cells, number, below)
    return specification(
        layers.properties(height=_CELL * len(row_names) + _AXES).configure_view(strokeWidth=0)
    )
