"""How it learns."""

from core.later import offered

__getattr__ = offered(
    "core.training.loop",
    "CHECKPOINTS",
    "Controls",
    "Progress",
    "Score",
    "TrainingDiverged",
    "checkpoint_steps",
    "train",
)
