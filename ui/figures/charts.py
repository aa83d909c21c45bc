"""Vega-Lite charts. Each takes numbers and a palette, and knows nothing of where they come from.

A chart is a table and a specification. The specification depends on few things and is built
with Altair once for each: that takes 50 ms, and live charts are drawn twice a second.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.statistics.rate import Rate
from ui.figures.palette import DASHES, Palette

PERCENT = "format(datum.value * 100, '.3~f') + ' %'"
_UPRIGHT = 3  # letters of a name that stand above a column without touching the next
_PADDING = {"left": 0, "right": 4, "top": 4, "bottom": 0}
DATA = alt.NamedData("table")


@dataclass(frozen=True, eq=False)
class Chart:
    """Rows to draw, and how."""

    table: pd.DataFrame
    specification: dict[str, Any]


def specification(chart: alt.Chart | alt.LayerChart) -> dict[str, Any]:
    """What Vega-Lite draws, with the room that every chart keeps at its edges."""
    built: dict[str, Any] = chart.properties(padding=_PADDING).to_dict()
    return built


def class_bars(
    probabilities: NDArray[np.floating],
    names: Sequence[str],
    palette: Palette,
    *,
    true: int | None = None,
    target: int | None = None,
) -> Chart:
    """A horizontal bar a class from the top; the predicted one in bold ink, the true in green.

    The predicted class takes the true class's color where both are the same, and the target's
    orange goes before both; its label is bold.
    """
    predicted = int(np.argmax(probabilities))
    colors = [palette.other] * len(probabilities)
    colors[predicted] = palette.ink
    if true is not None:
        colors[true] = palette.true
    if target is not None:
        colors[target] = palette.target
    table = pd.DataFrame(
        {
            "label": list(names),
            "p": [float(p) for p in probabilities],
            "text": [f"{p:.3f}" if p >= 0.0005 else "" for p in probabilities],
            "color": colors,
            "full": 1.0,
        }
    )
    return Chart(table, _class_bars(names[predicted], len(probabilities), palette))


@functools.lru_cache
def _class_bars(predicted: str, classes: int, palette: Palette) -> dict[str, Any]:
    is_predicted = f"datum.value == {json.dumps(predicted)}"
    y = alt.Y(
        "label:N",
        sort=None,
        title=None,
        axis=alt.Axis(
            labelFontSize=13,
            ticks=False,
            domain=False,
            labelPadding=6,
            labelFlush=False,
            labelFontWeight=alt.condition(is_predicted, alt.value("bold"), alt.value("normal")),
            labelColor=alt.condition(
                is_predicted, alt.value(palette.ink), alt.value(palette.quiet_text)
            ),
        ),
    )
    scale = alt.Scale(domain=[0, 1.22])  # room for the number right of the track
    base = alt.Chart(DATA).encode(y=y)
    track = base.mark_bar(color=palette.track, height=13, cornerRadius=2).encode(
        x=alt.X("full:Q", scale=scale, axis=None)
    )
    bars = base.mark_bar(height=13, cornerRadius=2).encode(
        x=alt.X("p:Q", scale=scale, axis=None), color=alt.Color("color:N", scale=None)
    )
    numbers = base.mark_text(align="left", dx=6, fontSize=12, color=palette.ink).encode(
        x=alt.datum(1.0), text="text:N"
    )
    layers = alt.layer(track, bars, numbers).properties(height=classes * 22)
    return specification(layers.configure_view(strokeWidth=0))


def curves(
    table: pd.DataFrame,
    palette: Palette,
    *,
    names: list[str],
    x_title: str,
    log: bool = False,
    percent: bool = False,
    legend: bool = False,
    height: int = 260,
) -> Chart:
    """Lines over the columns x, y and name: a dash and a color for each of `names`, an end dot."""
    style = (tuple(names), palette, x_title, log, percent, legend, height)
    return Chart(table, _curves(*style))


@functools.lru_cache
def _curves(
    names: tuple[str, ...],
    palette: Palette,
    x_title: str,
    log: bool,
    percent: bool,
    legend: bool,
    height: int,
) -> dict[str, Any]:
    key = alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=200)
    colors = list(palette.compared[: len(names)])
    dashes = [DASHES[number % len(DASHES)] for number in range(len(names))]
    color = alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(names), range=colors),
        legend=key if legend else None,
    )
    dash = alt.StrokeDash(
        "name:N",
        scale=alt.Scale(domain=list(names), range=dashes),
        legend=key if legend else None,
    )
    x = alt.X("x:Q", title=x_title, axis=alt.Axis(grid=False, tickCount=6, labelFlush=False))
    labels = PERCENT if percent else "format(datum.value, '.2~g')"
    y = alt.Y(
        "y:Q",
        title=None,
        scale=alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=True),
        axis=alt.Axis(labelExpr=labels, tickCount=5 if log else 6),
    )
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("x:Q", title=x_title, format=",.4~r"),
        alt.Tooltip("y:Q", title="value", format=".4f"),
    ]
    base = alt.Chart(DATA).encode(x=x, y=y, color=color, tooltip=tooltip)
    lines = base.mark_line(strokeWidth=2, clip=True).encode(strokeDash=dash)
    ends = (
        base.transform_joinaggregate(last="max(x)", groupby=["name"])
        .transform_filter("datum.x == datum.last")
        .mark_point(filled=True, size=50, opacity=1)
    )
    return specification(alt.layer(lines, ends).properties(height=height))


def confusion(
    counts: NDArray[np.integer],
    names: Sequence[str],
    palette: Palette,
    *,
    selectable: bool = False,
    side: int = 33,
) -> Chart:
    """The confusion matrix: pale green diagonal, mistakes from paper to orange, counts written.

    Where it is selectable, a click on a cell is the selection `cell` of true and predicted.
    """
    true, predicted = np.indices(counts.shape)
    table = pd.DataFrame(
        {"true": true.ravel(), "predicted": predicted.ravel(), "count": counts.ravel()}
    )
    table["right"] = table["true"] == table["predicted"]
    for column in ("true", "predicted"):
        table[f"{column}_name"] = [names[label] for label in table[column]]
    table["text"] = table["count"].map(lambda count: str(count) if count else "")
    largest = max(int(table.loc[~table["right"], "count"].max()), 5)
    return Chart(table, _confusion(largest, tuple(names), palette, selectable, side))


@functools.lru_cache
def _confusion(
    largest: int, names: tuple[str, ...], palette: Palette, selectable: bool, side: int
) -> dict[str, Any]:
    x = alt.X("predicted:O", title="predicted", axis=matrix_axis(names, orient="top"))
    y = alt.Y("true:O", title="true", axis=matrix_axis(names))
    mistakes = alt.Color(
        "count:Q",
        scale=alt.Scale(
            domain=[0, 1, largest], range=[palette.paper, *palette.mistake_cells], interpolate="rgb"
        ),
        legend=None,
    )
    border = {"stroke": palette.background, "strokeWidth": 2}
    base = alt.Chart(DATA).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("true_name:N", title="true"),
            alt.Tooltip("predicted_name:N", title="predicted"),
            "count:Q",
        ],
    )
    right = base.transform_filter("datum.right").mark_rect(fill=palette.correct_cell, **border)
    wrong = base.transform_filter("!datum.right").mark_rect(**border).encode(color=mistakes)
    dark = f"!datum.right && datum.count > {0.6 * largest}"
    text = base.mark_text(fontSize=11).encode(
        text="text:N",
        color=alt.condition(dark, alt.value(palette.background), alt.value(palette.ink)),
    )
    layers = [right, wrong, text]
    if selectable:
        cell = alt.selection_point(name="cell", fields=["true", "predicted"], on="click")
        outline = alt.when(cell, empty=False).then(alt.value(palette.ink))
        layers.append(
            base.mark_rect(strokeWidth=2, fillOpacity=0, cursor="pointer")
            .encode(stroke=outline.otherwise(alt.value("transparent")))
            .add_params(cell)
        )
    matrix = alt.layer(*layers).properties(height=len(names) * side)
    return specification(matrix.configure_view(strokeWidth=0))


def matrix_axis(names: Sequence[str], **more: Any) -> alt.Axis:
    """The axis of a matrix whose rows or columns are numbers of classes: it writes their names."""
    aslant = more.get("orient") == "top" and max(map(len, names)) > _UPRIGHT
    return alt.Axis(
        labelExpr=f"{json.dumps(list(names))}[datum.value]",
        labelAngle=-45 if aslant else 0,
        labelOverlap=False,
        ticks=False,
        domain=False,
        labelFlush=False,
        grid=False,
        labelFontSize=12,
        **more,
    )


def rates(rates: Mapping[str, Rate], palette: Palette, *, low: float = 0.0) -> Chart:
    """Dot and whisker (95 % Wilson interval) for each named rate, on a track up to 100 %."""
    table = pd.DataFrame(
        [
            {
                "name": name,
                "rate": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "percent": f"{rate.value * 100:.1f} %",
                "count": f"{rate.successes:,} of {rate.total:,}",
                "start": low,
                "end": 1.0,
            }
            for name, rate in rates.items()
        ]
    )
    return Chart(table, _rates(len(rates), low, palette))


@functools.lru_cache
def _rates(count: int, low: float, palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=[low, 1.0])
    axis = alt.Axis(labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False)
    names = alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False)
    base = alt.Chart(DATA).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=names),
        tooltip=["name:N", "percent:N", "count:N"],
    )
    track = base.mark_rule(color=palette.track, strokeWidth=1.5).encode(
        x=alt.X("start:Q", scale=scale, axis=axis, title=None), x2="end:Q"
    )
    whisker = base.mark_rule(color=palette.true, strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title=None), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=70, color=palette.true, opacity=1).encode(x="rate:Q")
    layers = alt.layer(track, whisker, dot).properties(height=26 * count)
    return specification(layers.configure_view(strokeWidth=0))
