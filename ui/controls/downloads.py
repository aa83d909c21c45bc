"""Files that a visitor takes away: one button for all, and those of trajectories."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from ui import theme
from ui.components.player import files as player_files
from ui.components.player.track import Track
from ui.controls import tray

Data = str | bytes | Callable[[], str | bytes]
_ARRAYS = "application/octet-stream"
_KINDS = {
    "csv": "text/csv",
    "gif": "image/gif",
    "json": "application/json",
    "npz": _ARRAYS,
    "png": "image/png",
    "py": "text/x-python",
    "safetensors": _ARRAYS,
}


def download(
    label: str,
    data: Data,
    name: str,
    *,
    icon: str = ":material/download:",
    **more: Any,
) -> None:
    """A quiet button that hands out a file of this name; made when it is asked for, if `data` is.

    more: key, help, disabled, width as Streamlit has them.
    """
    kind = _KINDS[name.rpartition(".")[2]]
    st.download_button(
        label, data, name, kind, type="tertiary", icon=icon, on_click="ignore", **more
    )


def trajectories(tracks: Sequence[Track], *, key: str, name: str, to_tray: bool = True) -> None:
    """Buttons for all that was recorded: the animation, the arrays, the table, and to the tray.

    to_tray: offer the last frames as training images; not where they may show another class.
    Files are made when they are asked for. A single frame is taken in the player, which alone
    knows where its slider stands.
    """
    palette = theme.palette()
    files = {
        "gif": (
            lambda: player_files.animation(tracks, palette),
            f"All tracks moving together, at most {player_files.GIF_FRAMES} frames.",
        ),
        "npz": (
            lambda: player_files.archive(tracks),
            "Every recorded image with its logits, loss terms and norms, as NumPy arrays.",
        ),
        "csv": (
            lambda: player_files.table(tracks).to_csv(index=False),
            "One row for each recorded step: probabilities, logits, loss terms and norms.",
        ),
    }
    with st.container(horizontal=True, horizontal_alignment="right"):
        for ending, (make, help) in files.items():
            download(ending.upper(), make, f"{name}.{ending}", key=f"{key}-{ending}", help=help)
        if to_tray:
            tray.button(
                np.stack([track.trajectory.images[-1, track.index] for track in tracks]),
                [track.true for track in tracks],
                f"{name.replace('-', ' ')}: {tracks[0].title}" if len(tracks) == 1 else name,
                key=f"{key}-tray",
                wanted=[track.target for track in tracks],
                originals=[track.original for track in tracks],
            )
