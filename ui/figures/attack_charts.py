"""Charts of attacks and their controls."""

import functools
from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import Palette
from ui.text import full_rate

CONTROL = "Control: "  # how the name of a rate begins that is there for comparison
_ROW = 46


def attack_rates(rates: Mapping[str, Rate], palette: Palette) -> Chart:
    """Dot and whisker (95 % Wilson interval) of each rate on a track from 0 to 100 %.

    Attacks in red; rates whose name begins with `CONTROL` in gray, with a ring for a dot.
    """
    table = pd.DataFrame(
        [
            {
                "name": name,
                "rate": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "text": full_rate(rate),
                "control": name.startswith(CONTROL),
                "start": 0.0,
                "end": 1.0,
            }
            for name, rate in rates.items()
        ]
    )
    return Chart(table, _attack_rates(len(rates), palette))


@functools.lru_cache
def _attack_rates(count: int, palette: Palette) -> dict[str, Any]:
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(
        labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False, labelFlush=True
    )
    color = alt.condition("datum.control", alt.value(palette.other), alt.value(palette.against))
    base = alt.Chart(DATA).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=None), tooltip=["name:N", "text:N"]
    )
    track = base.mark_rule(color=palette.track, strokeWidth=3, yOffset=8).encode(
        x=alt.X("start:Q", scale=scale, axis=axis, title=None), x2="end:Q"
    )
    whisker = base.mark_rule(strokeWidth=3, opacity=0.6, yOffset=8).encode(
        x="low:Q", x2="high:Q", color=color
    )
    dot = base.mark_point(size=80, opacity=1, yOffset=8).encode(
        x="rate:Q",
        stroke=color,
        fill=alt.condition(
            "datum.control", alt.value(palette.background), alt.value(palette.against)
        ),
    )
    written = base.mark_text(fontSize=12, dy=-8)
    name = written.mark_text(align="left", fontSize=12, dy=-8, color=palette.ink).encode(
        x=alt.datum(0.0), text="name:N"
    )
    number = written.mark_text(align="right", fontSize=12, dy=-8, color=palette.quiet_text).encode(
        x=alt.datum(1.0), text="text:N"
    )
    layers = alt.layer(track, whisker, dot, name, number).properties(height=_ROW * count)
    return specification(layers.configure_view(strokeWidth=0))
