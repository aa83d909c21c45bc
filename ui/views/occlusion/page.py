"""The parts of the occlusion page."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.arrays import CLASSES, FloatArray, to_float
from core.data.fills import FILLS, fill_images
from core.inspection.fidelity import Fidelity, fidelity, random_map
from core.inspection.occlusion import OcclusionMap, occlude
from core.network.classifier import BATCH, Classifier
from ui import text, theme
from ui.components.occluder.mount import SHOWN, occluder, worst
from ui.controls import bound, whole_set
from ui.controls.class_picker import class_picker
from ui.controls.columns import result_and_settings
from ui.controls.downloads import download
from ui.controls.report import as_in_the_report
from ui.figures import charts, tiles
from ui.files import npz
from ui.show import draw, picture
from ui.visitor import compute
from ui.visitor.cache import cached
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage

REPORT = {"block": 12, "stride": 4, "fill": "black", "change": "Probability", "pixels": False}
_TILE = 84
_DRAWS = 20
_FEW = 100  # test images among which a classifier that costs much is shown ten
_WORK = 3_500  # passes of one image on the whole page, roughly


@dataclass(frozen=True, eq=False)
class Measured:
    """An occlusion map, and the seconds that it took when it was computed."""

    occlusion: OcclusionMap
    seconds: float


@st.fragment
def explore(classifier: Classifier, choice: Choice) -> None:
    """The block under the hand, its map, all ten classes, and one digit of each class."""
    result, controls = result_and_settings()
    image = choice.image
    with controls, st.container(border=True, key="settings"):
        label, block, stride, fill = _settings(classifier, choice)
    with result:
        compute.or_its_sentence("Hiding every part of the image", _WORK, classifier)
    measured = _occluded(classifier, image, block, stride, fill)
    with result, st.container(border=True, height="stretch"):
        _by_hand(classifier, image, measured.occlusion.of_class(label), stride, fill)
        st.caption(_cost(measured))
    with st.container(border=True):
        _ten_classes(measured.occlusion, block, stride)
    with st.container(border=True):
        _gallery(classifier, choice)
    with st.container(border=True):
        _truth(classifier, image, measured.occlusion.of_class(label))
    _downloads(measured.occlusion.of_class(label), image)


def _settings(classifier: Classifier, choice: Choice) -> tuple[int, int, int, str]:
    st.markdown("**Settings**")
    label = class_picker(choice, classifier.probabilities(choice.image.floats)[0])
    block = bound.slider("Block", 1, 14, REPORT["block"], key="block", format="%d px")
    stride = bound.slider(
        "Stride",
        1,
        14,
        REPORT["stride"],
        key="stride",
        format="%d px",
        help="How far the block moves. Above the block's side some pixels are never hidden.",
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
        help="For each pixel the mean over the blocks that hide it, with the digit's edge.",
    )
    as_in_the_report(
        "as-reported",
        lambda: st.session_state.update(REPORT),
        "E6: a block of 12 × 12 pixels, moved by 4.",
    )
    return label, block, stride, fill


@cached(64)
def _occluded(
    classifier: Classifier, image: ChosenImage, block: int, stride: int, fill: str
) -> Measured:
    floats = image.floats
    fills = fill_images(fill, floats)
    started = time.perf_counter()
    occlusion = occlude(classifier, floats, np.array([0]), block=block, stride=stride, fill=fills)
    return Measured(occlusion, time.perf_counter() - started)


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
        fill_images(fill, image.floats),
        theme.palette(),
        by_pixel=st.session_state["pixels"],
    )


def _finding(image: ChosenImage, occlusion: OcclusionMap) -> str:
    label = int(occlusion.classes[0])
    row, column = worst(occlusion)
    before = float(occlusion.clean_probabilities[0, label])
    after = float(occlusion.probabilities[0, row, column, label])
    read = int(occlusion.clean_logits[0].argmax())
    predicted = int(occlusion.predicted[0, row, column])
    kept = int((occlusion.predicted[0] == read).sum())
    change = f"p({label}) goes from {before:.3f} to {after:.3f}"
    stays = f"still a {read} at {kept} of {occlusion.positions} positions"
    if label != read:
        finding = f"Where a block lowers {label} most, the digit is read as {predicted}"
    elif predicted != read:
        finding = f"One block turns this {read} into a {predicted}"
    else:
        finding = f"No block changes the answer {read}"
    return f"**{finding}** :gray[· {change}; {stays}]"


def _cost(measured: Measured) -> str:
    occlusion = measured.occlusion
    read = np.bincount(occlusion.predicted.ravel(), minlength=CLASSES)
    answers = ", ".join(f"{label} at {read[label]}" for label in np.argsort(-read) if read[label])
    return (
        f"With the block there it reads {answers} of {occlusion.positions} positions. "
        f"{occlusion.positions} forward passes, {_batches(occlusion.positions)}, "
        f"{measured.seconds * 1000:.0f} ms; "
        "the positions between, for dragging, are computed behind."
    )


def _batches(passes: int) -> str:
    count = -(-passes // BATCH)
    return "one batch" if count == 1 else f"{count} batches"


def _ten_classes(occlusion: OcclusionMap, block: int, stride: int) -> None:
    """The map of each class for the same image, which costs nothing more."""
    shown = SHOWN[st.session_state["change"]]
    maps = [shown.changes(occlusion.of_class(label))[0] for label in range(CLASSES)]
    gains = [float(each.max()) for each in maps]
    best = int(np.argmax(gains))
    st.markdown(
        f"**Hiding a block raises {best} most, by {_change(gains[best], shown.unit)}** "
        f":gray[· change of each class's {shown.unit}, block {block}, stride {stride}, "
        f"one scale ±{shown.limit:g}]"
    )
    with st.grid(min_column_width=_TILE, gap="xsmall"):
        for label, values in enumerate(maps):
            with st.container(gap=None):
                picture(_map_tile(values, shown.limit), width=_TILE, alt=f"Map of class {label}")
                st.caption(
                    f"**{label}** {_change(float(values.min()), shown.unit)} … "
                    f"{_change(float(values.max()), shown.unit)}"
                )
    st.caption("Orange: the block lowers the class. Blue: it raises it. Below: least and largest.")


def _change(value: float, unit: str) -> str:
    return text.signed(value, 2 if unit == "p" else 1)


def _map_tile(values: FloatArray, limit: float) -> tiles.Picture:
    """A map [rows, columns] as a square of 2 × `_TILE` pixels, whatever its cells."""
    index = np.arange(2 * _TILE) * len(values) // (2 * _TILE)
    return tiles.signed(values[np.ix_(index, index)], limit, theme.palette())


def _gallery(classifier: Classifier, choice: Choice) -> None:
    """The report's gallery; with images beside the chosen one, those."""
    if choice.more:
        shown = list(choice.images)
        title = "The chosen images"
    else:
        shown = [ChosenImage(number) for number in _first_read_right(classifier)]
        title = "One digit of each class"
    occlusion = _gallery_maps(classifier, shown)
    drops = occlusion.probability_drop.max(axis=(1, 2))
    broken = int((occlusion.predicted != occlusion.clean_logits.argmax(-1)[:, None, None]).any(
        axis=(1, 2)
    ).sum())  # fmt: skip
    st.markdown(
        f"**{title}: some block changes the answer for {broken} of {len(shown)}** "
        ":gray[· experiment E6: block 12, stride 4, black; one scale ±1]"
    )
    palette = theme.palette()
    with st.grid(min_column_width=_TILE, gap="xsmall"):
        for number, image in enumerate(shown):
            with st.container(gap="xsmall"):
                picture(
                    tiles.digit(image.pixels / 255, _TILE, palette), width=_TILE, alt=image.title
                )
                picture(
                    _map_tile(-occlusion.probability_drop[number], 1.0),
                    width=_TILE,
                    alt=f"Its map: the probability of {occlusion.classes[number]} by block",
                )
                st.caption(f"**{occlusion.classes[number]}** {_change(-float(drops[number]), 'p')}")
    st.caption(
        "Change of the explained class's probability: the true one, or the predicted one of an "
        "own digit. A pale map is a digit that survives every block. Below: the largest fall."
    )


def _first_read_right(classifier: Classifier) -> list[int]:
    """Of each class the first test image that is read right; of the first 100, if all cost much."""
    evaluation = whole_set.known(whole_set.evaluation(classifier))
    images, labels = compute.first_test_images(_FEW)
    if evaluation is None:
        right = classifier.predict(images) == labels
    else:
        right, labels = evaluation.right, evaluation.labels
    found = [np.flatnonzero(right & (labels == label)) for label in range(CLASSES)]
    return [int(numbers[0]) for numbers in found if len(numbers)]


@cached(32)
def _gallery_maps(classifier: Classifier, images: list[ChosenImage]) -> OcclusionMap:
    pixels = to_float(np.stack([image.pixels for image in images]))
    predicted = classifier.predict(pixels)
    classes = [
        label if image.label is None else image.label
        for image, label in zip(images, predicted, strict=True)
    ]
    return occlude(classifier, pixels, np.array(classes))


def _truth(classifier: Classifier, image: ChosenImage, occlusion: OcclusionMap) -> None:
    """Erase pixels in the map's order, beside the two controls that know nothing of the network."""
    label = int(occlusion.classes[0])
    drop = occlusion.per_pixel_mean(occlusion.logit_drop)
    maps = {
        "In the map's order": np.nan_to_num(drop, nan=float(np.nanmin(drop))),
        "Brightest first": image.floats[..., 0],
        f"At random, mean of {_DRAWS} draws": random_map(
            image.floats.repeat(_DRAWS, axis=0), draws=_DRAWS
        ),
    }
    tested = {name: _erase(classifier, image, label, each) for name, each in maps.items()}
    areas = {name: float(each.deletion_area.mean()) for name, each in tested.items()}
    own, brightest, blind = areas.values()
    verdict = "beats" if own < brightest else "does not beat"
    st.markdown(
        f"**Does the map tell the truth? Area {own:.2f} in its order, {blind:.2f} at random, "
        f"{brightest:.2f} brightest first** "
        f":gray[· p({label}) while pixels turn black; lower finds what matters; one image]"
    )
    rows = [
        {"x": float(share), "y": float(p), "name": name}
        for name, each in tested.items()
        for share, p in zip(each.shares, each.deletion.mean(axis=0), strict=True)
    ]
    chart = charts.curves(
        pd.DataFrame(rows),
        theme.palette(),
        names=list(maps),
        x_title="share of the 784 pixels that are black",
        legend=True,
        height=220,
    )
    draw(chart, key="truth", alt=f"Probability of {label} while pixels are erased")
    st.caption(
        f"On this image the map {verdict} a control that never asked the network: erasing the "
        "brightest pixels first. The map here is the mean change of the logit by pixel; 200 images "
        "and other maps are on the Attribution page."
    )


def _erase(classifier: Classifier, image: ChosenImage, label: int, maps: FloatArray) -> Fidelity:
    count = len(maps)
    return fidelity(classifier, image.floats.repeat(count, axis=0), np.full(count, label), maps)


def _downloads(occlusion: OcclusionMap, image: ChosenImage) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        download(
            "Map",
            lambda: _archive(occlusion, image),
            "occlusion.npz",
            help="Image, positions, and the ten logits at each, as NumPy arrays.",
        )
        download("Table", lambda: _table(occlusion).to_csv(index=False), "occlusion.csv")


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


def _table(occlusion: OcclusionMap) -> pd.DataFrame:
    rows, columns = np.indices(occlusion.predicted.shape[1:])
    return pd.DataFrame(
        {
            "top": occlusion.tops[rows.ravel()],
            "left": occlusion.lefts[columns.ravel()],
            "class": occlusion.classes[0],
            "predicted": occlusion.predicted[0].ravel(),
            "probability_drop": occlusion.probability_drop[0].ravel(),
            "logit_drop": occlusion.logit_drop[0].ravel(),
        }
    )
