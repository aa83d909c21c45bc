"""The trajectory player: what an optimization did to images, scrubbed in the browser.

Everything that a step shows is sent once, as bytes; moving the slider asks nothing of the server.
"""

import functools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.arrays import ByteArray, FloatArray, IntArray, to_bytes
from core.checks import check_range
from ui import player_files, theme, tray
from ui.components import colors, component

if TYPE_CHECKING:
    from core.optimization import Trajectory

MAX_TRACKS = 20
MAX_FRAMES = 4_200  # sent at once, of all tracks: below 4 MB before compression
_MOVED = 1e-6  # a pixel that changed less has not changed
_player = component("player")


@dataclass(frozen=True, eq=False)
class Track:
    """Image `index` of a trajectory under a title, with the classes its bars mark.

    original: the number of the test image that it was made from, if it was from one; about: what
    its PNGs say of themselves; cost: what rounding to their 256 levels costs the last image.
    """

    title: str
    trajectory: "Trajectory"
    index: int = 0
    true: int | None = None
    target: int | None = None
    original: int | None = None
    about: Mapping[str, object] = field(default_factory=dict)
    cost: str = ""

    @property
    def steps(self) -> IntArray:
        """The recorded iterations: int64 [frames], from 0."""
        return self.trajectory.steps

    @property
    def images(self) -> FloatArray:
        """Float32 [frames, 28, 28] in [0, 1]."""
        images: FloatArray = self.trajectory.images[:, self.index, :, :, 0]
        return images

    @property
    def logits(self) -> FloatArray:
        """Float32 [frames, 10]."""
        logits: FloatArray = self.trajectory.logits[:, self.index]
        return logits

    @property
    def predicted(self) -> IntArray:
        """The most probable class: int64 [frames]."""
        classes: IntArray = self.logits.argmax(axis=-1)
        return classes

    @functools.cached_property
    def probabilities(self) -> FloatArray:
        """Float32 [frames, 10]."""
        probabilities: FloatArray = self.trajectory.probabilities[:, self.index]
        return probabilities

    @property
    def terms(self) -> dict[str, FloatArray]:
        """Each loss term without its weight: float32 [frames]."""
        return {name: values[:, self.index] for name, values in self.trajectory.terms.items()}

    @functools.cached_property
    def norms(self) -> dict[str, FloatArray]:
        """L0 (in pixels), L2 and L∞ of the change since the start: float32 [frames]."""
        size = np.abs(self.images - self.images[0]).reshape(len(self.steps), -1)
        return {
            "L0": (size > _MOVED).sum(axis=1).astype(np.float32),
            "L2": np.sqrt((size**2).sum(axis=1)),
            "L∞": size.max(axis=1),
        }

    @functools.cached_property
    def pixels(self) -> ByteArray:
        """The images for the eye: uint8 [frames, 28, 28]."""
        return to_bytes(self.images)

    @functools.cached_property
    def flips(self) -> tuple[int, ...]:
        """The frames of the first and of the last change of the answer; none, one or two."""
        changes = 1 + np.flatnonzero(np.diff(self.predicted))
        return tuple(int(frame) for frame in np.unique(changes[[0, -1]])) if len(changes) else ()


def show(tracks: Sequence[Track], *, key: str) -> None:
    """Draw the player for 1 to 20 tracks that move together.

    Sent are at most 4,200 frames of all tracks. Where there are more, each track is thinned
    evenly; its last frame and those of its first and last flip always stay.
    """
    palette = theme.palette()
    paints = {
        **colors(palette),
        "target": palette.target,
        "quiet": palette.quiet_text,
        "background": palette.background,
    }
    _player(key=key, data=pack(tracks, paints))


def downloads(tracks: Sequence[Track], *, key: str, name: str, to_tray: bool = True) -> None:
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


def pack(tracks: Sequence[Track], paints: dict[str, object]) -> bytes:
    """Header and arrays, compressed: 4 bytes with the header's length, JSON, then the arrays.

    Raises ValueError on none or too many tracks.
    """
    check_range("The number of tracks", len(tracks), 1, MAX_TRACKS)
    described = [_describe(track, MAX_FRAMES // len(tracks)) for track in tracks]
    body = b"".join(
        np.ascontiguousarray(array).tobytes() for _, arrays in described for array in arrays
    )
    heads = [head for head, _ in described]
    version = zlib.crc32(body, zlib.crc32(json.dumps(heads).encode()))
    head = json.dumps({"version": version, "colors": paints, "tracks": heads}).encode()
    return zlib.compress(len(head).to_bytes(4, "little") + head + body, 4)


def kept_frames(track: Track, limit: int) -> IntArray:
    """At most `limit` frames, evenly spaced, and with the flips and the frames before them.

    The first and the last frame are always among them.
    """
    count = len(track.steps)
    if count <= limit:
        return np.arange(count)
    needed = [frame for flip in track.flips for frame in (flip - 1, flip)]
    even = np.rint(np.linspace(0, count - 1, limit - len(needed))).astype(np.int64)
    return np.unique(np.append(even, needed).astype(np.int64))


def _describe(track: Track, limit: int) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """What the browser must know of a track: plain values, and arrays in a fixed order."""
    kept = kept_frames(track, limit)
    pixels = track.pixels[kept]
    pixels[1:] -= track.pixels[kept[:-1]]  # differences, which compress five times better
    numbers = np.stack([*track.terms.values(), *track.norms.values()])[:, kept]
    head = {
        "title": track.title,
        "true": track.true,
        "target": track.target,
        "frames": len(kept),
        "recorded": len(track.steps),
        "about": dict(track.about),
        "cost": track.cost,
        "terms": list(track.terms),
        "norms": list(track.norms),
        "marks": _marks(track),
    }
    arrays: list[NDArray[Any]] = [
        track.steps[kept].astype(np.float32),
        track.logits[kept],
        track.probabilities[kept],
        numbers.astype(np.float32),
        pixels,
    ]
    return head, arrays


def _marks(track: Track) -> list[dict[str, object]]:
    """Where the answer changes first and for good, in words."""
    marks: list[dict[str, object]] = []
    for flip in track.flips:
        step = int(track.steps[flip])
        exact = step - int(track.steps[flip - 1]) == 1  # else it happened since the frame before
        when = f"{'at' if exact else 'by'} {step:,}"
        last = len(track.flips) == 2 and flip == track.flips[-1]
        text = f"says {track.predicted[flip]} for good {when}" if last else f"answer flips {when}"
        marks.append({"step": step, "text": text})
    return marks
