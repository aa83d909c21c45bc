"""What a network makes of a drawing: ten bars and the steps to the image that it sees."""

import base64

import numpy as np
from PIL import Image

from core.arrays import ByteArray, FloatArray
from core.data.centering import FIT, CenteringSteps
from core.data.spec import MNIST
from ui.components import colors, component, described
from ui.figures.palette import Palette

Step = dict[str, object]
_reading = component("digit_reading")
_TITLE = f"{MNIST.side} × {MNIST.side}"
_CROP_SIDE = 160  # two pixels of the screen for each of the tile


def digit_reading(
    name: str,
    probabilities: FloatArray | None,
    steps: list[Step],
    palette: Palette,
    *,
    key: str,
) -> None:
    """Show what the model `name` says, float32 [10]; without an answer `name` says why."""
    predicted = None if probabilities is None else int(probabilities.argmax())
    known = probabilities is not None
    _reading(
        data={
            **described(MNIST),
            "colors": colors(palette),
            "finding": f"{name} reads {predicted}" if known else name,
            "detail": f"· p = {probabilities[predicted]:.3f}" if known else "",
            "probabilities": probabilities.tolist() if known else None,
            "steps": steps,
        },
        key=key,
    )


def centering(steps: CenteringSteps | None) -> list[Step]:
    """The three pictures of centering; blank ones before there is ink."""
    if steps is None:
        crop, fitted, centered = (
            np.zeros((side, side), np.uint8) for side in (FIT, FIT, MNIST.side)
        )
    else:
        crop, fitted, centered = steps.crop, steps.fitted, steps.centered
    return [
        _step("Crop", "all of the ink", crop),
        {
            **_step("20 × 20", "ring: center of mass", fitted),
            "mass": steps and steps.mass,
        },
        {**_step(_TITLE, "center of mass in the middle", centered), "cross": True},
    ]


def squeezing(pixels: ByteArray | None) -> list[Step]:
    """The one picture without centering."""
    blank = np.zeros(MNIST.byte_shape, np.uint8)
    return [_step(_TITLE, "everything, squeezed", blank if pixels is None else pixels)]


def as_it_is(pixels: ByteArray) -> list[Step]:
    """The picture of an image that was taken to the last level."""
    return [_step(_TITLE, "every pixel as it is", pixels)]


def _step(title: str, caption: str, pixels: ByteArray) -> Step:
    """A picture; `scale` is how many pixels of MNIST's field one of its pixels is wide."""
    image = Image.fromarray(pixels)
    image.thumbnail((_CROP_SIDE, _CROP_SIDE), Image.Resampling.BOX)
    scale = 1.0 if max(image.size) <= MNIST.side else FIT / max(image.size)
    return {
        "title": title,
        "caption": caption,
        "width": image.width,
        "height": image.height,
        "pixels": base64.b64encode(image.tobytes()).decode(),
        "scale": scale,
    }
