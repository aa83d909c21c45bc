"""What an epoch with the tray changed, on test images that no image of the tray was made from."""

from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, to_float
from core.data.dataset import Split
from core.statistics.paired import Verdict, judge
from core.statistics.rate import Rate
from core.training.loop import ATTACKED_IMAGES, SCORED_IMAGES
from core.training.runs import Run
from core.training.trainer import TrainingState, trainer_for


@dataclass(frozen=True, eq=False)
class Standing:
    """What a network reads right of the tray, of the test images, and of those under attack.

    flat: the attacked images without an input gradient. bool [n] each.
    """

    tray_right: BoolArray
    test_right: BoolArray
    robust_right: BoolArray
    flat: BoolArray

    @property
    def tray(self) -> Rate:
        """Of the tray's images."""
        return Rate.of(self.tray_right)

    @property
    def test(self) -> Rate:
        """Of the test images."""
        return Rate.of(self.test_right)

    @property
    def robust(self) -> Rate:
        """Of the test images under attack."""
        return Rate.of(self.robust_right)


@dataclass(frozen=True, eq=False)
class Round:
    """One epoch with a tray's images mixed in: before it and after it, on the same images."""

    number: int
    title: str
    epsilon: float
    before: Standing
    after: Standing

    @property
    def verdict(self) -> Verdict:
        """Whether the network after it stands more often under attack than the one before."""
        return judge(self.after.robust_right, self.before.robust_right)


def round_of(run: Run) -> Round | None:
    """What training on its tray changed in `run`; None before it ends, or without a tray.

    Both standings are those of one checkpoint each, the first and the last, on the same images.
    """
    steps = run.checkpoints.steps
    if run.extra is None or not steps or steps[-1] == 0:
        return None
    if run.job is not None and not run.job.settled:
        return None
    return Round(
        number=run.number,
        title=run.title,
        epsilon=run.settings.attack_epsilon,
        before=_standing(run, steps[0], run.extra),
        after=_standing(run, steps[-1], run.extra),
    )


def held_out(run: Run) -> Split:
    """The last 2,000 test images (or all there are) from which nothing was made that taught `run`.

    The last, because pages attack the first: what is tuned on those has not seen these either.
    """
    test = run.dataset.test
    taught = np.isin(np.arange(len(test)), list(run.originals))
    rows = np.flatnonzero(~taught)[-SCORED_IMAGES:]
    return Split(test.images[rows], test.labels[rows])


def _standing(run: Run, step: int, tray: Split) -> Standing:
    test = held_out(run)
    attacked = Split(test.images[-ATTACKED_IMAGES:], test.labels[-ATTACKED_IMAGES:])
    read = run.logits(step, to_float(tray.images)).argmax(axis=1)
    answers = run.logits(step, to_float(test.images)).argmax(axis=1)
    trainer = trainer_for(run.architecture)
    with trainer.lock:
        trainer.seat(TrainingState(step, run.checkpoints.load(step)))
        under_attack = trainer.standing(
            attacked.images,
            attacked.labels,
            epsilon=run.settings.attack_epsilon,
            single_step=run.settings.single_step,
        )
        trainer.unseat()
    return Standing(
        read == tray.labels,
        answers == test.labels,
        under_attack.ten,
        under_attack.flat,
    )
