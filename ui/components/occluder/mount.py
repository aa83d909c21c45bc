"""The block that is dragged over the image, with its map and bars: one browser component."""

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray
from core.data.spec import DatasetSpec
from core.inspection.occlusion import OcclusionMap
from ui.components import colors, component, described
from ui.figures.palette import Palette
from ui.visitor.images import ChosenImage

_component = component("occluder")


@dataclass(frozen=True)
class Shown:
    """What the map shows: change of probability or of logit, and on which fixed scale."""

    unit: str
    limit: float

    def changes(self, occlusion: OcclusionMap) -> FloatArray:
        """Float32 [n, rows, columns]: below 0 where the block lowers the class."""
        drop = occlusion.probability_drop if self.unit == "p" else occlusion.logit_drop
        return -drop


SHOWN = {"Probability": Shown("p", 1.0), "Logit": Shown("logit", 20.0)}


def occluder(
    image: ChosenImage,
    occlusion: OcclusionMap,
    free: OcclusionMap,
    shown: Shown,
    fill: FloatArray,
    palette: Palette,
    *,
    by_pixel: bool,
) -> None:
    """Mount the component. `free` holds the same block at every position inside the image."""
    label = int(occlusion.classes[0])
    changes = shown.changes(occlusion)
    pixels = occlusion.per_pixel_mean(changes)[0] if by_pixel else None
    _component(
        key="occluder",
        data={
            **described(image.spec),
            "title": image.title,
            "image": _encode(image.pixels),
            "fill": _encode((fill[0] * 255).round().astype(np.uint8)),
            "block": occlusion.block,
            "starts": occlusion.tops.tolist(),
            "logits": _encode(occlusion.logits[0]),
            "freeLogits": _encode(free.logits[0]),
            "cleanLogits": occlusion.clean_logits[0].tolist(),
            "changes": _encode(changes[0]),
            "pixels": None if pixels is None else _encode(pixels),
            "start": [int(place) for place in worst(occlusion)],
            "label": label,
            "trueLabel": image.label,
            "limit": shown.limit,
            "low": f"−{shown.limit:g}",
            "high": f"+{shown.limit:g}",
            "legend": _legend(image.spec, shown, label, by_pixel=by_pixel),
            "colors": colors(palette),
        },
    )


def edge_words(spec: DatasetSpec) -> str:
    """What is drawn over the map: the outline of where the image is brighter than half."""
    return f"the {spec.noun}'s edge" if spec.channels == 1 else "the edge of what is bright"


def _legend(spec: DatasetSpec, shown: Shown, label: int, *, by_pixel: bool) -> str:
    name = spec.classes[label]
    what = f"p({name})" if shown.unit == "p" else f"the logit of {name}"
    if by_pixel:
        return f"Mean change of {what} over the blocks that hide a pixel, under {edge_words(spec)}."
    word = "digit" if all(map(str.isdecimal, spec.classes)) else "name"
    return f"Change of {what} by block position. A {word} in a cell: the answer there."


def worst(occlusion: OcclusionMap) -> tuple[np.intp, np.intp]:
    """Row and column of the position that lowers the class's probability most.

    Where it is the predicted class, among the positions that change the answer, if there are any.
    Where no position moves the probability by a thousandth, the one that lowers the logit most.
    """
    label = int(occlusion.classes[0])
    drop = occlusion.probability_drop[0]
    changed = occlusion.predicted[0] != label
    if label == int(occlusion.clean_logits[0].argmax()) and changed.any():
        drop = np.where(changed, drop, -1)
    elif drop.max() < 0.001:
        drop = occlusion.logit_drop[0]
    row, column = np.unravel_index(int(drop.argmax()), drop.shape)
    return row, column


def _encode(values: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
