"""What the report set in its experiments, and what it says came out."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.training.settings import TrainingSettings

REPORTED_TEST_ACCURACY = {"model-1": 0.9753, "model-2": 0.9869}  # E1, E2
REPORT_SETTINGS = TrainingSettings()  # E1, E2: Adam, 5e-4, 10 epochs, batches of 64


@dataclass(frozen=True)
class Experiment:
    """Settings of the report, the classes it shows, and what it says came out."""

    identifier: str
    settings: Mapping[str, float | int | str]
    classes: tuple[int, ...]
    reported: str


E7 = Experiment(
    "E7",
    MappingProxyType(
        {
            "mean": 0.5,
            "stddev": 0.05,
            "objective": "logit",
            "learning_rate": 5e-4,
            "iterations": 200,
        }
    ),
    (9, 0, 5),
    "very high confidence; cost always falls; most look like the digit, 5 does not",
)
E8 = Experiment(
    "E8",
    MappingProxyType({"beta": 1.0, "learning_rate": 1e-3, "iterations": 400}),
    (3, 6, 8),
    "classified as the target; smoother than E7",
)
E8_SOURCE_CLASS = 2
E9 = Experiment(
    "E9",
    MappingProxyType({"objective": "logit", "learning_rate": 5e-4, "iterations": 400}),
    (4, 5),
    "in most cases misclassifies other classes as well",
)
E9_SOURCE_CLASS = 0
E10 = Experiment(
    "E10",
    MappingProxyType({"start": "zero", "learning_rate": 0.05, "iterations": 200}),
    tuple(range(10)),
    "images close to digits, jittery; cost converges",
)
E11 = Experiment(
    "E11", MappingProxyType({}), (), "changes the class logits up or down as iterations go"
)
# The report proposes its defenses and measures none; the settings of E12 and E13 are ours.
E12 = Experiment(
    "E12",
    MappingProxyType({"filters": "blur-1+threshold-0.5"}),
    (),
    "blur the image or threshold it before the network",
)
E13 = Experiment(
    "E13",
    MappingProxyType(
        {
            "learning_rate": 1e-3,
            "epochs": 3,
            "attack": "pgd",
            "epsilon": 0.3,
            "attack_steps": 5,
            "attack_step": 0.5,
        }
    ),
    (),
    "train on adversarial images, too",
)
E14 = Experiment("E14", MappingProxyType({}), (), "generative models (“GANs and others”)")
