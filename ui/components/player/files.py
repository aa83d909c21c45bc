"""What a person takes of trajectories: an animation, arrays, a table."""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from PIL import Image

from core.arrays import ByteArray, IntArray
from ui.components.player.track import Track
from ui.figures.palette import Palette, colorize
from ui.files import npz

GIF_FRAMES = 100
_GIF_TIME, _GIF_PAUSE = 80, 1_500  # milliseconds of a frame, and of the last
_COLUMNS = 5
_GAP = 1  # pixels of the images between tracks


def animation(tracks: Sequence[Track], palette: Palette) -> bytes:
    """A GIF of all tracks moving together, at most 100 evenly spaced frames.

    The levels of gray images have exact colors; of others each frame has the 256 that suit it.
    """
    steps = _shared_steps(tracks)
    scale = 8 if len(tracks) == 1 else 3
    pictures = [
        _frame(_sheet([_at(track, int(step)) for track in tracks]), scale, palette)
        for step in steps
    ]
    file = io.BytesIO()
    pictures[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[_GIF_TIME] * (len(pictures) - 1) + [_GIF_PAUSE],
        loop=0,
        optimize=False,
    )
    return file.getvalue()


def archive(tracks: Sequence[Track]) -> bytes:
    """NumPy arrays of every recorded frame; those of several tracks end in `_0`, `_1`, …."""
    arrays: dict[str, ArrayLike] = {}
    for number, track in enumerate(tracks):
        end = f"_{number}" if len(tracks) > 1 else ""
        own: dict[str, ArrayLike] = {
            "title": track.title,
            "steps": track.steps,
            "images": track.images,
            "logits": track.logits,
            "probabilities": track.probabilities,
            **{_plain(name): values for name, values in _numbers(track).items()},
        }
        if track.true is not None:
            own["true"] = track.true
        if track.target is not None:
            own["target"] = track.target
        arrays |= {name + end: values for name, values in own.items()}
    return npz(arrays)


def table(tracks: Sequence[Track]) -> pd.DataFrame:
    """One row for each recorded step of each track."""
    return pd.concat([_rows(track) for track in tracks], ignore_index=True)


def _rows(track: Track) -> pd.DataFrame:
    columns: dict[str, object] = {
        "track": track.title,
        "step": track.steps,
        "predicted": [track.spec.classes[label] for label in track.predicted],
    }
    for name, values in (("p", track.probabilities), ("logit", track.logits)):
        named = zip(track.spec.classes, values.T, strict=True)
        columns |= {f"{name}_{label}": course for label, course in named}
    columns |= {_plain(name): values for name, values in _numbers(track).items()}
    return pd.DataFrame(columns)


def _numbers(track: Track) -> dict[str, ArrayLike]:
    terms = {f"term {name}": values for name, values in track.terms.items()}
    return {**terms, **track.norms}


def _plain(name: str) -> str:
    """A name for programs: “term total variation #2” → “term_total_variation_2”."""
    return name.replace("∞", "inf").replace("#", "").replace(" ", "_")


def _shared_steps(tracks: Sequence[Track]) -> IntArray:
    """At most 100 of the steps that any track has recorded, with the first and the last."""
    steps = np.unique(np.concatenate([track.steps for track in tracks]))
    places = np.rint(np.linspace(0, len(steps) - 1, min(len(steps), GIF_FRAMES)))
    shared: IntArray = steps[places.astype(np.int64)]
    return shared


def _at(track: Track, step: int) -> ByteArray:
    """The last image recorded up to a step: uint8 [side, side], or with its colors behind."""
    frame = int(np.searchsorted(track.steps, step, side="right")) - 1
    image: ByteArray = track.pixels[frame]
    return image


def _sheet(images: list[ByteArray]) -> ByteArray:
    """The images side by side in rows of five, on paper."""
    columns = min(len(images), _COLUMNS)
    rows = -(-len(images) // columns)
    side, *colors = images[0].shape[1:]
    step = side + _GAP
    sheet = np.zeros((rows * step - _GAP, columns * step - _GAP, *colors), np.uint8)
    for number, image in enumerate(images):
        y, x = number // columns * step, number % columns * step
        sheet[y : y + side, x : x + side] = image
    return sheet


def _frame(sheet: ByteArray, scale: int, palette: Palette) -> Image.Image:
    large = Image.fromarray(sheet.repeat(scale, axis=0).repeat(scale, axis=1))
    if sheet.ndim > 2:
        return large.quantize(256)
    picture = large.convert("P")
    levels = np.arange(256) / 255
    picture.putpalette(colorize(levels, (palette.paper, palette.ink)).tobytes())
    return picture
