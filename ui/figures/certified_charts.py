"""Charts of what is proven: bounds against ε, their looseness by layer, certified accuracy."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.certification.growth import Growth, Looseness
from core.statistics.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import Palette
from ui.text import full_rate

ELIDED, PLAIN = "last layer elided", "from the ends of the logits"
CERTIFIED, ATTACKED, CLEAN = "certified", "attacked", "clean"
_ROLES = {CERTIFIED: "gain", ATTACKED: "against"}
_DASHES = {CERTIFIED: [1, 0], ATTACKED: [6, 3]}
_HEIGHT = 300
_EPSILON = alt.Axis(grid=False, tickCount=5, labelFlush=False)


def logit_bands(growth: Growth, label: int, names: Sequence[str], palette: Palette) -> Chart:
    """A band for each logit against ε: the class `label` in green, others in gray."""
    count, classes = growth.logits.lower.shape
    table = pd.DataFrame(
        {
            "epsilon": growth.epsilons.repeat(classes),
            "class": np.tile(np.array(names), count),
            "low": growth.logits.lower.ravel(),
            "high": growth.logits.upper.ravel(),
        }
    )
    table["own"] = table["class"] == names[label]
    return Chart(table, _logit_bands(palette))


@functools.lru_cache
def _logit_bands(palette: Palette) -> dict[str, Any]:
    x = alt.X("epsilon:Q", title="ε", scale=alt.Scale(nice=False), axis=_EPSILON)
    y = alt.Y("low:Q", title="logit", axis=alt.Axis(tickCount=5))
    tooltip = [
        alt.Tooltip("class:N"),
        alt.Tooltip("epsilon:Q", title="ε", format=".4~r"),
        alt.Tooltip("low:Q", title="at least", format=".2f"),
        alt.Tooltip("high:Q", title="at most", format=".2f"),
    ]
    layers = []
    for own, color, opacity in ((False, palette.other, 0.14), (True, palette.true, 0.4)):
        some = alt.Chart(DATA).transform_filter(alt.datum.own == own).encode(x=x, detail="class:N")
        layers.append(
            some.mark_area(color=color, opacity=opacity).encode(y=y, y2="high:Q", tooltip=tooltip)
        )
        for edge in ("low:Q", "high:Q"):
            layers.append(
                some.mark_line(color=color, strokeWidth=1.5 if own else 0.75).encode(
                    y=alt.Y(edge, title="logit")
                )
            )
    ends = (
        alt.Chart(DATA)
        .transform_joinaggregate(last="max(epsilon)")
        .transform_filter("datum.epsilon == datum.last && datum.own")
        .mark_text(align="right", dx=-4, fontSize=12, fontWeight="bold", color=palette.ink)
        .encode(x=x, y=alt.Y("high:Q", title="logit"), text="class:N")
    )
    return specification(alt.layer(*layers, ends).properties(height=_HEIGHT))


def margins(growth: Growth, palette: Palette) -> Chart:
    """The least margin over another class that each kind of bound leaves, against ε."""
    table = pd.DataFrame(
        [
            {"epsilon": epsilon, "name": name, "margin": margin, "zero": 0.0}
            for name, values in ((ELIDED, growth.elided), (PLAIN, growth.plain))
            for epsilon, margin in zip(growth.epsilons.tolist(), values.tolist(), strict=True)
        ]
    )
    return Chart(table, _margins(palette))


@functools.lru_cache
def _margins(palette: Palette) -> dict[str, Any]:
    names = [ELIDED, PLAIN]
    key = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolSize=200, columns=1, labelLimit=300
    )
    color = alt.Color(
        "name:N", scale=alt.Scale(domain=names, range=[palette.gain, palette.other]), legend=key
    )
    dash = alt.StrokeDash(
        "name:N", scale=alt.Scale(domain=names, range=[[1, 0], [6, 3]]), legend=key
    )
    x = alt.X("epsilon:Q", title="ε", scale=alt.Scale(nice=False), axis=_EPSILON)
    y = alt.Y("margin:Q", title="least margin", axis=alt.Axis(tickCount=5))
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("epsilon:Q", title="ε", format=".4~r"),
        alt.Tooltip("margin:Q", title="margin at least", format=".3f"),
    ]
    base = alt.Chart(DATA).encode(x=x)
    zero = base.mark_line(color=palette.ink, strokeWidth=1).encode(y="zero:Q")
    lines = base.mark_line(strokeWidth=2.5).encode(
        y=y, color=color, strokeDash=dash, tooltip=tooltip
    )
    return specification(alt.layer(zero, lines).properties(height=_HEIGHT))


def looseness(layers: Sequence[Looseness], palette: Palette) -> Chart:
    """For each layer the interval's width over the width reached, on a logarithmic track."""
    table = pd.DataFrame(
        [
            {
                "layer": each.layer,
                "ratio": float(np.clip(each.ratio, 1.0, 1e4)),
                "text": f"× {each.ratio:.1f}" if each.ratio < 100 else f"× {each.ratio:,.0f}",
                "one": 1.0,
                "of": f"{len(each.proven.lower)} of {each.units:,}",
            }
            for each in layers
        ]
    )
    farthest = 1.6 * max(2.0, float(table["ratio"].max()))
    return Chart(table, _looseness(len(layers), round(farthest, 1), palette))


@functools.lru_cache(maxsize=32)
def _looseness(count: int, farthest: float, palette: Palette) -> dict[str, Any]:
    names = alt.Axis(ticks=False, domain=False, labelFontSize=13, labelFlush=False)
    x = alt.X(
        "one:Q",
        title="width proven / width reached",
        scale=alt.Scale(type="log", domainMin=0.97, domainMax=farthest, nice=False),
        axis=alt.Axis(grid=False, tickCount=4, labelExpr="'× ' + format(datum.value, ',.0f')",
                      values=[1, 2, 5, 10, 20, 50, 100, 1_000, 10_000]),
    )  # fmt: skip
    base = alt.Chart(DATA).encode(
        y=alt.Y("layer:N", sort=None, title=None, axis=names),
        tooltip=["layer:N", alt.Tooltip("text:N", title="at most"),
                 alt.Tooltip("of:N", title="units")],
    )  # fmt: skip
    rule = base.mark_rule(color=palette.gain, strokeWidth=4, opacity=0.45).encode(x=x, x2="ratio:Q")
    dot = base.mark_point(filled=True, size=80, opacity=1, color=palette.gain).encode(x="ratio:Q")
    words = base.mark_text(align="left", dx=9, dy=-9, fontSize=12, color=palette.ink).encode(
        x="ratio:Q", text="text:N"
    )
    chart = alt.layer(rule, dot, words).properties(height=46 * count)
    return specification(chart.configure_view(strokeWidth=0))


def ranges(
    logits: Looseness,
    clean: NDArray[np.floating],
    label: int,
    names: Sequence[str],
    palette: Palette,
) -> Chart:
    """All logits: proven range, range reached by attacks, and a tick for the image's own."""
    table = pd.DataFrame(
        {
            "class": list(names),
            "low": logits.proven.lower,
            "high": logits.proven.upper,
            "least": logits.reached.lower,
            "most": logits.reached.upper,
            "clean": clean,
        }
    )
    return Chart(table, _ranges(names[label], len(names), palette))


@functools.lru_cache
def _ranges(label: str, classes: int, palette: Palette) -> dict[str, Any]:
    own = f"datum.value == {json.dumps(label)}"
    axis = alt.Axis(
        ticks=False, domain=False, labelFontSize=13, labelFlush=False,
        labelFontWeight=alt.condition(own, alt.value("bold"), alt.value("normal")),
        labelColor=alt.condition(own, alt.value(palette.true), alt.value(palette.quiet_text)),
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("class:N"),
        *(
            alt.Tooltip(f"{name}:Q", title=title, format=",.2f")
            for name, title in (
                ("low", "proven from"), ("high", "to"), ("least", "reached from"), ("most", "to "),
                ("clean", "image"),
            )
        ),
    ]  # fmt: skip
    base = alt.Chart(DATA).encode(
        y=alt.Y("class:N", sort=None, title=None, axis=axis), tooltip=tooltip
    )
    x = alt.X("low:Q", title="logit", axis=alt.Axis(grid=False, tickCount=5))
    proven = base.mark_rule(color=palette.gain, strokeWidth=9, opacity=0.3).encode(x=x, x2="high:Q")
    reached = base.mark_rule(color=palette.against, strokeWidth=4).encode(x="least:Q", x2="most:Q")
    tick = base.mark_tick(color=palette.ink, thickness=2, size=15).encode(x="clean:Q")
    chart = alt.layer(proven, reached, tick).properties(height=25 * classes)
    return specification(chart.configure_view(strokeWidth=0))


def accuracy(
    rates: Mapping[str, Sequence[Rate]],
    x: Sequence[float],
    palette: Palette,
    *,
    x_title: str,
    steps: bool = False,
) -> Chart:
    """Rates against `x`, each with its 95 % band, and shaded what lies between the first two.

    Certified is blue, attacked red and dashed, others gray. steps: each value holds up to the next.
    """
    names = tuple(rates)
    between = [rates[name] for name in (CERTIFIED, ATTACKED) if name in rates]
    table = pd.DataFrame(
        [
            {
                "name": name,
                "x": place,
                "rate": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "text": full_rate(rate),
                "floor": between[0][at].value if len(between) == 2 else None,
                "ceiling": between[1][at].value if len(between) == 2 else None,
            }
            for name in names
            for at, (place, rate) in enumerate(zip(x, rates[name], strict=True))
        ]
    )
    return Chart(table, _accuracy(names, x_title, steps, palette))


@functools.lru_cache
def _accuracy(
    names: tuple[str, ...], x_title: str, steps: bool, palette: Palette
) -> dict[str, Any]:
    colors = [getattr(palette, _ROLES.get(name, "other")) for name in names]
    key = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolSize=200, symbolOpacity=1,
        columns=3, labelLimit=300,
    )  # fmt: skip
    color = alt.Color("name:N", scale=alt.Scale(domain=names, range=colors), legend=key)
    dashes = [_DASHES.get(name, [2, 3]) for name in names]
    dash = alt.StrokeDash("name:N", scale=alt.Scale(domain=names, range=dashes), legend=key)
    how = "step-before" if steps else "linear"
    base = alt.Chart(DATA).encode(
        x=alt.X("x:Q", title=x_title, scale=alt.Scale(nice=False), axis=_EPSILON)
    )
    axis = alt.Axis(labelExpr=PERCENT, tickCount=5)
    y = alt.Y("rate:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis)
    layers = []
    if CERTIFIED in names and ATTACKED in names:
        shade = base.transform_filter(alt.datum.name == CERTIFIED)
        layers.append(
            shade.mark_area(color=palette.ink, opacity=0.07).encode(
                y=alt.Y("floor:Q", title=None), y2="ceiling:Q"
            )
        )
    layers.append(
        base.mark_area(opacity=0.18, interpolate=how).encode(
            y=alt.Y("low:Q", title=None), y2="high:Q", color=color
        )
    )
    lines = base.mark_line(strokeWidth=2.5, interpolate=how).encode(
        y=y, color=color, strokeDash=dash
    )
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("x:Q", title=x_title, format=".3~f"),
        alt.Tooltip("text:N", title=" "),
    ]
    points = base.mark_point(filled=True, size=0 if steps else 36, opacity=0 if steps else 1)
    layers += [lines, points.encode(y=y, color=color, tooltip=tooltip)]
    return specification(alt.layer(*layers).properties(height=340))
