"""Images changed along a gradient."""

from core.later import offered

__getattr__ = offered(
    "core.optimization.engine",
    "MAX_FRAMES",
    "MAX_ITERATIONS",
    "OPTIMIZERS",
    "Trajectory",
    "optimize_images",
)
