"""What the coach's rules look at, and what they say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import FloatArray
from core.catalog import Value
from core.data.spec import MNIST
from core.optimization.engine import Trajectory
from core.statistics.rate import Rate


@dataclass(frozen=True)
class Advice:
    """One sentence, the reason behind it, and what to set: names of settings to values."""

    rule: str
    sentence: str
    reason: str
    fix: dict[str, Value]


@dataclass(frozen=True, eq=False)
class Situation:
    """What a rule may look at; None where it is not known.

    settings: by the names that the functions of core use. attack: its name in the catalog, if it
    is one. trajectory and index: the image that the page is about. goal: the class that the image
    shall be read as; true: the class that it shall not be read as any more. read: what the
    original is read as. nearest_real: the L2 from the original to the nearest real image of the
    goal. success: over many images. classes: how many there are.
    """

    settings: Mapping[str, Value]
    attack: str = ""
    trajectory: Trajectory | None = None
    index: int = 0
    goal: int | None = None
    true: int | None = None
    read: int | None = None
    nearest_real: float | None = None
    success: Rate | None = None
    classes: int = len(MNIST.classes)

    def number(self, name: str) -> float:
        """A setting; NaN, with which every comparison is false, where there is none."""
        value = self.settings.get(name, math.nan)
        return math.nan if isinstance(value, str) else float(value)

    @property
    def probabilities(self) -> FloatArray:
        """Float32 [frames, classes] of the image that the page is about; empty without one."""
        if self.trajectory is None:
            return np.zeros((0, self.classes), np.float32)
        return self.trajectory.probabilities[:, self.index]

    @property
    def reached(self) -> bool | None:
        """Whether the last image is read as it shall be."""
        if not len(self.probabilities) or (self.goal is None and self.true is None):
            return None
        read = int(self.probabilities[-1].argmax())
        return read == self.goal if self.goal is not None else read != self.true

    @property
    def course(self) -> FloatArray:
        """The logit that shall rise (or, untargeted, the true one's fall), by frame."""
        if self.trajectory is None or (self.goal is None and self.true is None):
            return np.zeros(0, np.float32)
        logits = self.trajectory.logits[:, self.index]
        wanted: FloatArray = (
            logits[:, self.goal] if self.goal is not None else -logits[:, self.true]
        )
        return wanted

    @property
    def change(self) -> float:
        """The L2 between the first image and the last; NaN without a trajectory."""
        if self.trajectory is None:
            return math.nan
        change = self.trajectory.images[-1, self.index] - self.trajectory.images[0, self.index]
        return float(np.linalg.norm(change))

    @property
    def ink(self) -> float:
        """The sum of the last image's pixels; NaN without a trajectory."""
        if self.trajectory is None:
            return math.nan
        return float(self.trajectory.images[-1, self.index].sum())
