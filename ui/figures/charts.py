"""Altair charts. Each takes numbers and a palette, and knows nothing of where they come from."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.rate import Rate
from ui.figures.palette import DASHES, Palette

PADDING = {"left": 0, "right": 4, "top": 4, "bottom": 0}
PERCENT = "format(datum.value * 100, '.3~f') + ' %'"


def class_bars(
    probabilities: NDArray[np.floating], palette: Palette, *, true: int | None = None
) -> alt.LayerChart:
    """Ten horizontal bars, 0 to 9 from the top; the predicted class in bold ink, the true in green.

    The predicted class takes the true class's color where both are the same; its label is bold.
    """
    predicted = int(np.argmax(probabilities))
    rows = pd.DataFrame(
        {
            "label": [str(number) for number in range(len(probabilities))],
            "p": [float(p) for p in probabilities],
            "text": [f"{p:.3f}" if p >= 0.0005 else "" for p in probabilities],
            "color": [
                palette.true if k == true else palette.ink if k == predicted else palette.other
                for k in range(len(probabilities))
            ],
            "full": 1.0,
        }
    )
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
            labelFontWeight=alt.condition(
                f"datum.value == '{predicted}'", alt.value("bold"), alt.value("normal")
            ),
            labelColor=alt.condition(
                f"datum.value == '{predicted}'",
                alt.value(palette.ink),
                alt.value(palette.quiet_text),
            ),
        ),
    )
    x = alt.X("p:Q", scale=alt.Scale(domain=[0, 1.22]), axis=None)
    base = alt.Chart(rows).encode(y=y)
    track = base.mark_bar(color=palette.track, height=13, cornerRadius=2).encode(
        x=alt.X("full:Q", scale=alt.Scale(domain=[0, 1.22]), axis=None)
    )
    bars = base.mark_bar(height=13, cornerRadius=2).encode(
        x=x, color=alt.Color("color:N", scale=None)
    )
    numbers = base.mark_text(align="left", dx=6, fontSize=12, color=palette.ink).encode(
        x=alt.datum(1.0), text="text:N"
    )
    return (
        alt.layer(track, bars, numbers)
        .properties(height=10 * 22, padding=PADDING)
        .configure_view(strokeWidth=0)
    )


def curves(
    table: pd.DataFrame,
    palette: Palette,
    *,
    names: Sequence[str],
    x_title: str,
    y_title: str,
    log: bool = False,
    percent: bool = False,
    legend: bool = False,
    height: int = 260,
) -> alt.LayerChart:
    """Lines over the columns x, y and name: a dash and a color for each of `names`, an end dot."""
    key = (
        alt.Legend(title=None, orient="top", symbolType="stroke", symbolSize=200)
        if legend
        else None
    )
    color = alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(names), range=list(palette.compared[: len(names)])),
        legend=key,
    )
    dash = alt.StrokeDash(
        "name:N",
        scale=alt.Scale(domain=list(names), range=[DASHES[i % 5] for i in range(len(names))]),
        legend=key,
    )
    x = alt.X("x:Q", title=x_title, axis=alt.Axis(grid=False, tickCount=6, labelFlush=False))
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=True)
    axis = alt.Axis(labelExpr=PERCENT, tickCount=6) if percent else alt.Axis(tickCount=6)
    if log:
        axis = alt.Axis(tickCount=5, labelExpr="format(datum.value, '.2~r')")
    y = alt.Y("y:Q", title=y_title, scale=scale, axis=axis)
    tooltip = [
        alt.Tooltip("name:N", title="run"),
        alt.Tooltip("x:Q", title=x_title, format=",.4~r"),
        alt.Tooltip("y:Q", title=y_title, format=".4f"),
    ]
    base = alt.Chart(table).encode(x=x, y=y, color=color, tooltip=tooltip)
    lines = base.mark_line(strokeWidth=2, clip=True).encode(strokeDash=dash)
    ends = table.loc[table.groupby("name")["x"].idxmax()] if len(table) else table
    dots = (
        alt.Chart(ends)
        .mark_point(filled=True, size=50, opacity=1)
        .encode(x=x, y=y, color=color, tooltip=tooltip)
    )
    return alt.layer(lines, dots).properties(height=height, padding=PADDING)


def confusion(
    counts: NDArray[np.integer], palette: Palette, *, selectable: bool = False, side: int = 33
) -> alt.LayerChart:
    """The confusion matrix: pale green diagonal, mistakes from paper to orange, counts written."""
    true, predicted = np.indices(counts.shape)
    rows = pd.DataFrame(
        {"true": true.ravel(), "predicted": predicted.ravel(), "count": counts.ravel()}
    )
    rows["right"] = rows["true"] == rows["predicted"]
    rows["text"] = rows["count"].map(lambda count: str(count) if count else "")
    largest = max(int(rows.loc[~rows["right"], "count"].max()), 5)
    plain = dict(
        labelAngle=0, ticks=False, domain=False, labelFlush=False, grid=False, labelFontSize=12
    )
    x = alt.X("predicted:O", title="predicted", axis=alt.Axis(orient="top", **plain))
    y = alt.Y("true:O", title="true", axis=alt.Axis(**plain))
    mistakes = alt.Color(
        "count:Q",
        scale=alt.Scale(
            domain=[0, 1, largest], range=[palette.paper, *palette.mistake_cells], interpolate="rgb"
        ),
        legend=None,
    )
    tooltip = ["true:O", "predicted:O", "count:Q"]
    base = alt.Chart(rows).encode(x=x, y=y, tooltip=tooltip)
    picked = alt.selection_point(
        name="cell", fields=["true", "predicted"], on="click", clear="dblclick"
    )
    wrong = base.transform_filter("!datum.right").mark_rect(
        stroke=palette.background, strokeWidth=2
    )
    right = base.transform_filter("datum.right").mark_rect(
        stroke=palette.background, strokeWidth=2, fill=palette.correct_cell
    )
    wrong = wrong.encode(color=mistakes)
    if selectable:
        outline = (
            alt.when(picked, empty=False)
            .then(alt.value(palette.ink))
            .otherwise(alt.value(palette.background))
        )
        cells = base.mark_rect(strokeWidth=2, fillOpacity=0, cursor="pointer").encode(
            stroke=outline
        )
        cells = cells.add_params(picked)
    else:
        cells = base.mark_rect(fillOpacity=0)
    text = base.mark_text(fontSize=11).encode(
        text="text:N",
        color=alt.condition(
            f"!datum.right && datum.count > {0.6 * largest}",
            alt.value(palette.background),
            alt.value(palette.ink),
        ),
    )
    return (
        alt.layer(right, wrong, text, cells)
        .properties(width=10 * side, height=10 * side, padding=PADDING)
        .configure_view(strokeWidth=0)
    )


def rates(rates: Mapping[str, Rate], palette: Palette, *, low: float = 0.0) -> alt.LayerChart:
    """Dot and whisker (95 % Wilson interval) for each named rate, on a track up to 100 %."""
    rows = pd.DataFrame(
        [
            {
                "name": name,
                "rate": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "text": f"{rate.value * 100:.1f} %",
                "count": f"{rate.successes:,} of {rate.total:,}",
                "start": low,
                "end": 1.0,
            }
            for name, rate in rates.items()
        ]
    )
    scale = alt.Scale(domain=[low, 1.0])
    axis = alt.Axis(labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False)
    y = alt.Y(
        "name:N",
        sort=None,
        title=None,
        axis=alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False),
    )
    base = alt.Chart(rows).encode(y=y, tooltip=["name:N", "text:N", "count:N"])
    track = base.mark_rule(color=palette.track, strokeWidth=1.5).encode(
        x=alt.X("start:Q", scale=scale, axis=axis, title=None), x2="end:Q"
    )
    whisker = base.mark_rule(color=palette.true, strokeWidth=2).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title=None), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=70, color=palette.true, opacity=1).encode(x="rate:Q")
    return (
        alt.layer(track, whisker, dot)
        .properties(height=26 * len(rows), padding=PADDING)
        .configure_view(strokeWidth=0)
    )


def as_dict(chart: Any) -> dict[str, Any]:
    """The Vega-Lite specification, for tests."""
    specification: dict[str, Any] = chart.to_dict()
    return specification
