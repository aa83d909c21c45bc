"""What the PNGs of a player say: what made an image, and what 256 levels cost it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.arrays import FloatArray, to_bytes, to_float
from core.network.classifier import Classifier
from ui import text
from ui.components.player.track import Track


def exported(
    tracks: Sequence[Track], classifier: Classifier, about: Mapping[str, object]
) -> list[Track]:
    """The tracks with what their PNGs say: the model, the image, and `about`."""
    last = np.stack([track.images[-1] for track in tracks])
    probabilities = classifier.probabilities(to_float(to_bytes(last)))
    return [
        replace(track, about=_about(track, classifier, about), cost=_cost(track, own))
        for track, own in zip(tracks, probabilities, strict=True)
    ]


def _about(track: Track, classifier: Classifier, about: Mapping[str, object]) -> dict[str, object]:
    marked = {"test image": track.original, "true class": track.true, "target": track.target}
    known = {name: value for name, value in marked.items() if value is not None}
    plain = {
        name: value if isinstance(value, (str, int)) or _is_finite(value) else str(value)
        for name, value in about.items()
    }
    return {
        "model": classifier.name,
        "weights": classifier.version,
        "track": track.title,
        **known,
        **plain,
    }


def _is_finite(value: object) -> bool:
    """Whether it is a number that JSON has."""
    return isinstance(value, float) and math.isfinite(value)


def _cost(track: Track, probabilities: FloatArray) -> str:
    """What the network says of the last image once it is rounded, float32 [n], in a sentence."""
    before, after = int(track.predicted[-1]), int(probabilities.argmax())
    was, read = (text.a(text.literal(track.spec.classes[label])) for label in (before, after))
    same = "as before" if after == before else f"no longer as {was}"
    return (
        f"Its PNG, rounded to 256 levels, is read as {read}, p = {probabilities[after]:.3f}, "
        f"{same}{_fate(track, before, after)}."
    )


def _fate(track: Track, before: int, after: int) -> str:
    """Whether rounding undoes what was reached, or reaches it; "" where nothing was."""
    if track.target is not None:
        reached, name = (before == track.target, after == track.target), "at its target"
    elif track.true is not None:
        reached, name = (before != track.true, after != track.true), "fooled"
    else:
        return ""
    words = {(True, True): "still", (True, False): "no longer", (False, True): "only now"}
    return f": {words[reached]} {name}" if reached in words else ""
