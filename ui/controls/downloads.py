"""What a visitor takes of trajectories: the animation, the arrays, the table, and to the tray."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from ui import theme
from ui.components.player import files as player_files
from ui.components.player.track import Track
from ui.controls import tray


def trajectories(tracks: Sequence[Track], *, key: str, name: str, to_tray: bool = True) -> None:
    """Buttons for all that was recorded: the animation, the arrays, the table, and to the tray.

    to_tray: offer the last frames as training images; not where they may show another class.
    Files are made when they are asked for. A single frame is taken in the player, which alone
    knows where its slider stands.
    """
    palette = theme.palette()
    files = {
        "GIF": (lambda: player_files.animation(tracks, palette), "gif", "image/gif"),
        "NPZ": (lambda: player_files.archive(tracks), "npz", "application/octet-stream"),
        "CSV": (lambda: player_files.table(tracks).to_csv(index=False), "csv", "text/csv"),
    }
    helps = {
        "GIF": f"All tracks moving together, at most {player_files.GIF_FRAMES} frames.",
        "NPZ": "Every recorded image with its logits, loss terms and norms, as NumPy arrays.",
        "CSV": "One row for each recorded step: probabilities, logits, loss terms and norms.",
    }
    with st.container(horizontal=True, horizontal_alignment="right"):
        for label, (make, ending, kind) in files.items():
            st.download_button(
                label,
                make,
                f"{name}.{ending}",
                kind,
                key=f"{key}-{ending}",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
                help=helps[label],
            )
        if to_tray:
            tray.button(
                np.stack([track.images[-1][..., None] for track in tracks]),
                [track.true for track in tracks],
                f"{name.replace('-', ' ')}: {tracks[0].title}" if len(tracks) == 1 else name,
                key=f"{key}-tray",
                wanted=[track.target for track in tracks],
                originals=[track.original for track in tracks],
            )
