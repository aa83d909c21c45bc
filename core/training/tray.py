"""A tray of labeled images from all over the dashboard, to be trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import ByteArray, FloatArray, check_classes, check_images, to_bytes
from core.data.dataset import Split
from core.data.spec import MNIST, DatasetSpec
from core.training.settings import MAX_EXTRA_IMAGES


@dataclass(frozen=True)
class TrayImage:
    """Pixels as bytes (255 is ink), the class it shall be learned as, and where it is from.

    original: the number of the test image that it was made from, None if it was made from none.
    shape: of the pixels.
    """

    pixels: bytes
    label: int
    source: str
    original: int | None = None
    shape: tuple[int, ...] = MNIST.byte_shape

    @property
    def image(self) -> ByteArray:
        """Uint8 [side, side], or of colors [side, side, 3]; read-only."""
        return np.frombuffer(self.pixels, np.uint8).reshape(self.shape)


class Tray:
    """Up to 200 images of a data set's kind, the oldest first; each image with its label once."""

    def __init__(self, spec: DatasetSpec = MNIST) -> None:
        self.spec = spec
        self.images: tuple[TrayImage, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def add(
        self,
        images: FloatArray,
        labels: Sequence[int],
        source: str,
        originals: Sequence[int | None] | None = None,
    ) -> int:
        """Put in images float32 [n, …] in [0, 1], rounded to bytes; how many are new.

        originals: of each the number of the test image that it was made from; without, of none.
        Raises ValueError with one sentence on other images or labels, and if they do not all fit;
        then none is put in.
        """
        spec = self.spec
        check_images(images, spec.shape)
        classes = check_classes(np.asarray(labels, dtype=np.int64), len(images), len(spec.classes))
        rounded = to_bytes(images).reshape(-1, *spec.byte_shape)
        there = {(each.pixels, each.label) for each in self.images}
        new: dict[tuple[bytes, int], TrayImage] = {}
        numbers = originals or [None] * len(images)
        for pixels, label, original in zip(rounded, classes, numbers, strict=True):
            key = pixels.tobytes(), int(label)
            if key not in there:
                new[key] = TrayImage(*key, source, original, spec.byte_shape)
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
        """All images as they are now: uint8 [n, side, side, …] with labels uint8 [n]."""
        pixels = b"".join(each.pixels for each in self.images)
        return Split(
            np.frombuffer(pixels, np.uint8).reshape(-1, *self.spec.byte_shape),
            np.array([each.label for each in self.images], np.uint8),
        )

    @property
    def originals(self) -> frozenset[int]:
        """The numbers of the test images that images here were made from."""
        return frozenset(each.original for each in self.images if each.original is not None)

    @property
    def sources(self) -> dict[str, int]:
        """How many images came from where, in the order in which the first came."""
        counts: dict[str, int] = {}
        for each in self.images:
            counts[each.source] = counts.get(each.source, 0) + 1
        return counts
