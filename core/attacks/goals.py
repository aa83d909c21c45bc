"""What an attack wants: any other class, or a certain one."""

from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes
from core.checks import check_seed, check_whole
from core.data.spec import MAX_CLASSES
from core.keyed_noise import of_images


@dataclass(frozen=True, eq=False)
class Untargeted:
    """Any class but the true one: labels int [n], counted from 0."""

    labels: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", check_classes(self.labels, np.size(self.labels)))

    @property
    def classes(self) -> IntArray:
        """The classes that the loss is about: int64 [n]."""
        return self.labels

    @property
    def sign(self) -> float:
        """Of the cross-entropy of `classes` in what the attack maximizes."""
        return 1.0

    def reached(self, logits: FloatArray) -> BoolArray:
        """Whether logits [n, classes] give another class than the true one: bool [n]."""
        reached: BoolArray = np.argmax(logits, axis=-1) != self.labels
        return reached

    def margin(self, logits: FloatArray) -> FloatArray:
        """How far another class is ahead of the true one: float32 [n], above 0 at the goal."""
        return -_lead(logits, self.labels)

    def take(self, rows: IntArray) -> "Untargeted":
        """The goal for some of the images."""
        return Untargeted(self.labels[rows])


@dataclass(frozen=True, eq=False)
class Targeted:
    """A certain class for each image: classes int [n], counted from 0."""

    classes: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", check_classes(self.classes, np.size(self.classes)))

    @property
    def sign(self) -> float:
        """Of the cross-entropy of `classes` in what the attack maximizes."""
        return -1.0

    def reached(self, logits: FloatArray) -> BoolArray:
        """Whether logits [n, classes] give the class that is wanted: bool [n]."""
        reached: BoolArray = np.argmax(logits, axis=-1) == self.classes
        return reached

    def margin(self, logits: FloatArray) -> FloatArray:
        """How far the wanted class is ahead of all others: float32 [n], above 0 at the goal."""
        return _lead(logits, self.classes)

    def take(self, rows: IntArray) -> "Targeted":
        """The goal for some of the images."""
        return Targeted(self.classes[rows])


Goal = Untargeted | Targeted


def random_targets(images: FloatArray, labels: IntArray, *, classes: int, seed: int) -> IntArray:
    """A class other than its label for each of images, by `seed`: int64 [n].

    classes: how many there are. Equal images of one label have the same target.
    """
    classes = check_whole("The number of classes", classes, 2, MAX_CLASSES)
    steps = 1 + of_images(images, check_seed(seed), "targets").below(classes - 1)
    targets: IntArray = (labels + steps) % classes
    return targets


def _lead(logits: FloatArray, classes: IntArray) -> FloatArray:
    """The logit of `classes` minus the highest other: float32 [n]."""
    own = np.arange(logits.shape[-1]) == classes[:, np.newaxis]
    lead: FloatArray = logits[own] - np.where(own, -np.inf, logits).max(axis=-1)
    return lead
