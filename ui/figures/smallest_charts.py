"""Charts of the smallest changes: their histogram, and a plane through an image."""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.attacks.plane import Plane
from core.statistics.averages import Median
from ui.figures.charts import DATA, Chart, specification
from ui.figures.palette import Palette, colorize, rgb

_BINS = 24
_SMALLEST_REGION = 12  # points, below which a region gets no name
_FILL = 0.45


def histogram(
    values: NDArray[np.floating], median: Median, palette: Palette, *, title: str
) -> Chart:
    """How many of the finite values [n] lie in each of 24 bins; the median with its interval."""
    finite = values[np.isfinite(values)]
    high = float(finite.max(initial=1e-6))
    step = _rounded(high / _BINS)
    edges = np.arange(0, math.ceil(high / step + 1e-9) + 1) * step
    counts, _ = np.histogram(finite, edges)
    bars = pd.DataFrame(
        {"kind": "bar", "low": edges[:-1], "high": edges[1:], "count": counts, "zero": 0}
    )
    ends = [min(max(end, 0.0), float(edges[-1])) for end in (median.low, median.high)]
    middle = median.value if math.isfinite(median.value) else None
    mark = pd.DataFrame(
        [{"kind": "median", "low": ends[0], "high": ends[1], "middle": middle, "count": None}]
    )
    table = pd.concat([bars, mark], ignore_index=True).astype(object)
    return Chart(table.where(table.notna(), None), _histogram(title, palette))


@functools.lru_cache
def _histogram(title: str, palette: Palette) -> dict[str, Any]:
    base = alt.Chart(DATA)
    x = alt.X("low:Q", title=title, axis=alt.Axis(grid=False, labelFlush=False))
    bars = (
        base.transform_filter("datum.kind == 'bar'")
        .mark_bar(color=palette.against, binSpacing=1)
        .encode(
            x=x,
            x2="high:Q",
            y=alt.Y("count:Q", title="images", axis=alt.Axis(tickMinStep=1, tickCount=4)),
            y2="zero:Q",
            tooltip=[
                alt.Tooltip("low:Q", title="from", format=".3f"),
                alt.Tooltip("high:Q", title="to", format=".3f"),
                alt.Tooltip("count:Q", title="images"),
            ],
        )
    )
    median = base.transform_filter("datum.kind == 'median'")
    band = median.mark_rect(color=palette.other, opacity=0.35).encode(x=x, x2="high:Q")
    line = median.mark_rule(color=palette.ink, strokeWidth=2).encode(x="middle:Q")
    return specification(alt.layer(band, bars, line).properties(height=220))


def _rounded(step: float) -> float:
    """1, 2 or 5 times a power of ten, not below `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= step * (1 - 1e-9))


def regions(plane: Plane, names: Sequence[str], palette: Palette) -> Chart:
    """The plane in the colors of its classes, each region with its name, and the attack's path.

    Green is what the image is read as, orange what the adversarial image is; gray are others.
    """
    colors = _colors(*plane.ends, len(names), palette)
    half = float(plane.along[1] - plane.along[0]) / 2
    columns, rows = np.meshgrid(plane.along, plane.across)
    cells = pd.DataFrame(
        {
            "kind": "cell",
            "x": (columns - half).ravel(),
            "x2": (columns + half).ravel(),
            "y": (rows - half).ravel(),
            "y2": (rows + half).ravel(),
            "text": [names[label] for label in plane.read.ravel()],
            "color": [colors[label] for label in plane.read.ravel()],
        }
    )
    regions = pd.DataFrame(
        [
            {
                "kind": "region",
                "x": plane.along[column],
                "y": plane.across[row],
                "text": names[plane.read[row, column]],
            }
            for row, column in _places(plane.read)
        ]
    )
    path = pd.DataFrame(
        {
            "kind": "path",
            "x": plane.path[:, 0],
            "y": plane.path[:, 1],
            "order": range(len(plane.path)),
        }
    )
    ends = pd.DataFrame(
        [
            {"kind": "end", "x": 0.0, "y": 0.0, "text": "image"},
            {"kind": "end", "x": plane.length, "y": 0.0, "text": "adversarial"},
        ]
    )
    table = pd.concat([cells, regions, path, ends], ignore_index=True).astype(object)
    return Chart(table.where(table.notna(), None), _regions(_window(plane), palette))


def _window(plane: Plane) -> tuple[float, float, float, float]:
    half = float(plane.along[1] - plane.along[0]) / 2
    return tuple(  # type: ignore[return-value]
        round(float(edge), 4)
        for edge in (
            plane.along[0] - half,
            plane.along[-1] + half,
            plane.across[0] - half,
            plane.across[-1] + half,
        )
    )


def _colors(here: int, there: int, classes: int, palette: Palette) -> list[str]:
    """Of each class, pale, so that ink can be read on it."""
    grays = colorize(np.linspace(0.05, 0.7, classes), (palette.paper, palette.other))
    colors = [_hexadecimal(gray) for gray in grays]
    for label, color in ((there, palette.target), (here, palette.true)):
        mixed = _FILL * rgb(color) + (1 - _FILL) * rgb(palette.background)
        colors[label] = _hexadecimal(mixed.astype(np.uint8))
    return colors


def _hexadecimal(color: NDArray[np.uint8]) -> str:
    return "#" + "".join(f"{part:02X}" for part in color)


def _places(read: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """For each region of one class the point that lies deepest inside."""
    depth = _depth(read)
    seen = np.zeros(read.shape, bool)
    for start in zip(*np.nonzero(np.ones(read.shape)), strict=True):
        if not seen[start]:
            region = _region(read, (int(start[0]), int(start[1])), seen)
            if len(region) >= _SMALLEST_REGION:
                yield max(region, key=lambda place: depth[place])


def _depth(read: NDArray[np.integer]) -> NDArray[np.integer]:
    """How many steps each point is away from another class or the border."""
    depth = np.zeros(read.shape, int)
    inside = np.ones(read.shape, bool)
    while inside.any():
        depth += inside
        padded = np.pad(inside, 1)
        labels = np.pad(read, 1, mode="edge")
        shrunk = inside.copy()
        for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
            part = slice(y, y + read.shape[0]), slice(x, x + read.shape[1])
            shrunk &= padded[part] & (labels[part] == read)
        inside = shrunk
    return depth


def _region(
    read: NDArray[np.integer], start: tuple[int, int], seen: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """The points that hang together with `start`, which are marked as seen."""
    region, waiting = [], [start]
    seen[start] = True
    while waiting:
        y, x = waiting.pop()
        region.append((y, x))
        for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= place[0] < read.shape[0] and 0 <= place[1] < read.shape[1]
            if inside and not seen[place] and read[place] == read[start]:
                seen[place] = True
                waiting.append(place)
    return region


@functools.lru_cache(maxsize=64)
def _regions(window: tuple[float, float, float, float], palette: Palette) -> dict[str, Any]:
    left, right, low, high = window
    plain = {"grid": False, "labelFlush": False, "tickCount": 5}
    x = alt.X(
        "x:Q",
        title="L2 along the attack",
        scale=alt.Scale(domain=[left, right], nice=False),
        axis=alt.Axis(**plain),
    )
    y = alt.Y(
        "y:Q",
        title="L2 along a random direction",
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(**plain),
    )
    base = alt.Chart(DATA)
    cells = (
        base.transform_filter("datum.kind == 'cell'")
        .mark_rect(clip=True, strokeWidth=0.75)
        .encode(
            x=x,
            x2="x2:Q",
            y=y,
            y2="y2:Q",
            color=alt.Color("color:N", scale=None),
            stroke=alt.Stroke("color:N", scale=None),  # else seams show between the cells
            tooltip=[alt.Tooltip("text:N", title="read as")],
        )
    )
    regions = (
        base.transform_filter("datum.kind == 'region'")
        .mark_text(fontSize=22, fontWeight="bold", color=palette.ink, opacity=0.75)
        .encode(x=x, y=y, text="text:N")
    )
    path = (
        base.transform_filter("datum.kind == 'path'")
        .mark_line(
            color=palette.ink, strokeWidth=1.5, clip=True, point={"size": 14, "color": palette.ink}
        )
        .encode(x=x, y=y, order="order:Q")
    )
    ends = base.transform_filter("datum.kind == 'end'").encode(x=x, y=y)
    dots = ends.mark_point(size=90, filled=True, opacity=1, stroke=palette.background).encode(
        color=alt.value(palette.ink),
        shape=alt.Shape(
            "text:N",
            scale=alt.Scale(domain=["image", "adversarial"], range=["circle", "diamond"]),
            legend=None,
        ),
    )
    words = ends.mark_text(dy=-13, fontSize=12, color=palette.ink).encode(text="text:N")
    layers = alt.layer(cells, path, regions, dots, words).properties(height=380)
    return specification(layers.configure_view(strokeWidth=0))
