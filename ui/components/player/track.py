"""What happened to one image: a trajectory with its title and the classes it is about."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.arrays import ByteArray, FloatArray, IntArray, to_bytes
from core.data.spec import MNIST, DatasetSpec

if TYPE_CHECKING:
    from core.optimization.engine import Trajectory

_MOVED = 1e-6  # a pixel that changed less has not changed


@dataclass(frozen=True, eq=False)
class Track:
    """Image `index` of a trajectory under a title, with the classes its bars mark.

    original: the number of the test image that it was made from, if it was from one; about: what
    its PNGs say of themselves; cost: what rounding to their 256 levels costs the last image. Raises
    ValueError unless `spec` describes the images.
    """

    title: str
    trajectory: "Trajectory"
    index: int = 0
    true: int | None = None
    target: int | None = None
    original: int | None = None
    about: Mapping[str, object] = field(default_factory=dict)
    cost: str = ""
    spec: DatasetSpec = MNIST

    def __post_init__(self) -> None:
        shape = self.trajectory.images.shape[2:]
        if shape != self.spec.shape:
            raise ValueError(
                f"The frames are {list(shape)}, not {list(self.spec.shape)} as those of "
                f"{self.spec.name}: give their own data set."
            )

    @property
    def steps(self) -> IntArray:
        """The recorded iterations: int64 [frames], from 0."""
        return self.trajectory.steps

    @property
    def images(self) -> FloatArray:
        """Float32 [frames, side, side], of colors with the channels behind, in [0, 1]."""
        frames = self.trajectory.images[:, self.index]
        images: FloatArray = frames.reshape(-1, *self.spec.byte_shape)
        return images

    @property
    def logits(self) -> FloatArray:
        """Float32 [frames, classes]."""
        logits: FloatArray = self.trajectory.logits[:, self.index]
        return logits

    @property
    def predicted(self) -> IntArray:
        """The most probable class: int64 [frames]."""
        classes: IntArray = self.logits.argmax(axis=-1)
        return classes

    @functools.cached_property
    def probabilities(self) -> FloatArray:
        """Float32 [frames, classes]."""
        probabilities: FloatArray = self.trajectory.probabilities[:, self.index]
        return probabilities

    @property
    def terms(self) -> dict[str, FloatArray]:
        """Each loss term without its weight: float32 [frames]."""
        return {name: values[:, self.index] for name, values in self.trajectory.terms.items()}

    @functools.cached_property
    def norms(self) -> dict[str, FloatArray]:
        """L0 (in pixels), L2 and L∞ of the change since the start: float32 [frames]."""
        size = np.abs(self.images - self.images[0]).reshape(len(self.steps), -1)
        moved = (size > _MOVED).reshape(*size.shape[:1], -1, self.spec.channels).any(axis=-1)
        return {
            "L0": moved.sum(axis=1).astype(np.float32),
            "L2": np.sqrt((size**2).sum(axis=1)),
            "L∞": size.max(axis=1),
        }

    @functools.cached_property
    def pixels(self) -> ByteArray:
        """The images for the eye: uint8 of the same shape."""
        return to_bytes(self.images)

    @functools.cached_property
    def flips(self) -> tuple[int, ...]:
        """The frames of the first and of the last change of the answer; none, one or two."""
        changes = 1 + np.flatnonzero(np.diff(self.predicted))
        return tuple(int(frame) for frame in np.unique(changes[[0, -1]])) if len(changes) else ()
