"""The drawn architecture: every layer's output as a stack of sheets or a bar, in Plotly."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from ui.figures.palette import Palette

if TYPE_CHECKING:
    from core.network.model import LayerInfo

_MAX_SHEETS = 8
_SIDE, _LONGEST = 28.0, 42.0  # as drawn: an image's side, the longest bar


def draw_architecture(rows: "Sequence[LayerInfo]", palette: Palette) -> go.Figure:
    """What the layers put out, to one scale: sheets are maps (side to scale), bars are units.

    Depth (channels) and bar length (units) are compressed, and the numbers are written.
    """
    shown = [row for row in rows if row.drawn]
    scale = _SIDE / rows[0].output_shape[0]
    figure = go.Figure()
    x = 0.0
    for row in shown:
        x = _draw_layer(figure, row, x, scale, palette)
    figure.update_xaxes(visible=False, range=[-4, x], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-33, 33], fixedrange=True, scaleanchor="x")
    figure.update_layout(
        height=250,
        margin=dict(l=0, r=0, t=0, b=0),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        dragmode=False,
        font=dict(color=palette.ink, size=12),
        hoverlabel=dict(bgcolor=palette.background, font=dict(color=palette.ink)),
    )
    return figure


def _draw_layer(
    figure: go.Figure, row: "LayerInfo", x: float, scale: float, palette: Palette
) -> float:
    if len(row.output_shape) == 3:
        side, channels = row.output_shape[0], row.output_shape[2]
        sheets = min(_MAX_SHEETS, 1 + channels // 5) if channels > 1 else 1
        drawn = scale * side
        for sheet in reversed(range(sheets)):
            offset = sheet * 1.2
            _box(figure, x + offset, -drawn / 2 + offset, drawn, drawn, palette)
        width = drawn + (sheets - 1) * 1.2
        text = f"{channels} @ {side} × {side}" if channels > 1 else f"{side} × {side}"
        if row.shortcut:
            _arc(figure, x, x + width, side / 2 + (sheets - 1) * 1.2, palette)
    else:
        length = min(_LONGEST, 8 + row.units / 20)
        _box(figure, x, -length / 2, 3, length, palette)
        width, text = 3.0, f"{row.units}"
    detail = [f"<b>{row.name}</b>", f"output {' × '.join(map(str, row.output_shape))}"]
    if row.parameters:
        detail.append(f"{row.parameters:,} parameters")
        detail.append(f"{row.multiply_adds:,} multiply-adds")
    detail.append(f"sees {row.receptive_field} × {row.receptive_field} pixels")
    center = x + width / 2
    figure.add_scatter(
        x=[center],
        y=[0],
        mode="markers",
        marker=dict(size=44, opacity=0),
        hovertemplate="<br>".join(detail) + "<extra></extra>",
    )
    label = f"{row.name}<br><span style='color:{palette.quiet_text}'>{text}</span>"
    figure.add_annotation(x=center, y=-27, text=label, showarrow=False, align="center")
    if row.parameters:
        figure.add_annotation(
            x=center,
            y=29,
            showarrow=False,
            text=f"{row.parameters:,}",
            font=dict(size=12, color=palette.quiet_text),
        )
    return x + max(width, 12) + 7


def _arc(figure: go.Figure, left: float, right: float, y: float, palette: Palette) -> None:
    """A line from before a block to behind it, over its sheets."""
    start, end, top = left - 4, right + 4, y + 5
    figure.add_shape(
        type="path",
        path=f"M {start},0 C {start},{top} {start},{top} {(start + end) / 2},{top} "
        f"C {end},{top} {end},{top} {end},0",
        line=dict(color=palette.other, width=1.5, dash="dot"),
    )


def _box(
    figure: go.Figure, x: float, y: float, width: float, height: float, palette: Palette
) -> None:
    figure.add_shape(
        type="rect",
        x0=x,
        y0=y,
        x1=x + width,
        y1=y + height,
        fillcolor=palette.paper,
        line=dict(color=palette.other, width=1),
    )
