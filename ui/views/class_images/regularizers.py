"""Each regularizer with and without, all else the same."""

import streamlit as st

from core.arrays import FloatArray
from core.data.spec import DatasetSpec
from core.inspection.class_images import ImageSettings
from core.network.classifier import Classifier
from ui import text, theme
from ui.figures import tiles
from ui.show import encoded, picture
from ui.views.class_images.made import QUICK, ImagesMade, made, typical
from ui.views.class_images.wanted import CLASS, REGULARIZERS, ImagesAsked, Regularizer

_TILE, _HALF = 112, 56
Sheets = dict[ImageSettings, list[str]]  # the two halves of a strip: without any, all look alike


def show(classifier: Classifier, asked: ImagesAsked, found: ImagesMade) -> None:
    """The same settings with each and without it; found: what was made at the settings above."""
    st.markdown(
        "**What does each regularizer do? With it, and without** "
        f":gray[· all else as set above, at most {QUICK} iterations]"
    )
    if len(asked.wanted.numbers) > 1:
        sheets: Sheets = {}
        for regularizer in REGULARIZERS:
            _strips(classifier, asked, regularizer, found, sheets)
    else:
        columns = st.columns(len(REGULARIZERS), gap="small")
        for column, regularizer in zip(columns, REGULARIZERS, strict=True):
            with column, st.container(horizontal=True, gap="xsmall"):
                _pair(classifier, asked, regularizer, found)
    total, variation = typical(classifier.spec)
    st.caption(
        "What is off above is tried out at the strength that is written. A test image has "
        f"{asked.wanted.measure} {total:.0f} and total variation (TV) {variation.mean():.0f} "
        "in the mean."
    )


def _sides(asked: ImagesAsked, regularizer: Regularizer) -> list[tuple[str, ImageSettings]]:
    on, off = regularizer.with_it(asked.settings), regularizer.without(asked.settings)
    tried = "" if regularizer.on(asked.settings) else ", tried out"
    return [
        (f"With {regularizer.title} {regularizer.write(on)}{tried}", on),
        (f"Without {regularizer.title}", off),
    ]


def _made(
    classifier: Classifier, asked: ImagesAsked, settings: ImageSettings, found: ImagesMade
) -> ImagesMade:
    """What the settings make; what is shown above is not made again."""
    if settings == asked.settings and settings.iterations <= QUICK:
        return found
    return made(classifier, asked.wanted, asked.start, settings)


def _strips(
    classifier: Classifier,
    asked: ImagesAsked,
    regularizer: Regularizer,
    above: ImagesMade,
    sheets: Sheets,
) -> None:
    """All classes, left with it and right without."""
    sides = _sides(asked, regularizer)
    for column, (title, settings) in zip(st.columns(2, gap="medium"), sides, strict=True):
        with column, st.container(gap="xxsmall"):
            found = _made(classifier, asked, settings, above)
            if settings not in sheets:
                sheets[settings] = _encoded(found.images, classifier.spec)
            _halves(sheets[settings], classifier.spec, title)
            st.caption(f"**{title}** · {', '.join(_numbers(asked, found))}")


def _encoded(images: FloatArray, spec: DatasetSpec) -> list[str]:
    """Both halves of a strip of all classes."""
    palette = theme.palette()
    shown = tiles.colored(images, palette)
    half, scale = -(-len(shown) // 2), tiles.scale_of(_HALF, spec.side)
    return [
        encoded(tiles.mosaic(some, palette, columns=half, scale=scale, gap=24))
        for some in (shown[:half], shown[half:])
    ]


def _halves(sheets: list[str], spec: DatasetSpec, title: str) -> None:
    """In a row, and on a phone in two."""
    half = -(-len(spec.classes) // 2)
    names = spec.classes[:half], spec.classes[half:]
    for column, sheet, own in zip(st.columns(2, gap="xxsmall"), sheets, names, strict=True):
        with column:
            picture(sheet, width="stretch", alt=f"{title}: {spec.noun}s {own[0]} to {own[-1]}")


def _pair(
    classifier: Classifier, asked: ImagesAsked, regularizer: Regularizer, above: ImagesMade
) -> None:
    """One image with it and one without."""
    for title, settings in _sides(asked, regularizer):
        found = _made(classifier, asked, settings, above)
        with st.container(gap="xxsmall", width=_TILE):
            image = tiles.image(found.images[0], _TILE, theme.palette())
            picture(image, width=_TILE, alt=title)
            st.caption("  \n".join([f"**{title}**", *_numbers(asked, found)]))


def _numbers(asked: ImagesAsked, found: ImagesMade) -> list[str]:
    digits = 1 if asked.wanted.kind == CLASS else 2
    mean = "mean " if len(found.values) > 1 else ""
    return [
        f"{mean}{asked.wanted.quantity} {text.number(float(found.values.mean()), digits)}",
        f"{asked.wanted.measure} {found.pixel_sum.mean():.0f}",
        f"TV {found.variation.mean():.0f}",
    ]
