"""The parts of the feature maps page: microscope, settings, comparison."""

import numpy as np
import streamlit as st

from core.arrays import FloatArray
from core.inspection.feature_maps import (
    Convolution,
    DoubleArray,
    MapComparison,
    active_shares,
    channel_arithmetic,
    compare_layers,
    compare_maps,
    convolutions,
    feature_maps,
    kernels,
    single_taps,
)
from core.network.classifier import Classifier
from ui import text, theme
from ui.components.microscope import mount as microscope
from ui.components.microscope.package import ShownLayer, Side
from ui.controls import layer_table
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.controls.whole_set import Whole, in_parts, known, outcome
from ui.figures import map_charts
from ui.files import npz
from ui.show import draw
from ui.views.feature_maps import settings as maps_settings
from ui.views.feature_maps.settings import MapsSettings
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.choice import Choice

STATE_IMAGES = 1_000


@st.fragment
def inspect(choice: Choice, classifier: Classifier) -> None:
    """Microscope and settings, then the comparison."""
    found = convolutions(classifier.model)
    left, right = result_and_settings()
    with right:
        with st.container(border=True, key="maps-settings"):
            settings = maps_settings.show(found, choice)
        with st.container(border=True):
            _facts(classifier, found)
            outcome(_activity(classifier))
    title = classifier.name if settings.compares_networks else choice.image.title
    own = _sides(title, classifier, choice.image.floats)
    beside = maps_settings.second(settings, choice, classifier)
    shown = _layers(own, _sides(*beside) if beside else [], settings)
    with left, st.container(border=True, height="stretch"):
        if problems := list(dict.fromkeys(layer.problem for layer in shown if layer.problem)):
            st.info("  \n".join(problems), icon=":material/info:")
        names = [layer.name for layer in shown]
        microscope.show(
            shown,
            opened=maps_settings.opened(names),
            counted=min(STATE_IMAGES, classifier.spec.test_images),
            shared=settings.shared,
            turn=maps_settings.turn(),
            on_layer=maps_settings.open_layer,
            on_draw=lambda: maps_settings.opened(names),
        )
    compared = [layer for layer in shown if layer.comparison is not None]
    if compared:
        with st.container(border=True):
            _comparison(compared, settings)


def _sides(title: str, classifier: Classifier, image: FloatArray) -> list[Side]:
    """Every convolution of a network that sees an image."""
    active = known(_activity(classifier))
    return [
        Side(
            title, classifier, image, each,
            np.full(each.channels, np.nan) if active is None else active[each.name],
        )
        for each in convolutions(classifier.model)
    ]  # fmt: skip


def _activity(classifier: Classifier) -> Whole[dict[str, DoubleArray]]:
    """How often each channel is above 0, over the first test images."""
    images, _ = compute.first_test_images(classifier.spec, STATE_IMAGES)

    def joined(parts: list[dict[str, DoubleArray]]) -> dict[str, DoubleArray]:
        return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}

    return Whole(
        "How often each channel responds",
        ("activity", classifier.version),
        classifier,
        len(images),
        now=lambda: _active_shares(classifier),
        work=lambda: in_parts(
            len(images), lambda part: active_shares(classifier, images[part]), joined
        ),
    )


@cached
def _active_shares(classifier: Classifier) -> dict[str, DoubleArray]:
    return active_shares(classifier, compute.first_test_images(classifier.spec, STATE_IMAGES)[0])


def _layers(own: list[Side], beside: list[Side], settings: MapsSettings) -> list[ShownLayer]:
    """The network's layers, with what lies beside each of them where something can."""
    paired = [_paired(*pair, settings) for pair in zip(own, beside, strict=False)]
    lacking = f"{text.literal(beside[0].title)} has no convolution to lay beside" if beside else ""
    return paired + [
        _alone(first, settings, lacking and f"{lacking} {first.convolution.name}.")
        for first in own[len(paired) :]
    ]


def _alone(first: Side, settings: MapsSettings, problem: str = "") -> ShownLayer:
    return ShownLayer(
        (first,), _stage((first,), settings), _order(first, None, settings), None, problem
    )


def _paired(first: Side, second: Side, settings: MapsSettings) -> ShownLayer:
    """Both sides, or only the first where their maps cannot be compared."""
    stage = _stage((first, second), settings)
    try:
        comparison = compare_maps(first.maps(stage), second.maps(stage))
    except ValueError as error:
        return _alone(first, settings, f"{first.convolution.name}: {error}")
    return ShownLayer((first, second), stage, _order(first, comparison, settings), comparison)


def _stage(sides: tuple[Side, ...], settings: MapsSettings) -> str:
    """The stage asked for, if all sides have it."""
    shared = all(settings.stage in side.convolution.stages for side in sides)
    return settings.stage if shared else "after ReLU"


def _order(first: Side, comparison: MapComparison | None, settings: MapsSettings) -> list[int]:
    if settings.order == "Difference" and comparison is not None:
        return [int(channel) for channel in comparison.ranked]
    if settings.order == "Response":
        strength = first.maps("after ReLU").mean(axis=(0, 1))
        return [int(channel) for channel in np.argsort(-strength, kind="stable")]
    return list(range(first.convolution.channels))


def _facts(classifier: Classifier, found: list[Convolution]) -> None:
    by_name = {row.name: row for row in layer_table.table_of(classifier)}
    for each in found:
        row = by_name[each.name]
        shape = " × ".join(map(str, row.output_shape))
        st.markdown(f"**{each.name}**")
        st.caption(
            f"{shape} = {row.units:,} units  \n"
            f"{row.parameters:,} parameters  \n"
            f"kernels {each.kernel_size} × {each.kernel_size} × {each.input_channels}  \n"
            f"{row.multiply_adds:,} multiply-adds  \n"
            f"receptive field {row.receptive_field} × {row.receptive_field}"
        )
        single = int(single_taps(kernels(classifier.model, each.name)).sum())
        if single > each.channels / 2:
            st.caption(
                f"{single} of {each.channels} kernels are a single weight that outweighs all their "
                "others: thresholds on one pixel. Their maps are thresholded "
                f"{classifier.spec.noun}s; strokes come in the next layer."
            )


def _comparison(compared: list[ShownLayer], settings: MapsSettings) -> None:
    first, second = compared[0].sides
    for layer in compared:
        st.markdown(_finding(layer))
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


def _finding(layer: ShownLayer) -> str:
    """How far the two sides of a layer are apart, as a card's first line."""
    (first, second), comparison = layer.sides, layer.comparison
    assert comparison is not None
    most = ", ".join(map(str, comparison.ranked[:3]))
    apart = f"apart by {comparison.distance:.2f} of its length, cosine {comparison.cosine:.2f}"
    if not np.isfinite([comparison.distance, comparison.cosine]).all():
        apart = "one of the two is silent, so there is no relative distance"
    return (
        f"**{layer.name}, {layer.stage}: {apart}** "
        f":gray[· {text.literal(second.title)} beside {text.literal(first.title)} · channels "
        f"{most} differ most]"
    )


def downloads(choice: Choice, classifier: Classifier) -> None:
    """All maps of the image, and all kernels, as arrays."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Maps",
            lambda: all_maps(classifier, choice.image.floats),
            "feature_maps.npz",
            key="download-maps",
            help="Every convolution of this model, every stage, for this image: NumPy arrays.",
        )
        download(
            "Kernels",
            lambda: all_kernels(classifier),
            "kernels.npz",
            key="download-kernels",
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
