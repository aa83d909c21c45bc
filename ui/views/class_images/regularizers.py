"""Each regularizer with and without, all else the same."""

import streamlit as st

from core.inspection.class_images import ImageSettings
from core.network.classifier import Classifier
from ui import text, theme
from ui.figures import tiles
from ui.show import picture
from ui.views.class_images.made import QUICK, Made, made, typical
from ui.views.class_images.wanted import CLASS, REGULARIZERS, Asked, Regularizer

_TILE = 112


def show(classifier: Classifier, asked: Asked) -> None:
    """The same settings with each and without it."""
    st.markdown(
        "**What does each regularizer do? With it, and without** "
        f":gray[· all else as set above, at most {QUICK} iterations]"
    )
    if len(asked.wanted.numbers) > 1:
        for regularizer in REGULARIZERS:
            _strips(classifier, asked, regularizer)
    else:
        columns = st.columns(len(REGULARIZERS), gap="small")
        for column, regularizer in zip(columns, REGULARIZERS, strict=True):
            with column, st.container(horizontal=True, gap="xsmall"):
                _pair(classifier, asked, regularizer)
    ink, variation = typical()
    st.caption(
        "What is off above is tried out at the strength that is written. A test image has ink "
        f"{ink:.0f} and total variation (TV) {variation:.0f} in the mean."
    )


def _sides(asked: Asked, regularizer: Regularizer) -> list[tuple[str, ImageSettings]]:
    on, off = regularizer.with_it(asked.settings), regularizer.without(asked.settings)
    tried = "" if regularizer.on(asked.settings) else ", tried out"
    return [
        (f"With {regularizer.title} {regularizer.write(on)}{tried}", on),
        (f"Without {regularizer.title}", off),
    ]


def _strips(classifier: Classifier, asked: Asked, regularizer: Regularizer) -> None:
    """All ten, left with it and right without."""
    sides = _sides(asked, regularizer)
    for column, (title, settings) in zip(st.columns(2, gap="medium"), sides, strict=True):
        with column, st.container(gap="xxsmall"):
            found = made(classifier, asked.wanted, asked.start, settings)
            _halves(found, title)
            st.caption(f"**{title}** · {', '.join(_numbers(asked, found))}")


def _halves(found: Made, title: str) -> None:
    """In a row, and on a phone in two."""
    palette = theme.palette()
    shown = tiles.ink(found.images[..., 0], palette)
    for column, first in zip(st.columns(2, gap="xxsmall"), (0, 5), strict=True):
        sheet = tiles.mosaic(shown[first : first + 5], palette, columns=5, scale=4, gap=24)
        with column:
            picture(sheet, width="stretch", alt=f"{title}: digits {first} to {first + 4}")


def _pair(classifier: Classifier, asked: Asked, regularizer: Regularizer) -> None:
    """One image with it and one without."""
    for title, settings in _sides(asked, regularizer):
        found = made(classifier, asked.wanted, asked.start, settings)
        with st.container(gap="xxsmall", width=_TILE):
            image = tiles.digit(found.images[0, ..., 0], _TILE, theme.palette())
            picture(image, width=_TILE, alt=title)
            st.caption("  \n".join([f"**{title}**", *_numbers(asked, found)]))


def _numbers(asked: Asked, found: Made) -> list[str]:
    digits = 1 if asked.wanted.kind == CLASS else 2
    mean = "mean " if len(found.values) > 1 else ""
    return [
        f"{mean}{asked.wanted.quantity} {text.number(float(found.values.mean()), digits)}",
        f"ink {found.ink.mean():.0f}",
        f"TV {found.variation.mean():.0f}",
    ]
