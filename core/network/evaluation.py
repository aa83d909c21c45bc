"""What a classifier gets right and wrong on labeled images."""

import functools
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, ByteArray, FloatArray, IntArray, check_classes
from core.network.classifier import Classifier, softmax
from core.statistics.rate import Rate


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Logits float32 [n, classes] beside the true labels uint8 [n], and what follows from both."""

    logits: FloatArray
    labels: ByteArray

    def __post_init__(self) -> None:
        if len(self.logits) != len(self.labels):
            raise ValueError(f"{len(self.logits)} images have {len(self.labels)} labels.")

    @functools.cached_property
    def probabilities(self) -> FloatArray:
        """Float32 [n, classes]."""
        return softmax(self.logits)

    @functools.cached_property
    def predicted(self) -> IntArray:
        """The most probable class: int64 [n]."""
        classes: IntArray = np.argmax(self.logits, axis=1)
        return classes

    @functools.cached_property
    def confidence(self) -> FloatArray:
        """The probability of the predicted class: float32 [n]."""
        confidence: FloatArray = np.max(self.probabilities, axis=1)
        return confidence

    @property
    def right(self) -> BoolArray:
        """Which images are read as their true class: bool [n]."""
        right: BoolArray = self.predicted == self.labels
        return right

    @property
    def accuracy(self) -> Rate:
        """How many predictions are the true class."""
        return Rate.of(self.right)

    @functools.cached_property
    def losses(self) -> FloatArray:
        """The cross-entropy of each image in nats: float32 [n]."""
        rows = np.arange(len(self.labels))
        others = self.logits.copy()
        others[rows, self.labels] = -np.inf
        against = np.logaddexp.reduce(others, axis=1) - self.logits[rows, self.labels]
        losses: FloatArray = np.logaddexp(0, against, dtype=np.float32)  # exact where p is near 1
        return losses

    @property
    def loss(self) -> float:
        """The mean cross-entropy in nats; NaN of no image."""
        return float(self.losses.mean()) if len(self.losses) else float("nan")

    @functools.cached_property
    def confusion(self) -> IntArray:
        """Counts int64 [classes, classes]: rows are the true class, columns the predicted one."""
        classes = self.logits.shape[1]
        pairs = self.labels.astype(np.int64) * classes + self.predicted
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    def class_accuracy(self, label: int) -> Rate:
        """How many images of the class `label` are recognized."""
        return Rate.of(self.predicted[self.labels == label] == label)

    def mistakes(self) -> IntArray:
        """Indices of the wrong predictions, the hardest (least probable true class) first."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        return wrong[np.argsort(-self.losses[wrong], kind="stable")]


def evaluate(classifier: Classifier, images: FloatArray, labels: ByteArray) -> Evaluation:
    """The classifier's answers to images float32 [n, h, w, c] with true classes labels [n]."""
    checked = check_classes(labels, len(images), len(classifier.spec.classes)).astype(np.uint8)
    return Evaluation(classifier.logits(images), checked)
