"""The report's experiments: what it set, what it reported, and what is measured here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.rate import Rate, overlap
from core.settings import TrainingSettings

if TYPE_CHECKING:
    from core.model import LayerInfo

REPORTED_TEST_ACCURACY = {"model-1": 0.9753, "model-2": 0.9869}  # E1, E2
REPORT_SETTINGS = TrainingSettings()  # E1, E2: Adam, 5e-4, 10 epochs, batches of 64


@dataclass(frozen=True)
class Comparison:
    """One line of E4: what the report says, what the model says, and why they differ."""

    what: str
    reported: int
    computed: int
    reason: str


def batch_normalization_verdict(plain: Rate, normalized: Rate) -> str:
    """E2's claim “a percent better” against two measured test accuracies, in one sentence."""
    gain = (normalized.value - plain.value) * 100
    difference = f"the difference is {gain:+.2f} points".replace("-", "−")
    if overlap(plain, normalized):
        return f"“A percent better” is not confirmed: {difference}, and the intervals overlap."
    verdict = "confirmed" if gain >= 0.5 else "not confirmed"
    return f"“A percent better” is {verdict}: {difference}."


def compare_dimensions(rows: "list[LayerInfo]") -> list[Comparison]:
    """E4 on the layer table of Model 1: neurons and parameters, reported beside computed."""
    layer = {row.name: row for row in rows}
    weighted = [layer[name] for name in ("conv1", "conv2", "dense1", "logits")]
    return [
        Comparison(
            "Parameters of Conv1",
            320,
            layer["conv1"].parameters,
            "Equal: 32 kernels of 3 × 3 on one input channel, and 32 biases.",
        ),
        Comparison(
            "Parameters of Conv2",
            320,
            layer["conv2"].parameters,
            "The report forgets that each of the 32 kernels spans all 32 input channels: "
            "32 × 32 × 3 × 3 + 32.",
        ),
        Comparison(
            "Parameters of the hidden layer",
            784_500,
            layer["dense1"].parameters,
            "Equal: 1,568 × 500 weights and 500 biases.",
        ),
        Comparison(
            "Parameters of the output layer",
            5_010,
            layer["logits"].parameters,
            "Equal: 500 × 10 weights and 10 biases.",
        ),
        Comparison(
            "Parameters in all",
            790_150,
            sum(row.parameters for row in rows),
            "The difference is Conv2's: 9,248 − 320 = 8,928.",
        ),
        Comparison(
            "Neurons",
            2_654,
            sum(row.units for row in weighted),
            "A convolution has a unit for each pixel of each map: 25,088 + 6,272 + 500 + 10. The "
            "report's figure equals 64 × 9 + 1,568 + 500 + 10: the weights of 64 kernels in place "
            "of their maps, and the flattened maps on top.",
        ),
    ]
