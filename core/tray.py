"""A tray of labeled images from all over the dashboard, and what training on them changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data import SIDE, ByteArray, FloatArray, Split, check_classes, check_images, to_float
from core.rate import Rate
from core.settings import MAX_EXTRA_IMAGES

if TYPE_CHECKING:
    from core.runs import Run
    from core.training import Score


@dataclass(frozen=True)
class TrayImage:
    """784 pixels as bytes (255 is ink), the class it shall be learned as, and where it is from."""

    pixels: bytes
    label: int
    source: str

    @property
    def image(self) -> ByteArray:
        """Uint8 [28, 28], read-only."""
        return np.frombuffer(self.pixels, np.uint8).reshape(SIDE, SIDE)


class Tray:
    """Up to 200 images, the oldest first; each image with its label once."""

    def __init__(self) -> None:
        self.images: tuple[TrayImage, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def add(self, images: FloatArray, labels: Sequence[int], source: str) -> int:
        """Put in images float32 [n, 28, 28, 1] in [0, 1], rounded to bytes; how many are new.

        Raises ValueError with one sentence on other images or labels, and if they do not all fit;
        then none is put in.
        """
        check_images(images)
        classes = check_classes(np.asarray(labels, dtype=np.int64), len(images))
        rounded = np.rint(images[..., 0] * 255).astype(np.uint8)
        there = {(each.pixels, each.label) for each in self.images}
        new: dict[tuple[bytes, int], TrayImage] = {}
        for pixels, label in zip(rounded, classes, strict=True):
            key = pixels.tobytes(), int(label)
            if key not in there:
                new[key] = TrayImage(*key, source)
        if len(self) + len(new) > MAX_EXTRA_IMAGES:
            raise ValueError(
                f"The tray holds {len(self)} images, and {len(new)} more are above "
                f"{MAX_EXTRA_IMAGES}: remove some on the Training page."
            )
        self.images += tuple(new.values())
        return len(new)

    def remove(self, image: TrayImage) -> None:
        """Take one out; nothing happens if it is not there."""
        self.images = tuple(each for each in self.images if each is not image)

    def clear(self) -> None:
        """Take all out."""
        self.images = ()

    @property
    def split(self) -> Split:
        """All images as they are now: uint8 [n, 28, 28] with labels uint8 [n]."""
        pixels = b"".join(each.pixels for each in self.images)
        return Split(
            np.frombuffer(pixels, np.uint8).reshape(-1, SIDE, SIDE),
            np.array([each.label for each in self.images], np.uint8),
        )

    @property
    def sources(self) -> dict[str, int]:
        """How many images came from where, in the order in which the first came."""
        counts: dict[str, int] = {}
        for each in self.images:
            counts[each.source] = counts.get(each.source, 0) + 1
        return counts


@dataclass(frozen=True)
class Standing:
    """A network in numbers: right of the tray, of the test images, and of those under attack."""

    tray: Rate
    test: Rate
    robust: Rate


@dataclass(frozen=True)
class Round:
    """One epoch with a tray's images mixed in: before it and after it."""

    number: int
    title: str
    images: int
    repeat: int
    epsilon: float
    before: Standing
    after: Standing


def round_of(run: "Run") -> Round | None:
    """What training on its tray changed in `run`; None before its last score, or without a tray."""
    if run.extra is None or not run.history or (run.job is not None and not run.job.ended):
        return None
    first, last = run.history[0], run.last_scored
    if first.test is None or last is None or last.test is None or last.step == 0:
        return None
    return Round(
        number=run.number,
        title=run.title,
        images=len(run.extra),
        repeat=run.settings.extra_repeat,
        epsilon=run.settings.attack_epsilon,
        before=_standing(run, run.checkpoints.steps[0], first.test),
        after=_standing(run, run.checkpoints.steps[-1], last.test),
    )


def _standing(run: "Run", step: int, score: "Score") -> Standing:
    assert run.extra is not None
    assert score.robust is not None
    right = run.logits(step, to_float(run.extra.images)).argmax(axis=1) == run.extra.labels
    return Standing(Rate(int(right.sum()), len(right)), score.accuracy, score.robust)
