"""Images with their classes, and what they are of."""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np

from core.arrays import ByteArray, FloatArray
from core.data.spec import MNIST, DatasetSpec


class DataError(Exception):
    """The data file is missing or damaged; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Split:
    """Images uint8 [n, side, side], of colors [n, side, side, 3], with labels uint8 [n]; read-only.

    0 is the background and 255 ink, or no light and full light.
    """

    images: ByteArray
    labels: ByteArray

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "Split":
        """The first `count` images, a view."""
        return Split(self.images[:count], self.labels[:count])


@dataclass(frozen=True)
class Dataset:
    """Training and test images, some or all of those that `spec` describes."""

    train: Split
    test: Split
    spec: DatasetSpec = MNIST

    def __post_init__(self) -> None:
        for name, split in (("training", self.train), ("test", self.test)):
            shape, expected = split.images.shape, (len(split), *self.spec.byte_shape)
            if split.images.dtype != np.uint8 or shape != expected:
                raise ValueError(
                    f"The {name} images of {self.spec.name} are {split.images.dtype} "
                    f"{list(shape)}, not uint8 {list(expected)}: convert them."
                )
            if split.labels.max(initial=0) >= len(self.spec.classes):
                raise ValueError(
                    f"A {name} image of {self.spec.name} has the class {split.labels.max()}, "
                    f"above {len(self.spec.classes) - 1}: name that class."
                )

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of all four arrays, computed when it is first asked for."""
        digest = hashlib.sha256()
        for split in (self.train, self.test):
            digest.update(split.images.tobytes())
            digest.update(split.labels.tobytes())
        return digest.hexdigest()

    @functools.cached_property
    def mean_image(self) -> FloatArray:
        """The mean of the training images: float32 [side, side, channels] in [0, 1]."""
        mean: FloatArray = (self.train.images.mean(axis=0) / 255).astype(np.float32)
        mean.flags.writeable = False
        return mean.reshape(self.spec.shape)
