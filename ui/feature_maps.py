"""The parts of the feature maps page: microscope, settings, comparison, the other layers."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.classifier import Classifier
from core.data import FloatArray
from core.feature_maps import (
    Convolution,
    DoubleArray,
    MapComparison,
    channel_arithmetic,
    compare_layers,
    compare_maps,
    convolutions,
    feature_maps,
    kernels,
)
from core.model import LayerInfo
from ui import compute, layers, maps_settings, microscope, theme
from ui.figures import map_charts, tiles
from ui.files import npz
from ui.header import Choice
from ui.maps_settings import Settings
from ui.microscope import Side
from ui.show import draw, picture

STATE_IMAGES = 1_000


@dataclass(frozen=True, eq=False)
class Pair:
    """What is laid beside the chosen image in the chosen model, and why not, if it cannot be."""

    second: Side | None = None
    comparison: MapComparison | None = None
    problem: str = ""


@st.fragment
def inspect(choice: Choice, classifier: Classifier) -> None:
    """Microscope and settings, then the comparison and the other layers."""
    found = convolutions(classifier.model)
    left, right = st.columns([3.5, 1], gap="medium")
    with right:
        with st.container(border=True, key="maps-settings"):
            settings = maps_settings.show(found, choice)
        with st.container(border=True):
            _this_layer(settings.convolution, layers.table_of(classifier))
    title = classifier.name if settings.compares_networks else choice.image.title
    first = _side(title, classifier, choice.image.floats, settings.convolution)
    pair = _beside(first, settings, choice)
    with left, st.container(border=True, height="stretch"):
        _microscope(first, pair, settings)
    if pair.comparison is not None:
        with st.container(border=True):
            _comparison(first, pair, settings)
    for other in found:
        if other != settings.convolution:
            with st.container(border=True):
                _at_a_glance(first, other)


def _side(title: str, classifier: Classifier, image: FloatArray, convolution: Convolution) -> Side:
    active = _active_shares(classifier.version, classifier)[convolution.name]
    return Side(title, classifier, image, convolution, active)


@st.cache_data(max_entries=64, show_spinner=False)
def _active_shares(version: str, _classifier: Classifier) -> dict[str, DoubleArray]:
    from core.data import to_float
    from core.feature_maps import active_shares

    return active_shares(_classifier, to_float(compute.mnist().test.images[:STATE_IMAGES]))


def _microscope(first: Side, pair: Pair, settings: Settings) -> None:
    if pair.problem:
        st.info(pair.problem, icon=":material/info:")
    sides = [first, pair.second] if pair.second else [first]
    notes = [""] * first.convolution.channels
    if pair.comparison is not None:
        notes = [f"{difference:.2f}" for difference in pair.comparison.by_channel]
    try:
        microscope.show(
            sides,
            stage=settings.stage,
            order=_order(first, pair, settings),
            shared=settings.shared,
            notes=notes,
        )
    except ValueError as error:
        st.error(str(error), icon=":material/error:")


def _order(first: Side, pair: Pair, settings: Settings) -> list[int]:
    if settings.order == "Difference" and pair.comparison is not None:
        return [int(channel) for channel in pair.comparison.ranked]
    if settings.order == "Response":
        strength = first.maps("after ReLU").mean(axis=(0, 1))
        return [int(channel) for channel in np.argsort(-strength, kind="stable")]
    return list(range(first.convolution.channels))


def _beside(first: Side, settings: Settings, choice: Choice) -> Pair:
    """The second side that the settings ask for."""
    chosen = maps_settings.second(settings, choice, first.classifier)
    if chosen is None:
        return Pair()
    title, classifier, image = chosen
    found = convolutions(classifier.model)
    number = settings.number
    if number >= len(found):
        return Pair(
            problem=f"{title} has {len(found)} convolutions, none to lay beside "
            f"{settings.convolution.name}: choose an earlier layer."
        )
    second = _side(title, classifier, image, found[number])
    if settings.stage not in second.convolution.stages:
        return Pair(problem=f"{title} does not pool after {second.convolution.name}.")
    try:
        comparison = compare_maps(first.maps(settings.stage), second.maps(settings.stage))
    except ValueError as error:
        return Pair(problem=str(error))
    return Pair(second, comparison)


def _this_layer(convolution: Convolution, rows: list[LayerInfo]) -> None:
    row = next(row for row in rows if row.name == convolution.name)
    shape = " × ".join(map(str, row.output_shape))
    kernel = f"{convolution.kernel_size} × {convolution.kernel_size}"
    st.markdown("**This layer**")
    st.caption(
        f"{shape} = {row.units:,} units  \n"
        f"{row.parameters:,} parameters  \n"
        f"kernels {kernel} × {convolution.input_channels}  \n"
        f"{row.multiply_adds:,} multiply-adds  \n"
        f"receptive field {row.receptive_field} × {row.receptive_field}"
    )


def _comparison(first: Side, pair: Pair, settings: Settings) -> None:
    second, comparison = pair.second, pair.comparison
    assert second is not None
    assert comparison is not None
    most = ", ".join(map(str, comparison.ranked[:3]))
    apart = f"apart by {comparison.distance:.2f} of its length, cosine {comparison.cosine:.2f}"
    if not np.isfinite([comparison.distance, comparison.cosine]).all():
        apart = "one of the two is silent, so there is no relative distance"
    st.markdown(
        f"**{settings.convolution.name}, {settings.stage}: {apart}** "
        f":gray[· {second.title} beside {first.title} · channels {most} differ most]"
    )
    by_layer = compare_layers(first.classifier, second.classifier, first.image, second.image)
    left, right = st.columns(2, gap="medium")
    palette = theme.palette()
    for column, title, values, limit in (
        (left, "‖a − b‖ / ‖a‖", {n: c.distance for n, c in by_layer.items()}, None),
        (right, "cosine", {n: c.cosine for n, c in by_layer.items()}, 1.0),
    ):
        with column:
            chart = map_charts.by_layer(values, palette, title=title, limit=limit)
            draw(chart, key=f"by-layer-{title}", alt=f"{title} after each layer")
    if settings.compares_networks:
        st.caption(
            "Channels of separately trained models need not correspond: the same number does not "
            "mean the same feature. Checkpoints of one run do correspond."
        )
    else:
        st.caption(
            "After every ReLU and at the logits. Distance is relative to the first; a cosine of 1 "
            "means the same pattern at any strength."
        )


def _at_a_glance(first: Side, other: Convolution) -> None:
    """The maps of another convolution, after ReLU, on one scale."""
    maps = feature_maps(first.classifier, first.image, other.after)[0]
    silent = int((maps.max(axis=(0, 1)) <= 0).sum())
    limit = max(float(maps.max()), 1e-6)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.markdown(
            f"**{other.name}, after ReLU** :gray[· {other.channels} channels of {other.side} × "
            f"{other.side}, {silent} silent for this image]"
        )
        st.button(
            "Open above",
            key=f"open-{other.name}",
            type="tertiary",
            icon=":material/arrow_upward:",
            on_click=maps_settings.open_layer,
            args=[other.name],
        )
    shown = tiles.ink(np.moveaxis(maps, -1, 0) / limit, theme.palette())
    half = (len(shown) + 1) // 2
    for column, part in zip(st.columns(2, gap="small"), (shown[:half], shown[half:]), strict=True):
        if len(part):
            with column:  # side by side, and on a phone one above the other
                _mosaic(part, f"Half of the maps of {other.name} after ReLU")
    st.caption(f"By rows, the second half right or below. Scale 0 to {limit:.2f}, shared by all.")


def _mosaic(shown: tiles.Picture, alt: str) -> None:
    sheet = tiles.mosaic(
        shown, theme.palette(), columns=8, scale=max(1, 112 // shown.shape[1]), gap=12
    )
    picture(sheet, width="stretch", alt=alt)


def downloads(choice: Choice, classifier: Classifier) -> None:
    """All maps of the image, and all kernels, as arrays."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Maps",
            lambda: all_maps(classifier, choice.image.floats),
            "feature_maps.npz",
            "application/octet-stream",
            key="download-maps",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
            help="Every convolution of this model, every stage, for this image: NumPy arrays.",
        )
        st.download_button(
            "Kernels",
            lambda: all_kernels(classifier),
            "kernels.npz",
            "application/octet-stream",
            key="download-kernels",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
            help="Kernels, biases and what batch normalization does, by convolution.",
        )


def all_maps(classifier: Classifier, image: FloatArray) -> bytes:
    """An .npz of `layer/stage` → float32 [h, w, channels]."""
    return npz(
        {
            f"{each.name}/{stage}": feature_maps(classifier, image, layer)[0]
            for each in convolutions(classifier.model)
            for stage, layer in each.stages.items()
        }
    )


def all_kernels(classifier: Classifier) -> bytes:
    """An .npz of each convolution's kernel, bias, scale and shift."""
    arrays = {}
    for each in convolutions(classifier.model):
        arithmetic = channel_arithmetic(classifier.model, each)
        arrays[f"{each.name}/kernel"] = kernels(classifier.model, each.name)
        arrays[f"{each.name}/bias"] = arithmetic.bias
        arrays[f"{each.name}/scale"] = arithmetic.scale
        arrays[f"{each.name}/shift"] = arithmetic.shift
    return npz(arrays)
