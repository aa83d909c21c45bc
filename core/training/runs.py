"""A training and all that it leaves behind: its curve, its checkpoints, and where it can go on.

Checkpoints are files, not memory: 25 copies of the weights of a run would be 80 MB, five runs of
twenty visitors 8 GB. A run's files go when the run goes.
"""

import functools
import itertools
import math
import threading
from collections.abc import Generator
from dataclasses import InitVar, dataclass, field, replace
from itertools import pairwise

import numpy as np

from core.arrays import FloatArray, to_float
from core.data.dataset import Dataset, Split
from core.data.spec import DatasetSpec
from core.failures import WorkerLost
from core.jobs import Job
from core.network.architecture import MODEL_1, MODEL_2, Architecture
from core.network.card import CurvePoint, ModelCard
from core.network.classifier import Classifier
from core.network.evaluation import Evaluation
from core.network.model import Weights, assign_weights, build_model
from core.network.stages.table import BLOCKS, ENDINGS, POOLINGS
from core.statistics.rate import Rate
from core.training.checkpoints import DISK_BUDGET, CheckpointFiles
from core.training.loop import (
    ATTACKED_IMAGES,
    SCORED_IMAGES,
    Controls,
    Progress,
    TrainingSettings,
)
from core.training.recording import recorded
from core.training.settings import OFF
from core.work.here import stream

_numbers = itertools.count(1)
_SETTING_NAMES = {
    "learning_rate": "lr",
    "epochs": "epochs",
    "batch_size": "batch",
    "optimizer": "",
    "weight_decay": "decay",
    "label_smoothing": "smoothing",
    "shift": "shift",
    "rotation": "rotation",
    "training_images": "images",
    "seed": "seed",
    "attack": "attack",
    "attack_epsilon": "ε",
    "attack_steps": "steps",
    "attack_step": "step",
    "clean_share": "clean",
    "extra_images": "tray",
    "extra_repeat": "times",
}
_IMAGES_A_SECOND = 8_000  # through Model 1 and back, on two cores of 2025
_OVERFITTED = 0.1  # how much more may stand one step than ten, as a share of the images


@dataclass(eq=False)
class Run:
    """One training of one visitor.

    `history` grows while it runs, its weights left out; `checkpoints.steps` too. Where it stops it
    is scored, so that what it shows and what it is are one. `extra` are the
    images that are mixed in, `originals` the numbers of the test images that they, and those of the
    runs it goes on from, were made from. It starts with the weights `start`, those of the model
    that `origin` names, or untrained. `lost`: whether the process that trained it was ended from
    outside; then it goes on from its last checkpoint when it is worked on again.
    """

    architecture: Architecture
    settings: TrainingSettings
    dataset: Dataset
    number: int
    history: list[Progress] = field(default_factory=list)
    job: Job | None = None
    id: int = field(default_factory=lambda: next(_numbers))
    extra: Split | None = None
    originals: frozenset[int] = frozenset()
    origin: str = ""
    start: InitVar[Weights | None] = None

    def __post_init__(self, start: Weights | None) -> None:
        self.checkpoints = CheckpointFiles()
        self.controls = Controls.of(self.settings)
        self.lost = False
        if start is not None:
            self.checkpoints.save(0, start)

    @property
    def title(self) -> str:
        """Model 1, Model 2, or what differs from them; or what it went on from."""
        if self.extra is not None:
            return f"{self.origin} + {len(self.extra)} of the tray"
        return architecture_title(self.architecture)

    @property
    def name(self) -> str:
        """How the model picker calls what this run trained."""
        return f"Run {self.number} · {self.title}"

    @property
    def last(self) -> Progress | None:
        """The latest progress, None before the first."""
        return self.history[-1] if self.history else None

    @property
    def last_scored(self) -> Progress | None:
        """The latest record with a score on test images, None before the first."""
        return next((p for p in reversed(self.history) if p.test), None)

    @property
    def unscored(self) -> bool:
        """Whether it has gone on since it was scored."""
        return self.last is not None and self.last.test is None

    @property
    def last_score(self) -> Rate | None:
        """The latest accuracy on test images, None before the first."""
        scored = self.last_scored
        return scored.test.accuracy if scored and scored.test else None

    @property
    def images_per_second(self) -> float:
        """The median speed of the last 20 records; NaN before the first."""
        speeds = [s for p in self.history[-20:] if math.isfinite(s := p.images_per_second)]
        return float(np.median(speeds)) if speeds else math.nan

    @property
    def seconds_left(self) -> float:
        """Until the last epoch ends, at the pace of this run so far; NaN before the first step."""
        timed = [p for p in self.history if p.step > 0]
        if len(timed) < 2:
            return math.nan
        first, last = timed[max(0, len(timed) - 100)], timed[-1]
        pace = (last.seconds - first.seconds) / max(1, last.step - first.step)
        return pace * max(0, self._planned - last.step)

    @property
    def expected_seconds(self) -> float:
        """What all epochs take, roughly, before anything of them was measured."""
        images = self._planned * self.settings.batch_size * (1 + self.settings.inner_steps)
        return images / _IMAGES_A_SECOND

    @property
    def share_done(self) -> float:
        """Of the steps that are planned now, in [0, 1]."""
        return self.last.step / self._planned if self.last else 0.0

    @property
    def warning(self) -> str:
        """One sentence if the loss has not left that of a guess, "" otherwise."""
        recent = [p.loss for p in self.history[-5:] if p.gradient_norms]
        guess = math.log(self.architecture.classes)
        if (
            self.last is None
            or self.last.step < 100
            or not 0.95 * guess < min(recent) < 1.2 * guess
        ):
            return ""
        stuck = (
            f"After {self.last.step:,} steps the loss is still that of a guess "
            f"(ln {self.architecture.classes} = {guess:.2f})"
        )
        highest = max(p.learning_rate for p in self.history)
        if highest >= 0.01:
            return f"{stuck}: start again with a learning rate below {highest:g}."
        return f"{stuck}: raise the learning rate, or wait."

    @property
    def overfitting(self) -> str:
        """One sentence if the training holds against its one step and not against ten, or "".

        Catastrophic overfitting (Wong et al. 2020, arXiv:2001.03994).
        """
        scored = self.last_scored
        if self.settings.attack == OFF or scored is None or scored.step == 0:
            return ""
        one, ten = _under_attack(scored)
        if not one - ten > _OVERFITTED + 1e-9:
            return ""
        best = max((p for p in self.history if p.test), key=lambda p: _under_attack(p)[1])
        had = _under_attack(best)[1]
        sentence = (
            f"One step leaves {one * 100:.1f} % right, ten leave {ten * 100:.1f} %, of "
            f"{ATTACKED_IMAGES} test images at ε = {self.settings.attack_epsilon:g}, "
            f"step {scored.step:,}"
        )
        if had - ten > _OVERFITTED:
            return (
                f"{sentence}, and at step {best.step:,} ten left {had * 100:.1f} %: catastrophic "
                "overfitting; choose PGD, or a smaller step."
            )
        return (
            f"{sentence}: more than {_OVERFITTED * 100:.0f} points apart; what it has learned "
            "holds against one step only."
        )

    @property
    def made_room(self) -> str:
        """One sentence if checkpoints of it had to make room for those of newer runs, or ""."""
        if not self.checkpoints.dropped:
            return ""
        which = f"{self.checkpoints.dropped} checkpoints" if self.trained else "All checkpoints"
        return (
            f"{which} of run {self.number} had to make room: the runs of this server share "
            f"{DISK_BUDGET / 1e9:g} GB of its disk, and those of the oldest go first."
        )

    @property
    def trained(self) -> bool:
        """Whether there is a model to use: at least one checkpoint."""
        return bool(self.checkpoints.steps)

    @property
    def changes(self) -> list[tuple[int, float]]:
        """Steps after which the learning rate became another, with that rate."""
        return [
            (before.step, after.learning_rate)
            for before, after in pairwise(self.history)
            if after.learning_rate != before.learning_rate
        ]

    def work(self) -> Generator[float]:
        """Train to the end of the epochs in `controls`, and record; for a job to iterate.

        Called again after it ended, with more epochs, it goes on where it was.
        """
        yield from self._stretch()
        while self.last and self.last.step < self._planned:  # added while it sent its last record
            yield from self._stretch()

    @property
    def _planned(self) -> int:
        """Steps."""
        return self.controls.epochs * self.settings.steps_per_epoch

    def _stretch(self) -> Generator[float]:
        """To the end of the epochs that were planned when the last step was made."""
        self.lost, before = False, self.last.seconds if self.last else 0.0
        records = stream(
            recorded, self.architecture, self.dataset, self.settings, replace(self.controls),
            self.checkpoints.folder, self.extra,
        )  # fmt: skip
        try:
            for record in records:
                if record is not None:
                    self._take(record, before)
                yield self.share_done
                records.tell(replace(self.controls))
        except WorkerLost:
            self.lost = True
            raise
        finally:
            for record in records.stop():
                self._take(record, before)
            self.checkpoints.make_room()

    def _take(self, record: Progress, before: float) -> None:
        """Append a record, or give the last its score; seconds count on from `before`."""
        record = replace(record, seconds=before + record.seconds)
        last = self.last
        if last is None or record.step > last.step:
            self.history.append(record)
            self.checkpoints.reached = record.step
        elif record.step == last.step and last.test is None:
            self.history[-1] = replace(last, test=record.test, seconds=record.seconds)
        if record.test is not None:
            self.checkpoints.make_room()

    def classifier(self, step: int) -> Classifier:
        """The model as it was at the checkpoint `step`."""
        model = build_model(self.architecture)
        assign_weights(model, self.checkpoints.load(step))
        return Classifier(model, name=self.name, spec=self.dataset.spec)

    def evaluate(self, step: int) -> Evaluation:
        """The answers at the checkpoint `step` to the test images that score a training."""
        test = self.dataset.test.first(SCORED_IMAGES)
        return Evaluation(self.logits(step, to_float(test.images)), test.labels)

    def logits(self, step: int, images: FloatArray) -> FloatArray:
        """Logits [n, classes] of images float32 [n, h, w, c] at the checkpoint `step`.

        One scratch model per architecture takes the weights in turn, so that going back and
        forth between checkpoints traces nothing.
        """
        scratch, lock = _scratch(self.architecture, self.dataset.spec)
        with lock:
            assign_weights(scratch.model, self.checkpoints.load(step))
            return scratch.logits(images)

    def card(self, step: int, test: Rate, version: str, parameters: int) -> ModelCard:
        """The card of the model at a checkpoint."""
        seconds = next((p.seconds for p in self.history if p.step >= step), 0.0)
        changes = [change for change in self.changes if change[0] < step]
        return ModelCard(
            name=f"run-{self.number}",
            title=self.name,
            description=f"{'Trained' if self.extra is None else self.title} in this session, step "
            f"{step:,}",
            architecture=self.architecture,
            settings={**self.settings.to_dict(), "learning_rate_changes": changes},
            steps=step,
            seconds=round(seconds, 1),
            test=test,
            parameters=parameters,
            version=version,
            data_digest=self.dataset.digest,
            spec=self.dataset.spec,
            curve=tuple(
                CurvePoint(p.step, p.seconds, p.loss, p.test.accuracy.value)
                for p in self.history
                if p.test and p.gradient_norms and p.step <= step
            ),
        )


def _under_attack(progress: Progress) -> tuple[float, float]:
    """The accuracy under one step and under ten of a record with a score; NaN if not measured."""
    rates = (progress.test.single_step, progress.test.robust) if progress.test else (None, None)
    one, ten = (rate.value if rate else math.nan for rate in rates)
    return one, ten


@functools.lru_cache(maxsize=3)
def _scratch(architecture: Architecture, spec: DatasetSpec) -> tuple[Classifier, threading.Lock]:
    return Classifier(build_model(architecture), name="scratch", spec=spec), threading.Lock()


def architecture_title(architecture: Architecture) -> str:
    """“Model 1”, “Model 2”, or a short description such as “16-32 5×5, 200 hidden, BN”."""
    if architecture == MODEL_1:
        return "Model 1"
    if architecture == MODEL_2:
        return "Model 2"
    filters = "-".join(str(block.filters) for block in architecture.blocks)
    kernel = architecture.blocks[0].kernel_size
    usual = _kinds(MODEL_1)
    parts = [f"{filters} of {kernel} × {kernel}"]
    parts += [kind for kind in _kinds(architecture) if kind not in usual]
    parts += [f"{units} hidden" for units in architecture.hidden_units]
    parts += ["BN"] * architecture.batch_normalization
    parts += [f"dropout {architecture.dropout:g}"] * (architecture.dropout > 0)
    return ", ".join(parts)


def _kinds(architecture: Architecture) -> list[str]:
    """Titles of what its blocks, their pooling and the ending of its maps are, each once."""
    blocks = architecture.blocks
    kinds = [BLOCKS[block.kind].title for block in blocks]
    kinds += [POOLINGS[block.pooling_kind].title for block in blocks if block.pooling > 1]
    return list(dict.fromkeys([*kinds, ENDINGS[architecture.ending].title]))


def describe_differences(runs: list[Run]) -> dict[int, str]:
    """For each run's id, its model and the settings in which it differs from the other runs."""
    if not runs:
        return {}
    settings = [run.settings.to_dict() for run in runs]
    differing = [key for key in _SETTING_NAMES if len({values.get(key) for values in settings}) > 1]
    return {
        run.id: " · ".join(
            [run.name, *(_setting(key, values[key]) for key in differing if key in values)]
        )
        for run, values in zip(runs, settings, strict=True)
    }


def _setting(key: str, value: float | str) -> str:
    if isinstance(value, str):
        return value.upper() if key == "attack" else value
    return f"{_SETTING_NAMES[key]} {value:g}"
