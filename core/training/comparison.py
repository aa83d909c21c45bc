"""What two training curves show, in words that follow from the numbers (experiment E2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.statistics.paired import judge

if TYPE_CHECKING:
    from core.training.loop import Score
    from core.training.runs import Run

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


def score_near(run: "Run", step: int) -> "tuple[int, Score] | None":
    """The test score closest to `step`, within a quarter of it, of a trained network; its step."""
    scored = [(p.step, p.test) for p in run.history if p.test and p.step > 0]
    nearest = min(scored, key=lambda each: abs(each[0] - step), default=None)
    return None if nearest is None or abs(nearest[0] - step) > step / 4 else nearest


def smoothed_loss(run: "Run", step: int, records: int = 10) -> float | None:
    """The mean loss of the last `records` records up to `step`."""
    losses = [p.loss for p in run.history if 0 < p.step <= step][-records:]
    return sum(losses) / len(losses) if losses else None


def compare(first: "Run", second: "Run") -> str:
    """Where the two runs stand at their last common step, in a sentence; "" before there is one."""
    if not (first.last and second.last):
        return ""
    step = min(first.last.step, second.last.step)
    own_loss, other_loss = smoothed_loss(first, step), smoothed_loss(second, step)
    own, other = score_near(first, step), score_near(second, step)
    if own_loss is None or other_loss is None or own is None or other is None:
        return ""
    loss = _loss_clause(first, second, own_loss, other_loss)
    scores = _accuracy_clause(own[1], other[1], _scored_at(own[0], other[0], step))
    return f"At step {step:,} run {first.number} {loss}{scores}."


def _scored_at(own: int, other: int, step: int) -> str:
    """At which steps two scores were taken, if not both at `step`, where they are compared."""
    if own == other:
        return "" if own == step else f", scored at step {own:,}"
    return f", scored at steps {own:,} and {other:,}"


def _accuracy_clause(own: "Score", other: "Score", when: str) -> str:
    """How two scores compare, image by image where both are of the same images."""
    rates = own.accuracy, other.accuracy
    percents = " against ".join(f"{100 * rate.value:.1f}" for rate in rates)
    if len(own.right) != len(other.right) or not len(own.right):
        return (
            f"reads {percents} % right{when}, on other images: without pairs no difference is shown"
        )
    return f"is, in test accuracy ({percents} %{when}), {judge(own.right, other.right).words()}"


def _loss_clause(first: "Run", second: "Run", own: float, other: float) -> str:
    """How the training losses compare; nothing where the two minimize different ones."""
    losses = {
        (
            r.settings.label_smoothing,
            r.settings.shift,
            r.settings.rotation,
            r.architecture.dropout,
            _attack(r),
            _extra(r),
        )
        for r in (first, second)
    }
    if len(losses) > 1 or not own or not other:
        return ""
    if other / own > 1.15:
        return f"has {other / own:.1f} times less loss than run {second.number} and "
    if own / other > 1.15:
        return f"has {own / other:.1f} times the loss of run {second.number} and "
    return f"has about the loss of run {second.number} and "


def _attack(run: "Run") -> tuple[float, ...]:
    """What the loss is taken under; nothing without an attack."""
    chosen = run.settings
    if not chosen.inner_steps:
        return ()
    return chosen.inner_steps, chosen.attack_step, chosen.attack_epsilon, chosen.clean_share


def _extra(run: "Run") -> tuple[bytes, bytes, int] | None:
    """The images beside MNIST's that the loss is taken on."""
    if run.extra is None:
        return None
    return run.extra.images.tobytes(), run.extra.labels.tobytes(), run.settings.extra_repeat


def race(first: "Run", second: "Run") -> str:
    """One sentence on which run reached 97 % first, by steps and by seconds."""
    marks = milestone(first), milestone(second)
    if marks[0] is None or marks[1] is None:
        waiting = [str(run.number) for run, m in zip((first, second), marks, strict=True) if not m]
        return f"Run {' and run '.join(waiting)} has not reached 97 % of the test images yet."
    return (
        f"97 % of 2,000 test images: run {first.number} ({first.title}) after {marks[0].step:,} "
        f"steps and {marks[0].seconds:.0f} s, run {second.number} ({second.title}) after "
        f"{marks[1].step:,} steps and {marks[1].seconds:.0f} s."
    )
