"""A visitor's file as a data set, with everything that was understood of it on the way."""

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.apart import apart
from core.arrays import COLORS, BoolArray, ByteArray
from core.checks import check_seed, check_whole
from core.data.dataset import Dataset, Split
from core.data.mnist import load_mnist
from core.data.reading import duplicates
from core.data.reading.axes import upright
from core.data.reading.classes import Classes, column
from core.data.reading.contents import MOST_IMAGES, MOST_PIXEL_BYTES, Array, Contents
from core.data.reading.duplicates import Duplicates
from core.data.reading.findings import DataFinding
from core.data.reading.formats import unpack
from core.data.reading.levels import dark_on_light, find_levels
from core.data.reading.parts import TEST, TRAIN, VALIDATION, WHOLE, parts_of
from core.data.reading.pictures import LARGEST, fitted
from core.data.spec import MIN_SIDE, MNIST, DatasetSpec
from core.plain import one_line

MOST_BYTES = 256 * 2**20  # of the files themselves
_SECONDS, _MEMORY = 120.0, 6 * 2**30  # for the process that reads them
_HELD_OUT = 6  # one image of so many is for testing where a set has no test part
_COMPANIONS = 16  # files beside a lone one that may belong to it


@dataclass(frozen=True)
class Overruled:
    """What a person knows better; everything that is left out is found.

    levels: one of `levels.RANGES`. inverted: whether 0 and 255 change places. transposed: whether
    rows and columns do. side: 8 to 64 pixels. seed: of the test part that is held out.
    """

    levels: str = ""
    inverted: bool | None = None
    transposed: bool = False
    side: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.side is not None:
            check_whole("The side of an image in pixels", self.side, MIN_SIDE, LARGEST)


@dataclass(frozen=True, eq=False)
class Examined:
    """A data set, and how it was understood, in the order of the steps.

    twice, near: pairs of training images that are equal, or nearly; leaked, nearly_leaked: pairs of
    a test image and a training image that are.
    """

    dataset: Dataset
    findings: tuple[DataFinding, ...]
    twice: Duplicates = field(repr=False)
    near: Duplicates = field(repr=False)
    leaked: Duplicates = field(repr=False)
    nearly_leaked: Duplicates = field(repr=False)


def read_dataset(path: Path | str | Sequence[Path | str]) -> Dataset:
    """The data set in a file of any format, in a folder, or in several files that belong together.

    Images become square uint8 of 8 to 64 pixels a side, gray or RGB, bright on dark, with 2 to 50
    classes numbered from 0; how everything was understood says `examine`. A file that holds one
    array takes the files of its kind beside it. Raises ValueError with one sentence on what is no
    such set.
    """
    return examine(path).dataset


def examine(
    path: Path | str | Sequence[Path | str], overruled: Overruled | None = None
) -> Examined:
    """`read_dataset` with its findings. Raises ValueError with one sentence likewise."""
    paths = [Path(path)] if isinstance(path, Path | str) else [Path(each) for each in path]
    contents = contents_of(_files(paths))
    if len(paths) == 1 and len(contents.arrays) == 1 and paths[0].is_file():
        beside = sorted(each for each in paths[0].parent.iterdir() if _belongs(each, paths[0]))
        if 1 < len(beside) <= _COMPANIONS:
            contents = contents_of(_files(beside))
    return understood(contents, paths[0].name, overruled)


def _belongs(other: Path, path: Path) -> bool:
    """Whether a file beside another is of the same kind by its name."""
    return other.is_file() and other.suffix == path.suffix and not other.name.startswith(".")


def _files(paths: list[Path]) -> dict[str, bytes]:
    """The bytes of files by their names; those in a folder by their paths in it."""
    files: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise ValueError(f"There is no file {path.name!r}: check its name.")
        if path.is_dir():
            files |= {str(f.relative_to(path)): f for f in sorted(path.rglob("*")) if f.is_file()}
        else:
            files[path.name] = path
    _check_bytes(sum(file.stat().st_size for file in files.values()))
    return {name: file.read_bytes() for name, file in files.items()}


def contents_of(files: Mapping[str, bytes]) -> Contents:
    """What files that belong together hold, read in a process of its own; their bytes by name.

    Raises ValueError with one sentence if it cannot be read, or takes too long.
    """
    _check_bytes(sum(map(len, files.values())))
    alone = len(files) == 1 and "/" not in next(iter(files))
    data = next(iter(files.values())) if alone else _archive(files)
    return Contents.unpacked(apart(unpack, data, seconds=_SECONDS, memory=_MEMORY))


def _check_bytes(size: int) -> None:
    if size > MOST_BYTES:
        raise ValueError(
            f"The files have {size / 1e6:,.0f} MB, above {MOST_BYTES / 1e6:,.0f}: give fewer."
        )


def _archive(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return packed.getvalue()


def understood(contents: Contents, name: str, overruled: Overruled | None = None) -> Examined:
    """What the arrays of a file called `name` are. Raises ValueError with one sentence."""
    overruled = overruled or Overruled()
    parts, findings = parts_of(contents)
    findings += [DataFinding("File", note) for note in contents.notes]
    images, labels = {}, {}
    for part, each in parts.items():
        labels[part], how = column(each.labels)
        images[part], axes = upright(each.images, len(labels[part]))
        findings += [axes] if part == next(iter(parts)) else []
    if how:
        findings.append(DataFinding("Labels", how))
    shapes = {array.shape[1:] for array in images.values()}
    if len(shapes) > 1:
        raise ValueError(
            f"The parts have images of different shapes {sorted(shapes)}: make them one."
        )
    _check_size(images)
    classes = Classes(np.concatenate(list(labels.values())), contents.classes)
    findings.append(classes.finding)
    levels, found = _as_levels(images, overruled)
    findings += found
    splits = {part: Split(levels[part], classes.numbered(labels[part])) for part in parts}
    train, test, held = _two_parts(splits, overruled.seed)
    findings += held
    dataset = _named(name, _frozen(train), _frozen(test), classes.names)
    return _with_duplicates(dataset, findings)


def _check_size(images: dict[str, Array]) -> None:
    count = sum(len(array) for array in images.values())
    size = sum(array.size for array in images.values())
    if count > MOST_IMAGES or size > MOST_PIXEL_BYTES:
        raise ValueError(
            f"The file holds {count:,} images of {size / 1e6:,.0f} MB, above {MOST_IMAGES:,} or "
            f"{MOST_PIXEL_BYTES / 1e6:.0f} MB: give fewer."
        )


def _as_levels(
    images: dict[str, Array], overruled: Overruled
) -> tuple[dict[str, ByteArray], list[DataFinding]]:
    """Bytes of all parts, understood by the first of them: range, size, orientation, ink."""
    range_ = find_levels(next(iter(images.values())), overruled.levels)
    levels = {part: range_.of(array) for part, array in images.items()}
    findings = [range_.finding]
    if overruled.transposed:
        levels = {part: np.swapaxes(array, 1, 2) for part, array in levels.items()}
        findings.append(DataFinding("Orientation", "Rows and columns change places, as was asked."))
    levels, resized = _sized(levels, overruled.side)
    levels, ink = _ink(levels, overruled.inverted)
    return levels, [*findings, *resized, *ink]


def _sized(
    levels: dict[str, ByteArray], side: int | None
) -> tuple[dict[str, ByteArray], list[DataFinding]]:
    height, width = next(iter(levels.values())).shape[1:3]
    side = side or min(LARGEST, max(MIN_SIDE, height, width))
    if (height, width) == (side, side):
        return levels, []
    levels = {p: np.stack([fitted(image, side) for image in a]) for p, a in levels.items()}
    sentence = (
        f"{height} × {width} pixels were brought to {side} × {side} by Pillow’s antialiased "
        "bilinear filter, their aspect kept, the rest filled with the levels of the edge."
    )
    return levels, [DataFinding("Size", sentence)]


def _ink(
    levels: dict[str, ByteArray], inverted: bool | None
) -> tuple[dict[str, ByteArray], list[DataFinding]]:
    """Gray images that are dark on light in nearly all cases are turned: 0 is the background."""
    first = next(iter(levels.values()))
    share = float(dark_on_light(first).mean())
    turn = inverted if inverted is not None else first.ndim == 3 and share > 0.9
    sentence = f"The border is bright in {share * 100:.1f} % of the images: " + (
        "dark on light, so 0 and 255 change places." if turn else "left as they are."
    )
    turned = {part: np.uint8(255) - a if turn else a for part, a in levels.items()}
    return turned, [DataFinding("Ink", sentence, doubt=0.1 < share < 0.9)]


def _two_parts(splits: dict[str, Split], seed: int) -> tuple[Split, Split, list[DataFinding]]:
    """Training and test images: a validation part trains; without a test part one is held out."""
    findings = []
    train = [splits[part] for part in (TRAIN, VALIDATION, WHOLE) if part in splits]
    if TRAIN in splits and VALIDATION in splits:
        count = len(splits[VALIDATION])
        findings.append(
            DataFinding("Parts", f"The {count:,} images for validation are trained on, too.")
        )
    if train and TEST in splits:
        return _joined(train), splits[TEST], findings
    whole = _joined(train or [splits[TEST]])
    held = held_out(whole.images, seed)
    if held.all() or not held.any():
        raise ValueError(f"There are {len(whole)} images, too few to hold some out: give more.")
    sentence = (
        f"There is no test part: {held.sum():,} of {len(held):,} images, chosen by seed {seed} and "
        "the image alone (equal ones stay together), are held out."
    )
    findings.append(DataFinding("Parts", sentence))
    return (
        Split(whole.images[~held], whole.labels[~held]),
        Split(whole.images[held], whole.labels[held]),
        findings,
    )


def held_out(images: ByteArray, seed: int) -> BoolArray:
    """Which images uint8 [n, …] are for testing, one of six: bool [n]; equal ones together."""
    salt = seed.to_bytes(8, "big")
    digests = (
        hashlib.blake2b(print_, digest_size=8, salt=salt)
        for print_ in duplicates.fingerprints(images)
    )
    return np.array([int.from_bytes(d.digest(), "big") % _HELD_OUT == 0 for d in digests], bool)


def _joined(splits: list[Split]) -> Split:
    return Split(
        np.concatenate([split.images for split in splits]),
        np.concatenate([split.labels for split in splits]),
    )


def _frozen(split: Split) -> Split:
    images, labels = np.ascontiguousarray(split.images), np.ascontiguousarray(split.labels)
    images.flags.writeable = labels.flags.writeable = False
    return Split(images, labels)


def _named(name: str, train: Split, test: Split, classes: tuple[str, ...]) -> Dataset:
    """The set under a key that tells it from every other: its name and a digest of all of it."""
    stem = name.removesuffix(".gz").rpartition(".")[0] or name
    spec = DatasetSpec(
        key="own",
        name=one_line(stem, 60) or "own images",
        side=train.images.shape[1],
        channels=COLORS if train.images.ndim == 4 else 1,
        classes=classes,
        training_images=len(train),
        test_images=len(test),
        source=f"Read from the file {one_line(name, 200)}.",
    )
    word = re.sub("[^a-z0-9]+", "-", stem.lower()).strip("-")[:20].strip("-") or "own"
    digest = hashlib.sha256(repr(classes).encode() + Dataset(train, test, spec).digest.encode())
    return Dataset(train, test, replace(spec, key=f"{word}-{digest.hexdigest()[:8]}"))


def _with_duplicates(dataset: Dataset, findings: list[DataFinding]) -> Examined:
    train, test = dataset.train.images, dataset.test.images
    twice, near = duplicates.equal_within(train), duplicates.near_within(train)
    leaked, nearly = duplicates.equal_among(test, train), duplicates.near_among(test, train)
    sentence = (
        f"{len(twice):,} of {len(train):,} training images are equal to an earlier one and "
        f"{len(near):,} nearly; {len(leaked):,} of {len(test):,} test images are among those for "
        f"training and {len(nearly):,} nearly."
    )
    findings.append(DataFinding("Duplicates", sentence, doubt=len(leaked) > 0))
    findings += _in_mnist(dataset)
    return Examined(dataset, tuple(findings), twice, near, leaked, nearly)


def _in_mnist(dataset: Dataset) -> list[DataFinding]:
    """How many of the images are MNIST's own, which the shipped networks were trained on."""
    if dataset.spec.shape != MNIST.shape:
        return []
    mnist = load_mnist()
    images = np.concatenate([dataset.train.images, dataset.test.images])
    known = len(duplicates.equal_among(images, mnist.train.images))
    tested = len(duplicates.equal_among(images, mnist.test.images))
    if not known + tested:
        return []
    sentence = (
        f"{known:,} of {len(images):,} images are MNIST’s own training images and {tested:,} its "
        "test images: the shipped networks know the first."
    )
    return [DataFinding("MNIST", sentence, doubt=known > 0)]
