"""The evidence of the masking checks: accuracy over effort, values by image, and a loss surface."""

import functools
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.statistics.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import Palette
from ui.text import full_rate

_BINS = 20


def standing(
    places: Sequence[float], rates: Sequence[Rate], palette: Palette, *, title: str
) -> Chart:
    """What stands at each place of an axis from 0 on: a red line with its 95 % band."""
    table = pd.DataFrame(
        [
            {
                "x": place, "rate": rate.value, "low": rate.interval[0], "high": rate.interval[1],
                "text": full_rate(rate),
            }
            for place, rate in zip(places, rates, strict=True)
        ]
    )  # fmt: skip
    return Chart(table, _standing(title, palette))


@functools.lru_cache
def _standing(title: str, palette: Palette) -> dict[str, Any]:
    x = alt.X("x:Q", title=title, axis=alt.Axis(grid=False, tickCount=6, labelFlush=False))
    axis = alt.Axis(labelExpr=PERCENT, tickCount=4)
    base = alt.Chart(DATA).encode(x=x)
    y = alt.Y("rate:Q", title="stand", scale=alt.Scale(domain=[0, 1]), axis=axis)
    band = base.mark_area(color=palette.against, opacity=0.15).encode(
        y=alt.Y("low:Q", title="stand", axis=axis), y2="high:Q"
    )
    line = base.mark_line(color=palette.against, strokeWidth=2).encode(y=y)
    dots = base.mark_point(color=palette.against, filled=True, size=50, opacity=1).encode(
        y=y, tooltip=[alt.Tooltip("x:Q", title=title), alt.Tooltip("text:N", title="stand")]
    )
    return specification(alt.layer(band, line, dots).properties(height=190))


def distribution(
    values: NDArray[np.floating], palette: Palette, *, title: str, low: float, mark: float | None
) -> Chart:
    """How many of the finite values lie in each of 20 bins from `low` to 1; a rule at `mark`."""
    counts, edges = np.histogram(np.clip(values[np.isfinite(values)], low, 1), _BINS, (low, 1))
    table = pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "count": counts, "zero": 0, "mark": mark}
    ).astype(object)
    return Chart(
        table.where(table.notna(), None), _distribution(title, low, mark is not None, palette)
    )


@functools.lru_cache
def _distribution(title: str, low: float, marked: bool, palette: Palette) -> dict[str, Any]:
    base = alt.Chart(DATA)
    x = alt.X(
        "low:Q", title=title, scale=alt.Scale(domain=[low, 1]),
        axis=alt.Axis(grid=False, tickCount=5, labelFlush=False),
    )  # fmt: skip
    bars = base.mark_bar(color=palette.against, binSpacing=1).encode(
        x=x,
        x2="high:Q",
        y=alt.Y("count:Q", title="images", axis=alt.Axis(tickMinStep=1, tickCount=4)),
        y2="zero:Q",
        tooltip=[alt.Tooltip("low:Q", title="from", format=".2f"), "count:Q"],
    )
    layers = [bars]
    if marked:
        layers.append(base.mark_rule(color=palette.ink, strokeDash=[4, 3]).encode(x="max(mark):Q"))
    return specification(alt.layer(*layers).properties(height=190))


def surface(
    along: NDArray[np.floating], rise: NDArray[np.floating], palette: Palette, *, epsilon: float
) -> Chart:
    """The margin's rise [m, m] on a plane: x along the gradient's sign, y along random signs.

    Orange where the margin falls, blue where it rises, on ± `reach_of` the surface.
    """
    half = float(along[1] - along[0]) / 2
    columns, rows = np.meshgrid(along * epsilon, along * epsilon)
    reach = reach_of(rise)
    half *= epsilon
    table = pd.DataFrame(
        {
            "x": (columns - half).ravel(), "x2": (columns + half).ravel(),
            "y": (rows - half).ravel(), "y2": (rows + half).ravel(),
            "rise": rise.ravel().astype(float), "share": (rise / reach).ravel().astype(float),
        }
    )  # fmt: skip
    edges = (round(-half, 5), round(epsilon + half, 5))
    return Chart(table, _surface(edges, palette))


def reach_of(rise: NDArray[np.floating]) -> float:
    """The range ± of a surface's scale: its largest rise or fall, rounded up to 1, 2 or 5."""
    largest = max(float(np.abs(rise).max()), 1e-3)
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(power * each for each in (1, 2, 5, 10) if power * each >= largest * 0.999))


@functools.lru_cache(maxsize=32)
def _surface(edges: tuple[float, float], palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=list(edges), nice=False)
    axis = alt.Axis(grid=False, tickCount=4, labelFlush=False)
    stops = np.linspace(-1, 1, len(palette.signed)).tolist()
    colors = alt.Scale(type="linear", domain=stops, range=list(palette.signed), interpolate="rgb")
    color = alt.Color("share:Q", legend=None, scale=colors)
    stroke = alt.Stroke("share:Q", legend=None, scale=colors)  # else seams show between cells
    cells = (
        alt.Chart(DATA)
        .mark_rect(clip=True, strokeWidth=0.75)
        .encode(
            x=alt.X("x:Q", scale=scale, axis=axis, title="ε along the gradient’s sign"),
            x2="x2:Q",
            y=alt.Y("y:Q", scale=scale, axis=axis, title="ε along random signs"),
            y2="y2:Q",
            color=color,
            stroke=stroke,
            tooltip=[alt.Tooltip("rise:Q", title="rise of the margin", format="+.2f")],
        )
    )
    return specification(cells.properties(height=260).configure_view(strokeWidth=0))
