"""What an attack made of which class, as a matrix whose cells can be chosen."""

import functools
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from core.statistics.rate import Rate
from ui.figures.charts import DATA, Chart, matrix_axis, specification
from ui.figures.palette import Palette

_SIDE = 38
_DARK = 0.6  # a share from which the number is written in the background's color


def outcomes(
    matrix: list[list[Rate]], names: Sequence[str], palette: Palette, *, targeted: bool
) -> Chart:
    """Rows are true classes; the share of a row, or with targets of a cell, on a scale from 0 to 1.

    Untargeted, a column is what was read in the end, and the diagonal (pale green) is what stays
    as it was. Targeted, it is the target: reached of tried. A click is the selection `cell`.
    """
    table = pd.DataFrame(
        [
            {
                "true": true,
                "column": column,
                "true_name": names[true],
                "column_name": names[column],
                "share": rate.value if rate.total else 0.0,
                "text": _written(rate, targeted),
                "right": not targeted and true == column,
                "count_text": f"{rate.successes} of {rate.total}",
            }
            for true, row in enumerate(matrix)
            for column, rate in enumerate(row)
        ]
    )
    return Chart(table, _outcomes(tuple(names), targeted, palette))


def _written(rate: Rate, targeted: bool) -> str:
    if targeted:
        return f"{rate.successes}/{rate.total}" if rate.total else ""
    return str(rate.successes) if rate.successes else ""


@functools.lru_cache
def _outcomes(names: tuple[str, ...], targeted: bool, palette: Palette) -> dict[str, Any]:
    title = "target" if targeted else "read as, after the attack"
    x = alt.X("column:O", title=title, axis=matrix_axis(names, orient="top"))
    y = alt.Y("true:O", title="true", axis=matrix_axis(names))
    stops = [palette.paper, *palette.mistake_cells]
    shares = alt.Color(
        "share:Q",
        scale=alt.Scale(domain=[0, 0.01, 1], range=stops, interpolate="rgb"),
        legend=None,
    )
    tooltip = [
        alt.Tooltip("true_name:N", title="true"),
        alt.Tooltip("column_name:N", title=title),
        alt.Tooltip("count_text:N", title="count"),
    ]
    border = {"stroke": palette.background, "strokeWidth": 2}
    base = alt.Chart(DATA).encode(x=x, y=y, tooltip=tooltip)
    stays = base.transform_filter("datum.right").mark_rect(fill=palette.correct_cell, **border)
    goes = base.transform_filter("!datum.right").mark_rect(**border).encode(color=shares)
    dark = f"!datum.right && datum.share > {_DARK}"
    text = base.mark_text(fontSize=11).encode(
        text="text:N",
        color=alt.condition(dark, alt.value(palette.background), alt.value(palette.ink)),
    )
    cell = alt.selection_point(name="cell", fields=["true", "column"], on="click")
    outline = alt.when(cell, empty=False).then(alt.value(palette.ink))
    chosen = (
        base.mark_rect(strokeWidth=2, fillOpacity=0, cursor="pointer")
        .encode(stroke=outline.otherwise(alt.value("transparent")))
        .add_params(cell)
    )
    matrix = alt.layer(stays, goes, text, chosen).properties(height=len(names) * _SIDE)
    return specification(matrix.configure_view(strokeWidth=0))
