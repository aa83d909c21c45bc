"""The trajectory player: what an optimization did to images, scrubbed in the browser.

Everything that a step shows is sent once, as bytes; moving the slider asks nothing of the server.
"""

import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntArray
from core.checks import check_range
from ui import theme
from ui.components import colors, component, described
from ui.components.player.track import Track

if TYPE_CHECKING:
    pass

MAX_TRACKS = 20
MAX_FRAMES = 4_200  # sent at once, of all tracks: below 4 MB before compression
_player = component("player")


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


def pack(tracks: Sequence[Track], paints: dict[str, object]) -> bytes:
    """Header and arrays, compressed: 4 bytes with the header's length, JSON, then the arrays.

    Raises ValueError on none or too many tracks.
    """
    check_range("The number of tracks", len(tracks), 1, MAX_TRACKS)
    parts = [_describe(track, MAX_FRAMES // len(tracks)) for track in tracks]
    body = b"".join(
        np.ascontiguousarray(array).tobytes() for _, arrays in parts for array in arrays
    )
    heads = [head for head, _ in parts]
    version = zlib.crc32(body, zlib.crc32(json.dumps(heads).encode()))
    images = described(tracks[0].spec)
    about = {"version": version, "colors": paints, "images": images, "tracks": heads}
    head = json.dumps(about).encode()
    packer = zlib.compressobj(strategy=zlib.Z_RLE)  # differences: in half the time as small
    return packer.compress(len(head).to_bytes(4, "little") + head + body) + packer.flush()


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
        name = track.spec.classes[track.predicted[flip]]
        text = f"says {name} for good {when}" if last else f"answer flips {when}"
        marks.append({"step": step, "text": text})
    return marks
