"""Training as a generator: settings in, one `Progress` after every few steps out."""

import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.arrays import BoolArray, ByteArray, IntArray
from core.data.dataset import Dataset, Split
from core.network.architecture import Architecture
from core.network.evaluation import Evaluation
from core.network.model import Weights
from core.statistics.rate import Rate
from core.training.settings import TrainingSettings
from core.training.trainer import StepResults, Trainer, TrainingState, trainer_for

__all__ = [
    "Controls",
    "Progress",
    "Score",
    "TrainingDiverged",
    "TrainingSettings",
    "checkpoint_steps",
    "train",
]

CHECKPOINTS = 24
SCORES = 40  # each takes as long as training on 500 images: of ten epochs 3 %
SCORED_IMAGES = 2_000
ATTACKED_IMAGES = 200  # that score the accuracy under attack
_SCORE_INTERVAL = 5_000  # training images between two scores, at least
_RECORD_IMAGES = 640  # that a record averages over, at least
_RECORD_WORK = 2_818_000 * _RECORD_IMAGES  # multiply-adds in a record of Model 1, about 0.1 s


@dataclass
class Controls:
    """What may change while a training runs: the only thing it shares with its caller."""

    learning_rate: float
    epochs: int

    @classmethod
    def of(cls, settings: TrainingSettings) -> "Controls":
        """Controls that change nothing."""
        return cls(settings.learning_rate, settings.epochs)


@dataclass(frozen=True)
class Score:
    """Accuracy and mean cross-entropy on test images.

    robust and single_step are the accuracy under PGD-10 and under one step, where it is measured,
    and flat is the share of these images on which both have no gradient to follow.
    bits: which images were right, eight to a byte, so that runs can be compared image by image.
    """

    accuracy: Rate
    loss: float
    robust: Rate | None = None
    single_step: Rate | None = None
    flat: Rate | None = None
    bits: bytes = field(default=b"", repr=False)

    @property
    def right(self) -> BoolArray:
        """Which images were right: bool [n], the first of the test images; empty if not kept."""
        return np.unpackbits(np.frombuffer(self.bits, np.uint8)).astype(bool)[: self.accuracy.total]


@dataclass(frozen=True)
class Progress:
    """Where a training stands after `step` steps.

    loss, accuracy, speed and the gradient norms by layer are means over the images of the steps
    since the last Progress (NaN at step 0), and of earlier steps where these hold less than a
    record: no record is of a few images only. seconds counts training and scoring, not pauses.
    `test` is there at intervals, `weights` at checkpoints, step 0 and the last step included.
    """

    step: int
    total_steps: int
    epoch: float
    seconds: float
    learning_rate: float
    loss: float = math.nan
    accuracy: float = math.nan
    gradient_norms: dict[str, float] = field(default_factory=dict)
    images_per_second: float = math.nan
    test: Score | None = None
    weights: Weights | None = field(default=None, repr=False)


class TrainingDiverged(Exception):
    """The loss, a gradient or a weight is no longer a number; no checkpoint holds such weights."""

    def __init__(self, step: int, learning_rate: float) -> None:
        super().__init__(
            f"The loss became infinite at step {step:,}: lower the learning rate "
            f"(it was {learning_rate:g})."
        )
        self.step, self._learning_rate = step, learning_rate

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.step, self._learning_rate)


def train(
    architecture: Architecture,
    dataset: Dataset,
    settings: TrainingSettings,
    *,
    controls: Controls | None = None,
    state: TrainingState | None = None,
    extra: Split | None = None,
) -> Generator[Progress]:
    """Train a network of `architecture` on `dataset.train`; the caller stops by ceasing to iterate.

    The first Progress is that of the untrained network (or of `state`, with which a training goes
    on). `controls` may be changed while iterating: the learning rate takes effect at the next
    record, and so does the number of epochs. `state` holds weights and
    optimizer slots, up to date once the iterator is closed. Trainings may be interleaved.
    `extra` are the `settings.extra_images` images that are mixed in.

    Same architecture, data, settings and controls: same curve on the same machine. Raises
    TrainingDiverged when the loss is not finite, and ValueError if `extra` are not as many images
    as the settings say, if batch normalization would meet batches of one image, or if the data
    set is not what the architecture takes or has fewer images than the settings name.
    """
    _check_data(architecture, dataset, settings)
    extra = extra or dataset.train.first(0)
    if len(extra) != settings.extra_images:
        raise ValueError(
            f"There are {len(extra)} extra images, and the settings name {settings.extra_images}: "
            "give as many."
        )
    if architecture.batch_normalization and 1 in (settings.batch_size, settings.images_per_epoch):
        raise ValueError(
            "Batch normalization learns nothing from an image alone: choose a batch size, and a "
            "number of training images, of at least 2."
        )
    controls = controls or Controls.of(settings)
    state = state or TrainingState.untrained(architecture, settings.seed)
    run = _Training(trainer_for(architecture), dataset, settings, controls, state, extra)
    try:
        yield run.first_progress()
        while state.step < run.total_steps:
            yield run.advance()
    finally:
        run.leave()


def _check_data(architecture: Architecture, dataset: Dataset, settings: TrainingSettings) -> None:
    spec, own = dataset.spec, (architecture.input_shape, architecture.classes)
    if own != (spec.shape, len(spec.classes)):
        raise ValueError(
            f"The network turns {list(own[0])} into {own[1]} classes, and {spec.name} has "
            f"{list(spec.shape)} in {len(spec.classes)}: build it for these."
        )
    if settings.training_images > len(dataset.train):
        raise ValueError(
            f"{spec.name} has {len(dataset.train):,} training images here, and the settings name "
            f"{settings.training_images:,}: name at most as many."
        )


def checkpoint_steps(first: int, last: int) -> list[int]:
    """The steps after `first`, up to `last`, whose weights are kept: 24 where there are as many.

    Learning is fastest at the start, so the k-th of 24 is at (k / 24)^1.7 of the way.
    """
    length = last - first
    steps = (
        first + math.ceil(length * (k / CHECKPOINTS) ** 1.7) for k in range(1, CHECKPOINTS + 1)
    )
    return sorted(set(steps))


class _Training:
    """One training under way: the state, its clock, and the plan of what is scored when."""

    def __init__(
        self,
        trainer: Trainer,
        dataset: Dataset,
        settings: TrainingSettings,
        controls: Controls,
        state: TrainingState,
        extra: Split,
    ) -> None:
        self.trainer, self.settings, self.controls, self.state = trainer, settings, controls, state
        self.extra = extra
        self.images = dataset.train.first(settings.training_images)
        self.test = dataset.test.first(SCORED_IMAGES)
        self.seconds = 0.0
        work = trainer.multiply_adds * settings.batch_size
        self.steps_per_record = max(1, round(_RECORD_WORK / work))
        self.images_per_record = settings.batch_size * min(
            self.steps_per_record, max(1, _RECORD_IMAGES // settings.batch_size)
        )
        self.scored_step = state.step
        self._drawn: tuple[int, IntArray] = (-1, np.empty(0, np.int64))

    @property
    def total_steps(self) -> int:
        """As many epochs as the controls say now."""
        return self.controls.epochs * self.settings.steps_per_epoch

    def first_progress(self) -> Progress:
        """Before any step of this call: the score and the weights as they are."""
        with self.trainer.lock:
            started = time.perf_counter()
            self.trainer.seat(self.state)
            test, weights = self._score(), self.trainer.weights()
        self.seconds += time.perf_counter() - started
        return replace(self._progress(), test=test, weights=weights)

    def advance(self) -> Progress:
        """Train up to the next record, and score and keep the weights where that is due."""
        self._extend_plan()
        images, labels = self._next_batches()
        learning_rate = self.controls.learning_rate
        with self.trainer.lock:
            started, traces = time.perf_counter(), self.trainer.traces
            self.trainer.seat(self.state)
            results = self.trainer.run(
                images,
                labels,
                optimizer=self.settings.optimizer,
                seed=self.settings.seed,
                learning_rate=learning_rate,
                weight_decay=self.settings.weight_decay,
                label_smoothing=self.settings.label_smoothing,
                shift=self.settings.shift,
                rotation=self.settings.rotation,
                **self._attack(),
            )
            seconds = time.perf_counter() - started
            self._check_finite(results, learning_rate)
            weights = self.trainer.weights() if self._at_checkpoint else None
            if weights and not all(np.isfinite(array).all() for array in weights.values()):
                raise TrainingDiverged(self.state.step, learning_rate)
            test = self._score() if self._score_is_due() else None
        if self.trainer.traces == traces:  # preparing the step is not training
            self.seconds += time.perf_counter() - started
        else:
            seconds = math.nan
        progress = self._recorded(results, labels.shape[1], seconds)
        return replace(progress, learning_rate=learning_rate, test=test, weights=weights)

    def leave(self) -> None:
        """Bring the state's arrays up to date, for whoever goes on with it."""
        with self.trainer.lock:
            if self.trainer.seated is self.state:
                self.trainer.unseat()

    def _attack(self) -> dict[str, float]:
        """What the trainer is told of the attack on each batch."""
        settings = self.settings
        return {
            "epsilon": settings.attack_epsilon,
            "attack_step": settings.attack_step * settings.attack_epsilon,
            "attack_steps": settings.inner_steps,
            "clean_share": settings.clean_share,
        }

    def _extend_plan(self) -> None:
        planned = self.state.planned
        last = planned[-1] if planned else self.state.step
        if self.total_steps > last:
            planned += checkpoint_steps(last, self.total_steps)

    @property
    def _at_checkpoint(self) -> bool:
        """The last step is one, if fewer epochs were planned meanwhile, too."""
        return self.state.step in self.state.planned or self.state.step >= self.total_steps

    def _next_batches(self) -> tuple[ByteArray, ByteArray]:
        """Images [k, batch, …] and labels [k, batch] up to the next record.

        A record ends at a checkpoint, too, and with an epoch, whose last batch goes alone if it is
        of another size.
        """
        settings, step = self.settings, self.state.step
        size, last = settings.batch_size, settings.steps_per_epoch - 1
        epoch, done = divmod(step, settings.steps_per_epoch)
        order = self._order_of(epoch)
        if done == last:
            return self._images_at(order[None, done * size :])
        alike = settings.steps_per_epoch * size == settings.images_per_epoch
        end = step - done + last + alike
        checkpoints = [at for at in self.state.planned if at > step]
        count = min(step + self.steps_per_record, end, *checkpoints) - step
        return self._images_at(order[done * size :][: count * size].reshape(count, size))

    def _order_of(self, epoch: int) -> IntArray:
        """The rows of an epoch as they come, drawn once: for each record that takes 1 % of it."""
        if self._drawn[0] != epoch:
            random = np.random.default_rng((self.settings.seed, epoch))
            self._drawn = epoch, random.permutation(self.settings.images_per_epoch)
        return self._drawn[1]

    def _images_at(self, rows: IntArray) -> tuple[ByteArray, ByteArray]:
        """Images and labels at rows of the data set, behind it of the extra ones, again and again.

        Copies only what is asked for: MNIST with some images more would be 47 MB for every run.
        """
        behind = rows >= len(self.images)
        if not behind.any():
            return self.images.images[rows], self.images.labels[rows]
        own = np.where(behind, 0, rows)
        images, labels = self.images.images[own], self.images.labels[own]
        again = (rows[behind] - len(self.images)) % len(self.extra)
        images[behind], labels[behind] = self.extra.images[again], self.extra.labels[again]
        return images, labels

    def _progress(self) -> Progress:
        return Progress(
            step=self.state.step,
            total_steps=self.total_steps,
            epoch=self.state.step / self.settings.steps_per_epoch,
            seconds=self.seconds,
            learning_rate=self.controls.learning_rate,
        )

    def _recorded(self, results: StepResults, batch_size: int, seconds: float) -> Progress:
        """A record of new steps, and of as many before them as it lacks in images."""
        count = len(results.losses)
        sizes = np.full(count, batch_size, np.float32)
        times = np.full(count, seconds / count, np.float32)
        new = np.column_stack([sizes, times, results.losses, results.hits, results.gradient_norms])
        steps = np.concatenate([self.state.recent.reshape(-1, new.shape[1]), new])
        enough = 1 + int(np.searchsorted(steps[::-1, 0].cumsum(), self.images_per_record))
        steps = self.state.recent = steps[-max(enough, len(new)) :]
        loss, accuracy, *norms = np.average(steps[:, 2:], axis=0, weights=steps[:, 0]).tolist()
        return replace(
            self._progress(),
            loss=loss,
            accuracy=accuracy,
            gradient_norms=dict(zip(self.trainer.layer_names, norms, strict=True)),
            images_per_second=float(steps[:, 0].sum() / steps[:, 1].sum()),
        )

    def _check_finite(self, results: StepResults, learning_rate: float) -> None:
        finite = np.isfinite(results.losses) & np.isfinite(results.gradient_norms).all(axis=1)
        bad = np.flatnonzero(~finite)
        if bad.size:
            first = self.state.step - len(results.losses) + int(bad[0]) + 1
            raise TrainingDiverged(first, learning_rate)

    def _score_is_due(self) -> bool:
        """Rarely, and more often in short trainings."""
        interval = max(_SCORE_INTERVAL, self.total_steps * self.settings.batch_size // SCORES)
        waited = (self.state.step - self.scored_step) * self.settings.batch_size
        return waited >= interval or self.state.step >= self.total_steps

    def _score(self) -> Score:
        self.scored_step = self.state.step
        evaluation = Evaluation(self.trainer.logits(self.test.images), self.test.labels)
        bits = np.packbits(evaluation.right).tobytes()
        score = Score(evaluation.accuracy, evaluation.loss, bits=bits)
        if not self.settings.scores_robustness:
            return score
        test = self.test.first(ATTACKED_IMAGES)
        attacked = self.trainer.standing(
            test.images,
            test.labels,
            epsilon=self.settings.attack_epsilon,
            single_step=self.settings.single_step,
        )
        one, ten, flat = map(Rate.of, attacked)
        return replace(score, robust=ten, single_step=one, flat=flat)
