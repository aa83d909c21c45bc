"""The parts of the occlusion page."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.arrays import FloatArray, to_float
from core.data.fills import FILLS, fill_images
from core.data.spec import MNIST, DatasetSpec
from core.inspection.occlusion import OcclusionMap, occlude
from core.network.classifier import BATCH, Classifier
from ui import text, theme
from ui.components.occluder.mount import SHOWN, edge_words, occluder, worst
from ui.controls import bound, whole_set
from ui.controls.class_picker import class_picker
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.controls.report import as_in_the_report
from ui.figures import tiles
from ui.figures.palette import Palette
from ui.files import npz
from ui.show import encoded, picture
from ui.views.occlusion.truth import truth
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

REPORT = {"block": 12, "stride": 4, "fill": "black", "change": "Probability", "pixels": False}
_TILE = 84
_FEW = 100  # test images among which a classifier that costs much is shown ten
_WORK = 3_500  # passes of one image on the whole page, roughly


@dataclass(frozen=True, eq=False)
class OcclusionMeasured:
    """An occlusion map, and the seconds that it took when it was computed."""

    occlusion: OcclusionMap
    seconds: float


@st.fragment
def explore(classifier: Classifier, choice: Choice) -> None:
    """The block under the hand, its map, all classes, and one image of each class."""
    result, controls = result_and_settings()
    image = choice.image
    with controls, st.container(border=True, key="settings"):
        label, block, stride, fill = _settings(classifier, choice)
    with result:
        compute.or_its_sentence("Hiding every part of the image", _WORK, classifier)
    measured = _occluded(classifier, image, block, stride, fill)
    with result, st.container(border=True, height="stretch"):
        _by_hand(classifier, image, measured.occlusion.of_class(label), stride, fill)
        st.caption(_cost(measured, image.spec))
    with st.container(border=True):
        _all_classes(classifier, measured.occlusion, block, stride)
    with st.container(border=True):
        _gallery(classifier, choice)
    with st.container(border=True):
        truth(classifier, image, measured.occlusion.of_class(label))
    _downloads(measured.occlusion.of_class(label), image)


def _settings(classifier: Classifier, choice: Choice) -> tuple[int, int, int, str]:
    st.markdown("**Settings**")
    label = class_picker(choice, classifier.probabilities(choice.image.floats)[0])
    half = choice.spec.side // 2
    block = _pixels("Block", half, "block")
    stride = _pixels(
        "Stride",
        half,
        "stride",
        "How far the block moves. Above the block's side some pixels are never hidden.",
    )
    fill = bound.selectbox(
        "Fill with",
        FILLS,
        key="fill",
        help="What stands in the block: 0, 0.5, the mean training image, this image blurred by "
        "3 pixels, or uniform noise.",
    )
    bound.segmented_control(
        "Show change of",
        list(SHOWN),
        default=REPORT["change"],
        required=True,
        key="change",
        width="stretch",
    )
    bound.toggle(
        "Mean by pixel",
        REPORT["pixels"],
        key="pixels",
        help="For each pixel the mean over the blocks that hide it, with "
        f"{edge_words(choice.spec)}.",
    )
    as_in_the_report(
        "as-reported",
        lambda: st.session_state.update(REPORT),
        "E6: a block of 12 × 12 pixels, moved by 4.",
    )
    return label, block, stride, fill


def _pixels(label: str, most: int, key: str, help: str | None = None) -> int:
    """A length of at most half the image's side."""
    if st.session_state.get(key, 1) > most:  # as long as an image of another data set allows
        st.session_state[key] = most
    default = min(most, int(REPORT[key]))
    chosen: int = bound.slider(label, 1, most, default, key=key, format="%d px", help=help)
    return chosen


@cached
def _occluded(
    classifier: Classifier, image: ChosenImage, block: int, stride: int, fill: str
) -> OcclusionMeasured:
    floats = image.floats
    fills = fill_images(fill, floats, spec=image.spec)
    started = time.perf_counter()
    occlusion = occlude(classifier, floats, np.array([0]), block=block, stride=stride, fill=fills)
    return OcclusionMeasured(occlusion, time.perf_counter() - started)


def _by_hand(
    classifier: Classifier, image: ChosenImage, occlusion: OcclusionMap, stride: int, fill: str
) -> None:
    st.markdown(_finding(image, occlusion))
    free = _occluded(classifier, image, occlusion.block, 1, fill).occlusion
    occluder(
        image,
        occlusion,
        free,
        SHOWN[st.session_state["change"]],
        fill_images(fill, image.floats, spec=image.spec),
        theme.palette(),
        by_pixel=st.session_state["pixels"],
    )


def _finding(image: ChosenImage, occlusion: OcclusionMap) -> str:
    label, names = int(occlusion.classes[0]), text.literals(image.spec.classes)
    row, column = worst(occlusion)
    before = float(occlusion.clean_probabilities[0, label])
    after = float(occlusion.probabilities[0, row, column, label])
    read = int(occlusion.clean_logits[0].argmax())
    predicted = int(occlusion.predicted[0, row, column])
    kept = int((occlusion.predicted[0] == read).sum())
    change = f"p({names[label]}) goes from {before:.3f} to {after:.3f}"
    stays = f"still {text.a(names[read])} at {kept} of {occlusion.positions} positions"
    if label != read:
        finding = (
            f"Where a block lowers {names[label]} most, the {image.spec.noun} is read as "
            f"{names[predicted]}"
        )
    elif predicted != read:
        finding = f"One block turns this {names[read]} into {text.a(names[predicted])}"
    else:
        finding = f"No block changes the answer {names[read]}"
    return f"**{finding}** :gray[· {change}; {stays}]"


def _cost(measured: OcclusionMeasured, spec: DatasetSpec) -> str:
    occlusion, names = measured.occlusion, text.literals(spec.classes)
    read = np.bincount(occlusion.predicted.ravel(), minlength=len(names))
    most_first = [label for label in np.argsort(-read) if read[label]]
    answers = ", ".join(f"{names[label]} at {read[label]}" for label in most_first)
    return (
        f"With the block there it reads {answers} of {occlusion.positions} positions. "
        f"{occlusion.positions} forward passes, {_batches(occlusion.positions)}, "
        f"{measured.seconds * 1000:.0f} ms; "
        "the positions between, for dragging, are computed behind."
    )


def _batches(passes: int) -> str:
    count = -(-passes // BATCH)
    return "one batch" if count == 1 else f"{count} batches"


def _all_classes(classifier: Classifier, occlusion: OcclusionMap, block: int, stride: int) -> None:
    """The map of each class for the same image, which costs nothing more."""
    shown = SHOWN[st.session_state["change"]]
    names = classifier.spec.classes
    maps = [shown.changes(occlusion.of_class(label))[0] for label in range(len(names))]
    gains = [float(each.max()) for each in maps]
    best = int(np.argmax(gains))
    st.markdown(
        f"**Hiding a block raises {text.literal(names[best])} most, "
        f"by {_change(gains[best], shown.unit)}** :gray[· change of each class's {shown.unit}, "
        f"block {block}, stride {stride}, one scale ±{shown.limit:g}]"
    )
    palette = theme.palette()
    with st.grid(min_column_width=_TILE, gap="xsmall"):
        for name, values in zip(names, maps, strict=True):
            with st.container(gap=None):
                tile = _map_tile(values, shown.limit, palette)
                picture(tile, width=_TILE, alt=f"Map of class {name}")
                st.caption(
                    f"**{text.literal(name)}** {_change(float(values.min()), shown.unit)} … "
                    f"{_change(float(values.max()), shown.unit)}"
                )
    st.caption("Orange: the block lowers the class. Blue: it raises it. Below: least and largest.")


def _change(value: float, unit: str) -> str:
    return text.signed(value, 2 if unit == "p" else 1)


def _map_tile(values: FloatArray, limit: float, palette: Palette) -> tiles.Picture:
    """A map [rows, columns] as a square of 2 × `_TILE` pixels, whatever its cells."""
    index = np.arange(2 * _TILE) * len(values) // (2 * _TILE)
    return tiles.signed(values, limit, palette)[np.ix_(index, index)]


def _gallery(classifier: Classifier, choice: Choice) -> None:
    """The report's gallery; with images beside the chosen one, those."""
    spec = choice.spec
    if choice.more:
        shown = list(choice.images)
        title = "The chosen images"
    else:
        shown = [ChosenImage(number, spec=spec) for number in _first_read_right(classifier)]
        title = f"One {spec.noun} of each class"
    block, stride = (min(spec.side // 2, REPORT[key]) for key in ("block", "stride"))
    experiment = "experiment E6: " if spec == MNIST else ""
    occlusion = _gallery_maps(classifier, shown, block, stride)
    drops = occlusion.probability_drop.max(axis=(1, 2))
    broken = int((occlusion.predicted != occlusion.clean_logits.argmax(-1)[:, None, None]).any(
        axis=(1, 2)
    ).sum())  # fmt: skip
    st.markdown(
        f"**{title}: some block changes the answer for {broken} of {len(shown)}** "
        f":gray[· {experiment}block {block}, stride {stride}, black; one scale ±1]"
    )
    pictures = _gallery_pictures(classifier, shown, block, stride, theme.palette())
    with st.grid(min_column_width=_TILE, gap="xsmall"):
        for number, (image, (digit, hidden)) in enumerate(zip(shown, pictures, strict=True)):
            name = spec.classes[occlusion.classes[number]]
            with st.container(gap="xsmall"):
                picture(digit, width=_TILE, alt=image.title)
                picture(hidden, width=_TILE, alt=f"Its map: the probability of {name} by block")
                st.caption(f"**{text.literal(name)}** {_change(-float(drops[number]), 'p')}")
    st.caption(
        "Change of the explained class's probability: the true one, or the predicted one of an "
        f"own {spec.noun}. A pale map is {text.a(spec.noun)} that survives every block. Below: the "
        "largest fall."
    )


def _first_read_right(classifier: Classifier) -> list[int]:
    """Of each class the first test image that is read right; of the first 100, if all cost much."""
    evaluation = whole_set.known(whole_set.evaluation(classifier))
    images, labels = compute.first_test_images(classifier.spec, _FEW)
    if evaluation is None:
        right = classifier.predict(images) == labels
    else:
        right, labels = evaluation.right, evaluation.labels
    found = [np.flatnonzero(right & (labels == label)) for label in np.unique(labels)]
    return [int(numbers[0]) for numbers in found if len(numbers)]


@cached
def _gallery_maps(
    classifier: Classifier, images: list[ChosenImage], block: int, stride: int
) -> OcclusionMap:
    pixels = to_float(np.stack([image.pixels for image in images]))
    predicted = classifier.predict(pixels)
    classes = [
        label if image.label is None else image.label
        for image, label in zip(images, predicted, strict=True)
    ]
    return occlude(classifier, pixels, np.array(classes), block=block, stride=stride)


@cached
def _gallery_pictures(
    classifier: Classifier, images: list[ChosenImage], block: int, stride: int, palette: Palette
) -> list[tuple[str, str]]:
    """Each image and its map, encoded once: no slider changes them."""
    drops = _gallery_maps(classifier, images, block, stride).probability_drop
    return [
        (
            encoded(tiles.image(image.pixels / 255, _TILE, palette)),
            encoded(_map_tile(-drop, 1.0, palette)),
        )
        for image, drop in zip(images, drops, strict=True)
    ]


def _downloads(occlusion: OcclusionMap, image: ChosenImage) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Map",
            lambda: _archive(occlusion, image),
            "occlusion.npz",
            help="Image, positions, and the logits at each, as NumPy arrays.",
        )
        download(
            "Table", lambda: _table(occlusion, image.spec).to_csv(index=False), "occlusion.csv"
        )


def _archive(occlusion: OcclusionMap, image: ChosenImage) -> bytes:
    return npz(
        {
            "image": image.pixels,
            "tops": occlusion.tops,
            "lefts": occlusion.lefts,
            "block": occlusion.block,
            "logits": occlusion.logits[0],
            "clean_logits": occlusion.clean_logits[0],
        }
    )


def _table(occlusion: OcclusionMap, spec: DatasetSpec) -> pd.DataFrame:
    rows, columns = np.indices(occlusion.predicted.shape[1:])
    return pd.DataFrame(
        {
            "top": occlusion.tops[rows.ravel()],
            "left": occlusion.lefts[columns.ravel()],
            "class": spec.classes[occlusion.classes[0]],
            "predicted": [spec.classes[label] for label in occlusion.predicted[0].ravel()],
            "probability_drop": occlusion.probability_drop[0].ravel(),
            "logit_drop": occlusion.logit_drop[0].ravel(),
        }
    )
