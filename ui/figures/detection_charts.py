"""Charts of a detector: ROC curves, the scores of clean and attacked images."""

import functools
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from core.arrays import FloatArray
from core.statistics.roc import roc
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import DASHES, Palette

_BINS = 40
CLEAN, ATTACKED = "clean", "attacked"


def curves(
    clean: FloatArray,
    attacks: Mapping[str, FloatArray],
    palette: Palette,
    *,
    controls: tuple[str, ...],
    threshold: float,
) -> Chart:
    """A ROC curve for each attack with the point of the threshold; gray for `controls`."""
    rows = [{"kind": "chance", "name": None, "x": end, "y": end, "order": end} for end in (0, 1)]
    for name, scores in attacks.items():
        false, found = roc(clean, scores)
        rows += [
            {"kind": "curve", "name": name, "x": x, "y": y, "order": order}
            for order, (x, y) in enumerate(zip(false, found, strict=True))
        ]
        here = float((clean > threshold).mean()), float((scores > threshold).mean())
        rows.append({"kind": "here", "name": name, "x": here[0], "y": here[1], "order": 0})
    return Chart(pd.DataFrame(rows), _curves(tuple(attacks), controls, palette))


@functools.lru_cache
def _curves(names: tuple[str, ...], controls: tuple[str, ...], palette: Palette) -> dict[str, Any]:
    compared = iter(palette.compared)
    colors = [palette.other if name in controls else next(compared) for name in names]
    dashes = [DASHES[at % len(DASHES)] for at in range(len(names))]
    key = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolSize=200, columns=2, labelLimit=300,
        symbolOpacity=1,
    )  # fmt: skip
    color = alt.Color("name:N", scale=alt.Scale(domain=names, range=colors), legend=key)
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=dashes), legend=key)
    axis = alt.Axis(labelExpr=PERCENT, tickCount=5, labelFlush=False)
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(DATA).encode(
        x=alt.X("x:Q", title="false positives", scale=scale, axis=axis),
        y=alt.Y("y:Q", title="detected", scale=scale, axis=axis),
    )
    chance = base.transform_filter("datum.kind == 'chance'").mark_line(
        color=palette.track, strokeWidth=1.5
    )
    lines = (
        base.transform_filter("datum.kind == 'curve'")
        .mark_line(strokeWidth=2, clip=True)
        .encode(color=color, strokeDash=dash, order="order:Q")
    )
    here = (
        base.transform_filter("datum.kind == 'here'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            color=color,
            tooltip=[
                alt.Tooltip("name:N", title=" "),
                alt.Tooltip("x:Q", title="false positives", format=".1%"),
                alt.Tooltip("y:Q", title="detected", format=".1%"),
            ],
        )
    )
    return specification(alt.layer(chance, lines, here).properties(height=360))


def scores(clean: FloatArray, attacked: FloatArray, threshold: float, palette: Palette) -> Chart:
    """The share of clean and of attacked images in each bin of the score, and the threshold."""
    both = np.concatenate([clean, attacked])
    edges = np.linspace(0, float(max(both.max(initial=0), threshold, 1e-6)) * 1.02, _BINS + 1)
    rows = [
        {"kind": kind, "low": low, "high": high, "share": share, "zero": 0.0, "at": threshold}
        for kind, some in ((CLEAN, clean), (ATTACKED, attacked))
        for low, high, share in zip(
            edges[:-1], edges[1:], np.histogram(some, edges)[0] / max(len(some), 1), strict=True
        )
    ]
    return Chart(pd.DataFrame(rows), _scores(palette))


@functools.lru_cache
def _scores(palette: Palette) -> dict[str, Any]:
    names = [CLEAN, ATTACKED]
    key = alt.Legend(title=None, orient="top", symbolType="square", symbolOpacity=1)
    scale = alt.Scale(domain=names, range=[palette.other, palette.against])
    base = alt.Chart(DATA)
    x = alt.X("low:Q", title="score", scale=alt.Scale(nice=False),
              axis=alt.Axis(grid=False, tickCount=5, labelFlush=False))  # fmt: skip
    bars = base.mark_bar(opacity=0.6, binSpacing=0).encode(
        x=x,
        x2="high:Q",
        y=alt.Y("share:Q", title=None, stack=None, axis=alt.Axis(labelExpr=PERCENT, tickCount=4)),
        y2="zero:Q",
        color=alt.Color("kind:N", scale=scale, legend=key),
        tooltip=[
            alt.Tooltip("kind:N", title=" "),
            alt.Tooltip("low:Q", title="from", format=".4~f"),
            alt.Tooltip("high:Q", title="to", format=".4~f"),
            alt.Tooltip("share:Q", title="share", format=".1%"),
        ],
    )
    rule = base.mark_rule(color=palette.pointer, strokeWidth=2).encode(x="max(at):Q")
    return specification(alt.layer(bars, rule).properties(height=360))
