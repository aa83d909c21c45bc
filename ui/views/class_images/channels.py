"""All channels of a layer as small multiples, and which of them are silent."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.data.spec import DatasetSpec
from core.inspection.responses import HiddenLayer
from core.network.classifier import Classifier
from ui import text, theme
from ui.controls.whole_set import known
from ui.figures import tiles
from ui.show import error_box, picture
from ui.views.class_images.made import QUICK, ImagesMade, layer_responses, made, real_answers
from ui.views.class_images.settings import open_channel
from ui.views.class_images.wanted import CHANNEL, ImagesAsked, Wanted

_TILE = 84


def show(classifier: Classifier, asked: ImagesAsked) -> None:
    """One image for each channel, from one optimization; a press on its number opens it above."""
    layer = asked.wanted.layer
    assert layer is not None
    everything = replace(asked.wanted, numbers=tuple(range(layer.channels)))
    try:
        found = made(classifier, everything, asked.start, asked.settings)
    except ValueError as error:
        error_box(error)
        return
    if (real := known(layer_responses(classifier, layer.name))) is not None:
        st.markdown(_finding(real.means, asked, layer, found))
    palette = theme.palette()
    with st.grid(min_column_width=_TILE, gap="xsmall"):
        for channel, image in enumerate(found.images):
            with st.container(gap=None, key=f"img-multiple-{channel}"):
                picture(
                    tiles.image(image, _TILE, palette),
                    width=_TILE,
                    alt=f"The image of {layer.name} channel {channel}",
                )
                st.button(
                    f"{channel} · {text.number(float(found.values[channel]))}",
                    key=f"img-open-{channel}",
                    type="tertiary",
                    on_click=open_channel,
                    args=[channel],
                )
    st.caption(_caption(layer, found))


def _finding(real: FloatArray, asked: ImagesAsked, layer: HiddenLayer, found: ImagesMade) -> str:
    if asked.settings.minimize:
        beyond, more = found.values < real.min(axis=0), "less"
    else:
        beyond, more = found.values > real.max(axis=0), "more"
    return (
        f"**{int(beyond.sum())} of {layer.channels} images excite their channel of {layer.name} "
        f"{more} than any of {len(real):,} test images** :gray[· all channels in one "
        f"optimization, at most {QUICK} iterations]"
    )


def _caption(layer: HiddenLayer, found: ImagesMade) -> str:
    sentences = ["Below each: the channel and its mean. Press it to open it above."]
    stuck = int((found.moved == 0).sum())
    if stuck:
        sentences.append(
            f"{stuck} of {layer.channels} did not move: their gradient at the start is zero. Start "
            "from noise, or choose the layer before its ReLU."
        )
    if layer.linear:
        sentences.append(
            f"Before its ReLU the mean of {layer.name} is a weighted sum of the pixels: it asks "
            "for full pixels everywhere or for none, and patterns come behind the ReLU."
        )
    return " ".join(sentences)


def silence(classifier: Classifier, wanted: Wanted) -> list[str]:
    """Whether the channel or unit is silent for all test images, and how many others are.

    Nothing is said before that is measured, where it costs much.
    """
    layer = wanted.layer
    if layer is None or not layer.rectified:
        return []
    number = wanted.numbers[0]
    if wanted.kind == CHANNEL or len(layer.shape) == 1:
        found = known(layer_responses(classifier, layer.name))
        silent = np.zeros(layer.channels, bool) if found is None else found.largest <= 0
        dead, others = bool(silent[number]), int(silent.sum())
    else:
        values = known(real_answers(classifier, wanted))
        dead, others = values is not None and bool((values[number] <= 0).all()), 0
    if not dead:
        return []
    count = f" So are {others} of its layer’s {layer.channels} in all." if others else ""
    return [_dead(wanted.title(number), classifier.spec) + count]


def _dead(title: str, spec: DatasetSpec) -> str:
    return (
        f"{title} is dead: it is at most 0 for all {spec.test_images:,} test images, so its ReLU "
        "puts out "
        "nothing. Before the ReLU it still has a gradient."
    )
