"""The colors of both themes, named by what they mean on every page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Palette:
    """Hexadecimal colors. `signed` runs from −1 over paper at 0 to +1, `sequential` from 0 to 1."""

    ink: str
    paper: str
    background: str
    true: str
    target: str
    against: str
    gain: str
    pointer: str
    other: str
    track: str
    quiet_text: str
    compared: tuple[str, ...]
    signed: tuple[str, ...]
    sequential: tuple[str, ...]
    correct_cell: str
    mistake_cells: tuple[str, str]


LIGHT = Palette(
    ink="#111A29",
    paper="#F1F4F9",
    background="#FFFFFF",
    true="#00857A",
    target="#D9750B",
    against="#B3261E",
    gain="#2F6BD8",
    pointer="#8B5CF6",
    other="#A3ACB9",
    track="#F0F2F6",
    quiet_text="#566175",
    compared=("#2F6BD8", "#D9750B", "#00857A", "#5B2A9E", "#B3261E", "#111A29"),
    signed=(
        "#7F3A00", "#B45C07", "#D98A3D", "#EDB983", "#F8E3CD", "#F1F4F9",
        "#D3E2FA", "#A9C7F4", "#6A9BE8", "#2F6BD8", "#163F8C",
    ),
    sequential=(
        "#F3F6FD", "#E1EBFB", "#CADBF8", "#AFC9F5", "#90B3F0",
        "#709CE9", "#5084E0", "#356DD3", "#2559BC", "#1B489E",
    ),
    correct_cell="#E3F4F1",
    mistake_cells=("#F5E6D6", "#D9750B"),
)  # fmt: skip

DARK = Palette(
    ink="#E6EAF2",
    paper="#1A2230",
    background="#10151E",
    true="#35C7B0",
    target="#F5A742",
    against="#E5604F",
    gain="#7AA7FF",
    pointer="#8B5CF6",
    other="#5D687B",
    track="#222B3A",
    quiet_text="#A7B1C2",
    compared=("#7AA7FF", "#F5A742", "#35C7B0", "#9650D2", "#E5604F", "#E6EAF2"),
    signed=(
        "#FFD6A3", "#F5A742", "#C47C22", "#85541B", "#3F2C19", "#1A2230",
        "#1C335C", "#27509A", "#4478D2", "#7AA7FF", "#C9DCFF",
    ),
    sequential=(
        "#161F2E", "#1B2C4A", "#203B6B", "#274C8D", "#3160B2",
        "#4478D2", "#6092EC", "#86AFFF", "#AFCBFF", "#DBE8FF",
    ),
    correct_cell="#10332F",
    mistake_cells=("#3A2811", "#F5A742"),
)  # fmt: skip

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3])


def rgb(color: str) -> NDArray[np.float64]:
    """Red, green and blue in [0, 255] of #RRGGBB."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], float)


def colorize(values: NDArray[np.floating], stops: tuple[str, ...]) -> NDArray[np.uint8]:
    """RGB uint8 [..., 3] of values in [0, 1], linear between evenly spaced stops; clipped."""
    colors = np.stack([rgb(stop) for stop in stops])
    at = np.clip(values, 0, 1) * (len(stops) - 1)
    return np.stack(
        [np.interp(at, np.arange(len(stops)), colors[:, channel]) for channel in range(3)], axis=-1
    ).astype(np.uint8)
