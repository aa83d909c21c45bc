"""How robust models are trained, as data; needs no TensorFlow."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from core.arrays import FloatArray
from core.checks import check_range, check_seed, check_switch, check_whole
from core.data.spec import MNIST
from core.network.architecture import Architecture, ConvBlock

IMAGES = MNIST.training_images
SCHEDULE = ("learning_rate", "adversarial_share", "attack_epsilon", "certified_epsilon", "ramp")


@dataclass(frozen=True)
class RobustSettings:
    """Adversarial training, certified training by interval bounds, or a weighted sum of both.

    fall: the last epochs, in which the learning rate falls to nearly nothing. restart: an epoch to
    whose end it falls as well, and begins anew (0: none); a warm restart of Loshchilov and Hutter
    (2016), arXiv:1608.03983. adversarial_share:
    κ, the final weight of the loss on attacked images; the rest is the loss on interval bounds, so
    that 1 is adversarial training alone. attack_step: in units of ε. clean_share: of a batch, how
    much is left unattacked. normalized: the layers with batch normalization, which is folded into
    them when the model is saved. ramps: epochs over which κ falls from 1 and the certified ε grows
    from 0 (`certified_ramp`), and over which the attack's ε grows (`attack_ramp`).
    threshold_start: the first layer begins as thresholds on single pixels. held_back: training
    images, the last ones, that only measure. members: networks trained one by one, from `seed`,
    `seed` + 1 …, and laid side by side.
    """

    epochs: int = 40
    fall: float = 6.0
    restart: int = 0
    batch_size: int = 128
    learning_rate: float = 1.5e-3
    adversarial_share: float = 0.75
    attack_epsilon: float = 0.32
    attack_steps: int = 2
    attack_step: float = 0.75
    attack_ramp: float = 2.0
    certified_epsilon: float = 0.32
    certified_ramp: float = 6.0
    clean_share: float = 0.0
    shift: int = 0
    normalized: tuple[str, ...] = ("conv2", "dense1")
    threshold_start: bool = True
    held_back: int = 5_000
    training_images: int = IMAGES - 5_000
    seed: int = 1
    members: int = 1

    def __post_init__(self) -> None:
        check_whole("The number of epochs", self.epochs, 1, 200)
        check_range("The epochs of falling learning rate", self.fall, 0.01, 200)
        check_whole("The epoch of the restart", self.restart, 0, self.epochs)
        check_whole("The batch size", self.batch_size, 2, 1024)
        check_range("The learning rate", self.learning_rate, 1e-7, 1)
        check_range("The share of the adversarial loss", self.adversarial_share, 0, 1)
        check_range("Epsilon of the attack", self.attack_epsilon, 0, 1)
        check_whole("The number of attack steps", self.attack_steps, 1, 100)
        check_range("The attack's step in units of epsilon", self.attack_step, 0, 4)
        check_range("Epsilon of the bounds", self.certified_epsilon, 0, 1)
        check_range("The share of clean images", self.clean_share, 0, 1)
        check_whole("The shift in pixels", self.shift, 0, 8)
        check_whole("The number of training images", self.training_images, 2, IMAGES)
        check_switch("Whether it begins at the threshold", self.threshold_start)
        check_whole("The number of held-back images", self.held_back, 0, IMAGES)
        check_whole("The number of networks side by side", self.members, 1, 8)
        check_range("The epochs of the attack's ramp", self.attack_ramp, 0, 200)
        check_range("The epochs of the bounds' ramp", self.certified_ramp, 0, 200)
        check_seed(self.seed)
        if self.training_images + self.held_back > IMAGES:
            raise ValueError(
                f"{self.training_images:,} images to train and {self.held_back:,} held back are "
                f"more than {IMAGES:,}: lower one of them."
            )
        if self.threshold_start and "conv1" in self.normalized:
            raise ValueError(
                "Normalization would move the thresholds that conv1 begins with: "
                "leave one of them out."
            )
        if self.training_images < self.batch_size:
            raise ValueError(
                f"A batch of {self.batch_size} does not fit into {self.training_images} images: "
                "make it smaller."
            )

    def of_member(self, number: int) -> "RobustSettings":
        """The settings of one network: number 0 to `members` − 1."""
        return replace(self, seed=self.seed + number, members=1)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in a pass; the rest of the images has its turn in the next."""
        return self.training_images // self.batch_size

    @property
    def steps_before_fall(self) -> int:
        """The steps before the learning rate begins to fall for the last time."""
        return max(0, math.floor((self.epochs - self.fall) * self.steps_per_epoch))

    @property
    def certifies(self) -> bool:
        """Whether interval bounds take part."""
        return self.adversarial_share < 1

    def schedule(self) -> FloatArray:
        """What changes from step to step: float32 [steps, 5], columns as in SCHEDULE.

        The learning rate warms up over half an epoch and falls along a cosine in the last ones.
        """
        epoch = np.arange(1, self.epochs * self.steps_per_epoch + 1) / self.steps_per_epoch
        certified = np.clip(epoch / self.certified_ramp, 0, 1) if self.certifies else 0 * epoch
        attack = np.clip(epoch / self.attack_ramp, 0, 1)
        until = np.where(epoch <= self.restart, self.restart, self.epochs) - epoch
        fallen = np.clip(1 - until / self.fall, 0, 1)
        cosine = 0.005 + 0.995 * (1 + np.cos(math.pi * fallen)) / 2
        rows = (
            self.learning_rate * np.clip(epoch / 0.5, 0, 1) * cosine,
            1 - (1 - self.adversarial_share) * certified,
            self.attack_epsilon * (0.14 + 0.86 * attack),
            self.certified_epsilon * certified,
            certified,
        )
        return np.stack(rows, axis=1).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "normalized": list(self.normalized)}


STRIDED = Architecture(  # bounds through max pooling are looser than through strides
    blocks=(
        ConvBlock(32, kernel_size=4, stride=2, pooling=1),
        ConvBlock(64, kernel_size=4, stride=2, pooling=1),
    ),
    hidden_units=(256,),
)
SHIPPED = {
    "robust": RobustSettings(
        epochs=12, fall=8, learning_rate=2e-3, adversarial_share=1.0, attack_epsilon=0.38,
        attack_steps=3, attack_step=0.6, shift=2, normalized=(),
    ),
    "certified": RobustSettings(epochs=56, restart=40, members=2),
}  # fmt: skip
