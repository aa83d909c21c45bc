"""Which arrays of a file are images, which are their labels, and which part they are of."""

import re
from dataclasses import dataclass

import numpy as np

from core.checks import short
from core.data.reading.contents import Array, Contents
from core.data.reading.findings import DataFinding

TRAIN, VALIDATION, TEST, WHOLE = "training", "validation", "test", ""
_WORDS = {
    "train": TRAIN, "training": TRAIN, "tr": TRAIN, "extra": TRAIN,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "dev": VALIDATION,
    "test": TEST, "testing": TEST, "t10k": TEST, "te": TEST,
}  # fmt: skip
_LABEL_WORDS = {"y", "label", "labels", "target", "targets", "class", "classes", "lbl"}
_LEAST_PIXELS = 64  # of an image of 8 × 8


@dataclass(frozen=True, eq=False)
class DataPart:
    """images of any layout, with labels of any kind, of one part of a set; the names they had."""

    images: Array
    labels: Array
    named: tuple[str, str]


def parts_of(contents: Contents) -> tuple[dict[str, DataPart], list[DataFinding]]:
    """The parts by TRAIN, VALIDATION, TEST or WHOLE, and what was taken for what.

    Raises ValueError with one sentence if there are no images, or images without labels.
    """
    parts: dict[str, DataPart] = {}
    for part in (TRAIN, VALIDATION, TEST, WHOLE):
        mine = {name: a for name, a in contents.arrays.items() if _part(name) == part}
        images = [name for name, array in mine.items() if _may_be_images(array)]
        if images:
            parts[part] = _paired(images, mine)
    if not parts:
        held = ", ".join(f"{short(n)} {list(a.shape)}" for n, a in contents.arrays.items())
        raise ValueError(
            f"The file holds no images ({held[:160]}): give at least 8 × 8 pixels each."
        )
    sentences = [
        f"{len(each.images if part == WHOLE else each.labels):,} images"
        f"{f' of the {part} part' if part else ''} from {short(each.named[0])}, "
        f"their classes from {short(each.named[1])}."
        for part, each in parts.items()
    ]
    return parts, [DataFinding("Arrays", " ".join(sentences))]


def words(name: str) -> set[str]:
    """The words of an array's name: “x_train”, “trainImages” and “train-images-idx3” all speak."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return set(re.split(r"[^a-z0-9]+", spaced.lower()))


def _part(name: str) -> str:
    return next((part for word, part in _WORDS.items() if word in words(name)), WHOLE)


def _may_be_images(array: Array) -> bool:
    """Whether there is a picture's worth of numbers beside the axis that counts."""
    if array.dtype.kind not in "biuf" or not array.size:
        return False
    return array.ndim >= 3 or (array.ndim == 2 and array.shape[1] >= _LEAST_PIXELS)


def _paired(images: list[str], arrays: dict[str, Array]) -> DataPart:
    """Images with their labels: of one pair, or of several files that hold a pair each."""
    files = sorted({name.rpartition("/")[0] for name in images})
    inside = [{n: a for n, a in arrays.items() if n.rpartition("/")[0] == f} for f in files]
    if len(files) == 1 or any(len(held) < 2 for held in inside):
        return _pair(images, arrays)
    pairs = [_pair([name for name in images if name in held], held) for held in inside]
    if len({pair.images.shape[1:] for pair in pairs}) > 1:
        return max(pairs, key=lambda pair: pair.images.size)
    return DataPart(
        np.concatenate([pair.images for pair in pairs]),
        np.concatenate([pair.labels for pair in pairs]),
        (f"{files[0]}, …, {files[-1]}", f"{files[0]}, …, {files[-1]}"),
    )


def _pair(images: list[str], arrays: dict[str, Array]) -> DataPart:
    chosen = max(images, key=lambda name: (not words(name) & _LABEL_WORDS, arrays[name].size))
    pictures = arrays[chosen]
    fitting = [
        name
        for name, array in arrays.items()
        if name != chosen and array.size and _count(array) in pictures.shape
    ]
    if not fitting:
        raise ValueError(
            f"The images {short(chosen)} {list(pictures.shape)} have no labels of that number: "
            "give their labels too."
        )
    best = max(fitting, key=lambda name: (bool(words(name) & _LABEL_WORDS), -arrays[name].size))
    return DataPart(pictures, arrays[best], (chosen, best))


def _count(labels: Array) -> int:
    """How many images these are labels of: the longest axis, in a column or a row as well."""
    return max(labels.shape) if 1 in labels.shape else len(labels)
