"""How to train, as data; needs no TensorFlow, so that a page can show its sliders at once."""

from dataclasses import asdict, dataclass
from typing import Any

from core.checks import check_choice, check_range, check_seed, check_switch, check_whole
from core.data.spec import MAX_IMAGES, MNIST

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
OFF, FGSM, PGD = "off", "fgsm", "pgd"
ATTACKS = (OFF, FGSM, PGD)
FGSM_STEP = 1.25  # in units of ε, from a random start (Wong et al. 2020, arXiv:2001.03994)
MAX_EXTRA_IMAGES = 200
_OF_ATTACK = ("attack", "attack_epsilon", "attack_steps", "attack_step", "clean_share")
_OF_EXTRA = ("extra_images", "extra_repeat")


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; the defaults are the report's.

    optimizer: "adam", "adamw" (decoupled weight decay), "sgd" (momentum 0.9) or "rmsprop".
    weight_decay: on kernels; an L2 penalty in the gradient, but with AdamW apart from it.
    label_smoothing: share of the target spread over all classes. shift (pixels) and rotation
    (degrees) are the largest random moves of an image. training_images: how many of the training
    images, from the first on.

    attack: of the batches while training, from a random start: "off", "fgsm" (one step) or "pgd"
    (`attack_steps` of them), each of attack_step · ε in L∞; the share `clean_share` of each batch
    is left as it is. robust_scores: measure the accuracy under attack even if none is trained
    against. extra_images: how many images beside the data set's are mixed in, each `extra_repeat`
    times an epoch.
    """

    learning_rate: float = 5e-4
    epochs: int = 10
    batch_size: int = 64
    optimizer: str = "adam"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    shift: int = 0
    rotation: float = 0.0
    training_images: int = MNIST.training_images
    seed: int = 0
    attack: str = OFF
    attack_epsilon: float = 0.3
    attack_steps: int = 5
    attack_step: float = 0.5
    clean_share: float = 0.0
    robust_scores: bool = False
    extra_images: int = 0
    extra_repeat: int = 1

    def __post_init__(self) -> None:
        check_range("The learning rate", self.learning_rate, 1e-7, 10)
        check_whole("The number of epochs", self.epochs, 1, 100)
        check_whole("The batch size", self.batch_size, 1, 1024)
        check_choice("The optimizer", self.optimizer, OPTIMIZERS)
        check_range("The weight decay", self.weight_decay, 0, 1)
        check_range("The label smoothing", self.label_smoothing, 0, 0.9)
        check_whole("The shift in pixels", self.shift, 0, 8)
        check_range("The rotation in degrees", self.rotation, 0, 45)
        check_whole("The number of training images", self.training_images, 1, MAX_IMAGES)
        check_seed(self.seed)
        check_choice("The attack while training", self.attack, ATTACKS)
        check_range("Epsilon of the attack", self.attack_epsilon, 0, 1)
        check_whole("The number of attack steps", self.attack_steps, 1, 20)
        check_range("The attack's step in units of epsilon", self.attack_step, 0, 4)
        check_range("The share of clean images", self.clean_share, 0, 1)
        check_switch("Whether scores are under attack", self.robust_scores)
        check_whole("The number of extra images", self.extra_images, 0, MAX_EXTRA_IMAGES)
        check_whole("How often an extra image comes", self.extra_repeat, 1, 1000)

    @property
    def images_per_epoch(self) -> int:
        """The data set's and the extra ones, as often as they come."""
        return self.training_images + self.extra_images * self.extra_repeat

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training images; the last takes what is left.

        It may be smaller; but a last image alone joins the batch before it: batch normalization
        would take it for all there is, and its gradient is mostly noise.
        """
        whole, left = divmod(self.images_per_epoch, self.batch_size)
        return max(1, whole + (left > 1))

    @property
    def inner_steps(self) -> int:
        """Steps of the attack on a batch: 0 without one."""
        if self.attack == OFF or self.clean_share == 1:
            return 0
        return 1 if self.attack == FGSM else self.attack_steps

    @property
    def scores_robustness(self) -> bool:
        """Whether the accuracy under attack is measured as the training goes on."""
        return self.attack != OFF or self.robust_scores

    @property
    def single_step(self) -> float:
        """In units of ε: the step of the one-step attack that measures, as the one trained on."""
        return self.attack_step if self.attack == FGSM else FGSM_STEP

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; of an attack and of extra images only if there are any."""
        unused = set[str]()
        if self.attack == OFF:
            unused |= set(_OF_ATTACK)
            unused -= {"attack_epsilon"} if self.robust_scores else set()
        if not self.robust_scores:
            unused.add("robust_scores")
        if not self.extra_images:
            unused |= set(_OF_EXTRA)
        return {name: value for name, value in asdict(self).items() if name not in unused}
