"""What two training curves show, in words that follow from the numbers (experiment E2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.rate import Rate

if TYPE_CHECKING:
    from core.runs import Run
    from core.training import Progress

MILESTONE = 0.97


@dataclass(frozen=True)
class Milestone:
    """The step and second at which the test accuracy first reached MILESTONE."""

    step: int
    seconds: float


def milestone(run: "Run") -> Milestone | None:
    """When `run` first scored 97 % of the test images, None if it has not."""
    for progress in run.history:
        if progress.test and progress.test.accuracy.value >= MILESTONE:
            return Milestone(progress.step, progress.seconds)
    return None


def at_step(run: "Run", step: int) -> "Progress | None":
    """The last record up to `step`."""
    found = [progress for progress in run.history if 0 < progress.step <= step]
    return found[-1] if found else None


def score_at(run: "Run", step: int) -> Rate | None:
    """The last test score up to `step`."""
    scores = [p.test.accuracy for p in run.history if p.test and p.step <= step]
    return scores[-1] if scores else None


def smoothed_loss(run: "Run", step: int, records: int = 10) -> float | None:
    """The mean loss of the last `records` records up to `step`."""
    losses = [p.loss for p in run.history if 0 < p.step <= step][-records:]
    return sum(losses) / len(losses) if losses else None


def overlap(first: Rate, second: Rate) -> bool:
    """Whether the 95 % intervals overlap, which makes a difference a tie."""
    (low_1, high_1), (low_2, high_2) = first.interval, second.interval
    return low_1 <= high_2 and low_2 <= high_1


def compare(first: "Run", second: "Run") -> str:
    """One sentence on where the two runs stand at their last common step; "" before there is one."""
    if not (first.last and second.last):
        return ""
    step = min(first.last.step, second.last.step)
    losses = smoothed_loss(first, step), smoothed_loss(second, step)
    scores = score_at(first, step), score_at(second, step)
    if losses[0] is None or losses[1] is None or scores[0] is None or scores[1] is None:
        return ""
    ratio = losses[1] / losses[0] if losses[0] else 1.0
    if ratio > 1.15:
        loss = f"{ratio:.1f} times less loss than run {second.number}"
    elif ratio < 1 / 1.15:
        loss = f"{1 / ratio:.1f} times the loss of run {second.number}"
    else:
        loss = f"about the loss of run {second.number}"
    percents = f"{scores[0].value * 100:.1f} against {scores[1].value * 100:.1f} %"
    if overlap(*scores):  # type: ignore[arg-type]
        accuracy = f"no measurable difference in test accuracy ({percents}, the intervals overlap)"
    else:
        better = "a higher" if scores[0].value > scores[1].value else "a lower"
        accuracy = f"{better} test accuracy ({percents})"
    return f"At step {step:,} run {first.number} has {loss} and {accuracy}."


def race(first: "Run", second: "Run") -> str:
    """One sentence on which run reached 97 % first, by steps and by seconds."""
    marks = milestone(first), milestone(second)
    if marks[0] is None or marks[1] is None:
        waiting = [str(run.number) for run, m in zip((first, second), marks, strict=True) if not m]
        return f"Run {' and run '.join(waiting)} has not reached 97 % of the test images yet."
    by_step = min((first, second), key=lambda run: (milestone(run) or marks[0]).step)  # type: ignore
    return (
        f"97 % of the test images: run {first.number} after {marks[0].step:,} steps and "
        f"{marks[0].seconds:.0f} s, run {second.number} after {marks[1].step:,} steps and "
        f"{marks[1].seconds:.0f} s; fewer steps: run {by_step.number}."
    )
