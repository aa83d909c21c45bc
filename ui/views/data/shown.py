"""What was understood of a set: sentences, counts, mean images, samples, duplicates."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.arrays import ByteArray, to_float
from core.data.dataset import Dataset
from core.data.reading.read import Examined
from core.data.spec import MNIST
from ui import text, theme
from ui.figures import tiles
from ui.show import picture
from ui.visitor import compute, state

if TYPE_CHECKING:
    from core.network.orientation import Way

_SAMPLES, _PAIRS, _TILE = 48, 8, 56


def findings(found: Examined) -> None:
    """Each a sentence; those to look at are marked."""
    doubts = sum(each.doubt for each in found.findings)
    look = "nothing is in doubt" if not doubts else f"{text.in_words(doubts)} to look at"
    st.markdown(f"**What was understood** :gray[· {look}]")
    for each in found.findings:
        mark = ":orange[:material/help:]" if each.doubt else ":green[:material/check:]"
        st.markdown(f"{mark} **{each.topic}** {text.literal(each.sentence)}")


def counts(dataset: Dataset) -> None:
    """Images of each class, for training and for testing, and their mean image."""
    spec, palette = dataset.spec, theme.palette()
    st.markdown(
        f"**{text.in_words(len(spec.classes)).capitalize()} classes, and their mean images**"
    )
    scale = tiles.scale_of(_TILE, spec.side)
    means = np.stack([_mean(dataset, number) for number in range(len(spec.classes))])
    sheet = tiles.mosaic(tiles.colored(means, palette), palette, columns=10, scale=scale)
    picture(sheet, width=min(sheet.shape[1] // 2, 640), alt="The mean training image of each class")
    table = pd.DataFrame(
        {
            "Class": list(spec.classes),
            "Training": np.bincount(dataset.train.labels, minlength=len(spec.classes)),
            "Test": np.bincount(dataset.test.labels, minlength=len(spec.classes)),
        }
    )
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(table), 390))


def _mean(dataset: Dataset, number: int) -> np.ndarray:
    own = dataset.train.images[dataset.train.labels == number]
    if not len(own):
        return np.zeros(dataset.spec.shape, np.float32)
    return (own.mean(axis=0) / 255).astype(np.float32).reshape(dataset.spec.shape)


def samples(dataset: Dataset) -> None:
    """Training images from the first to the last, evenly spaced."""
    images = dataset.train.images
    some = images[np.linspace(0, len(images) - 1, min(_SAMPLES, len(images))).astype(int)]
    st.markdown(f"**Some of the images** :gray[· {dataset.spec.side} × {dataset.spec.side} pixels]")
    _tiles(some, dataset, "Training images, evenly spaced", columns=12)


def duplicates(found: Examined) -> None:
    """Pairs of equal and of nearly equal images: within the training part, and across the parts."""
    train, test = found.dataset.train.images, found.dataset.test.images
    for pairs, of, what in (
        (found.leaked, test, "for testing is equal to one for training"),
        (found.nearly_leaked, test, "for testing is nearly equal to one for training"),
        (found.twice, train, "for training is equal to an earlier one"),
        (found.near, train, "for training is nearly equal to an earlier one"),
    ):
        if len(pairs):
            st.markdown(f"**{_images(len(pairs), what)}**")
            both = np.stack([of[pairs.pairs[:_PAIRS, 0]], train[pairs.pairs[:_PAIRS, 1]]], axis=1)
            sheet = both.reshape(-1, *both.shape[2:])
            _tiles(sheet, found.dataset, f"Pairs: an image {what}", columns=8)


def _images(count: int, what: str) -> str:
    return (
        f"One image {what}" if count == 1 else f"{count:,} images {what}".replace(" is ", " are ")
    )


def _tiles(images: ByteArray, dataset: Dataset, alt: str, *, columns: int) -> None:
    palette = theme.palette()
    scale = tiles.scale_of(_TILE, dataset.spec.side)
    colored = tiles.colored(to_float(images), palette)
    sheet = tiles.mosaic(colored, palette, columns=columns, scale=scale)
    picture(sheet, width=min(sheet.shape[1] // 2, 820), alt=alt)


def orientation(dataset: Dataset) -> None:
    """How a shipped network reads images of MNIST's form in every orientation."""
    if dataset.spec.shape != MNIST.shape or len(dataset.spec.classes) != len(MNIST.classes):
        return
    ways = _ways(dataset.spec.key, dataset)
    title = compute.shipped_cards()[state.FIRST_MODEL].title
    best, now = ways[0], next(w for w in ways if not w.inverted and w.turn == "as they are")
    st.markdown(f"**{title} reads {text.full_rate(now.rate)} of them as they are**")
    if best is not now:
        from core.statistics.paired import paired

        pair = paired(best.right, now.right)
        st.caption(
            f"{best.title.capitalize()}: {text.full_rate(best.rate)}; p = {pair.p_value:.2g} that "
            "this is chance. If these are digits, overrule the orientation."
            if pair.p_value < 0.05
            else f"No other orientation is read better: {best.title} is within chance."
        )
    with st.expander("All sixteen ways"):
        rows = [{"Way": w.title, "Read right": text.full_rate(w.rate)} for w in ways]
        st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(
        "Form alone does not tell how images lie: a network that knows MNIST does, if they are "
        "digits. Of other images of this form it reads about one in ten."
    )


@st.cache_data(max_entries=4, show_spinner=False)
def _ways(key: str, _dataset: Dataset) -> "list[Way]":
    from core.network.orientation import ways_to_read

    test = _dataset.train
    return ways_to_read(compute.classifier(state.FIRST_MODEL), test.images, test.labels)
