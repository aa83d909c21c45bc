"""How to train, as data; needs no TensorFlow, so that a page can show its sliders at once."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from core.checks import check_choice, check_range

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; the defaults are the report's.

    optimizer: "adam", "adamw" (decoupled weight decay), "sgd" (momentum 0.9) or "rmsprop".
    weight_decay: on kernels; an L2 penalty in the gradient, but with AdamW apart from it.
    label_smoothing: share of the target spread over all classes. shift (pixels) and rotation
    (degrees) are the largest random moves of an image. training_images: how many of the training
    images, from the first on.
    """

    learning_rate: float = 5e-4
    epochs: int = 10
    batch_size: int = 64
    optimizer: str = "adam"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    shift: int = 0
    rotation: float = 0.0
    training_images: int = 60_000
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("The learning rate", self.learning_rate, 1e-7, 10)
        check_range("The number of epochs", self.epochs, 1, 100)
        check_range("The batch size", self.batch_size, 1, 1024)
        check_choice("The optimizer", self.optimizer, OPTIMIZERS)
        check_range("The weight decay", self.weight_decay, 0, 1)
        check_range("The label smoothing", self.label_smoothing, 0, 0.9)
        check_range("The shift in pixels", self.shift, 0, 8)
        check_range("The rotation in degrees", self.rotation, 0, 45)
        check_range("The number of training images", self.training_images, 1, 60_000)
        check_range("The seed", self.seed, 0, 2**31 - 1)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training images; the last may be smaller."""
        return math.ceil(self.training_images / self.batch_size)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
