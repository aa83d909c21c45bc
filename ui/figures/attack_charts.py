"""Charts of attacks and their controls."""

import functools
from collections.abc import Collection, Mapping
from typing import Any

import altair as alt
import pandas as pd

from core.statistics.rate import Rate
from ui.figures.charts import DATA, PERCENT, Chart, specification
from ui.figures.palette import Palette
from ui.text import full_rate

CONTROL = "Control: "  # how the name of a rate begins that is there for comparison
_ROW = 46
_LINE = 17  # more for each row whose name does not fit beside its number
_FITS = 46  # characters of both in one line, in a card on a phone


def attack_rates(
    rates: Mapping[str, Rate], palette: Palette, *, beside: Collection[str] = ()
) -> Chart:
    """Dot and whisker (95 % Wilson interval) of each rate on a track from 0 to 100 %.

    Attacks in red; rates whose name begins with `CONTROL` or stands in `beside` in gray, with a
    ring for a dot. Names stand above their numbers where one of them is too long for both in one
    line.
    """
    table = pd.DataFrame(
        [
            {
                "name": name,
                "rate": rate.value,
                "low": rate.interval[0],
                "high": rate.interval[1],
                "text": full_rate(rate),
                "control": name.startswith(CONTROL) or name in beside,
                "start": 0.0,
                "end": 1.0,
            }
            for name, rate in rates.items()
        ]
    )
    stacked = any(len(name) + len(full_rate(rate)) > _FITS for name, rate in rates.items())
    return Chart(table, _attack_rates(len(rates), palette, stacked=stacked))


@functools.lru_cache
def _attack_rates(count: int, palette: Palette, *, stacked: bool) -> dict[str, Any]:
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(
        labelExpr=PERCENT, tickCount=4, grid=False, domain=False, ticks=False, labelFlush=True
    )
    color = alt.condition("datum.control", alt.value(palette.other), alt.value(palette.against))
    base = alt.Chart(DATA).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=None), tooltip=["name:N", "text:N"]
    )
    low = _LINE // 2 if stacked else 0
    track = base.mark_rule(color=palette.track, strokeWidth=3, yOffset=8 + low).encode(
        x=alt.X("start:Q", scale=scale, axis=axis, title=None), x2="end:Q"
    )
    whisker = base.mark_rule(strokeWidth=3, opacity=0.6, yOffset=8 + low).encode(
        x="low:Q", x2="high:Q", color=color
    )
    dot = base.mark_point(size=80, opacity=1, yOffset=8 + low).encode(
        x="rate:Q",
        stroke=color,
        fill=alt.condition(
            "datum.control", alt.value(palette.background), alt.value(palette.against)
        ),
    )
    above = low - 8 - _LINE if stacked else -8
    name = base.mark_text(align="left", fontSize=12, dy=above, color=palette.ink).encode(
        x=alt.datum(0.0), text="name:N"
    )
    number = base.mark_text(
        align="left" if stacked else "right", fontSize=12, dy=low - 8, color=palette.quiet_text
    ).encode(x=alt.datum(0.0 if stacked else 1.0), text="text:N")
    row = _ROW + _LINE if stacked else _ROW
    layers = alt.layer(track, whisker, dot, name, number).properties(height=row * count)
    return specification(layers.configure_view(strokeWidth=0))
