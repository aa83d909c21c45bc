"""What only several layers, one behind the other, can say."""

from collections.abc import Collection, Sequence

from core.network.stages.stage import Stage, Step


def steps(stages: Sequence[Stage], asked: Collection[str] = ()) -> list[tuple[str, Step]]:
    """The layers one behind the other; two become one where nobody asks for what is between."""
    found, remaining = [], list(stages)
    while remaining:
        stage = remaining.pop(0)
        following = remaining[0] if remaining and stage.name not in asked else None
        step = stage.joined(following) if following else None
        if step is not None:
            stage = remaining.pop(0)
        found.append((stage.name, step or stage.forward()))
    return found


def reach(stages: Sequence[Stage]) -> tuple[int, int]:
    """The window of a whole chain: it grows by (window − 1) × the spacing of the outputs before.

    Araujo et al. (2019), doi:10.23915/distill.00021.
    """
    field, spacing = 1, 1
    for stage in stages:
        window, stride = stage.window
        field, spacing = field + (window - 1) * spacing, spacing * stride
    return field, spacing
