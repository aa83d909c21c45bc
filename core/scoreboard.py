"""One attack over many test images: rates, distances, and what became of which class."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

import numpy as np

from core.attacks.catalog import Attack, Value
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.result import AttackResult
from core.checks import check_choice, check_range
from core.classifier import Classifier
from core.data import CLASSES, BoolArray, FloatArray, IntArray
from core.rate import Rate

GOALS = ("any other", "random target")
MAX_IMAGES = 1_000
_CHUNK = 25  # images between two looks at whether the job shall stop


@dataclass(frozen=True, eq=False)
class Attacked:
    """What has been attacked so far, arrays with one row for each image.

    labels, before, after int64 [n]: true class, and answers to original and adversarial. wanted
    int64 [n]: the target, −1 without one. l0, l2, linf, confidence float32 [n]: the change, and
    the probability of the answer to the adversarial image.
    """

    originals: FloatArray
    adversarial: FloatArray
    labels: IntArray
    wanted: IntArray
    before: IntArray
    after: IntArray
    succeeded: BoolArray
    l0: FloatArray
    l2: FloatArray
    linf: FloatArray
    confidence: FloatArray

    @property
    def counted(self) -> BoolArray:
        """Images that count: read rightly before, and not at their target already."""
        counted: BoolArray = (self.before == self.labels) & (self.before != self.wanted)
        return counted

    def rows(self, source: int, column: int) -> IntArray:
        """The images of a cell of the matrix, failures included: int64 [m]."""
        into = np.where(self.wanted < 0, self.after, self.wanted)
        rows: IntArray = np.flatnonzero(self.counted & (self.labels == source) & (into == column))
        return rows


@dataclass(eq=False)
class Scoreboard:
    """An attack with its settings over `total` test images; grows while `work` goes on.

    goal: "any other" class, or for each image one "random target" that is not its class.
    """

    attack: Attack
    settings: Mapping[str, Value]
    goal: str
    total: int
    parts: tuple[Attacked, ...] = ()
    seconds: float = 0.0
    _joined: dict[int, Attacked] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_choice("The goal", self.goal, GOALS)
        check_range("The number of images", self.total, 1, MAX_IMAGES)

    @property
    def count(self) -> int:
        """How many images have been attacked."""
        return sum(len(part.labels) for part in self.parts)

    @property
    def attacked(self) -> Attacked:
        """All that has been attacked so far; there is something if `count` > 0."""
        parts = self.parts
        if len(parts) not in self._joined:
            names = Attacked.__dataclass_fields__
            joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
            self._joined = {len(parts): Attacked(**joined)}
        return self._joined[len(parts)]

    @property
    def success(self) -> Rate:
        """Of the images that count, those that the attack has brought to the goal."""
        counted = self.attacked.counted
        return Rate(int((self.attacked.succeeded & counted).sum()), int(counted.sum()))

    @property
    def standing(self) -> Rate:
        """Of all images, those still read as their class: accuracy under this attack."""
        right = self.attacked.after == self.attacked.labels
        return Rate(int(right.sum()), len(right))

    def median(self, of: str) -> float:
        """The median of "l0", "l2", "linf" or "confidence" over the successes; NaN without one."""
        check_choice("The quantity", of, ("l0", "l2", "linf", "confidence"))
        chosen = getattr(self.attacked, of)[self.attacked.succeeded & self.attacked.counted]
        return float(np.median(chosen)) if len(chosen) else float("nan")

    @property
    def matrix(self) -> list[list[Rate]]:
        """10 × 10 by true class: how many were read as a class in the end, of those attacked.

        With targets: how many reached the target of the column, of those that had it.
        """
        a = self.attacked
        targeted = self.goal == GOALS[1]
        of = a.counted[:, None] & (a.labels[:, None] == np.arange(CLASSES))  # [n, 10]
        columns = (a.wanted if targeted else a.after)[:, None] == np.arange(CLASSES)
        hits = (of & a.succeeded[:, None]) if targeted else of
        counts = hits.T.astype(int) @ columns.astype(int)
        totals = of.T.astype(int) @ columns.astype(int) if targeted else of.sum(axis=0)[:, None]
        totals = np.broadcast_to(totals, counts.shape)
        return [
            [Rate(int(counts[i, j]), int(totals[i, j])) for j in range(CLASSES)]
            for i in range(CLASSES)
        ]

    def work(
        self, classifier: Classifier, images: FloatArray, labels: IntArray, *, seed: int = 0
    ) -> Generator[float]:
        """Attack images [total, 28, 28, 1] of classes int [total]; yields the share done."""
        goal = self._goal(labels, seed)
        for start in range(0, self.total, _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, self.total))
            begun = time.perf_counter()
            result = self.attack(classifier, images[rows], goal.take(rows), self.settings)
            self.seconds += time.perf_counter() - begun
            self.parts = (*self.parts, _attacked(classifier, result, labels[rows]))
            yield self.count / self.total

    def _goal(self, labels: IntArray, seed: int) -> Goal:
        if self.goal == GOALS[0]:
            return Untargeted(labels)
        steps = np.random.default_rng(seed).integers(1, CLASSES, len(labels))
        return Targeted((labels + steps) % CLASSES)


def _attacked(classifier: Classifier, result: AttackResult, labels: IntArray) -> Attacked:
    probabilities = classifier.probabilities(result.adversarial)
    targeted = isinstance(result.goal, Targeted)
    return Attacked(
        originals=result.originals,
        adversarial=result.adversarial,
        labels=labels,
        wanted=result.goal.classes if targeted else np.full(len(labels), -1),
        before=classifier.predict(result.originals),
        after=probabilities.argmax(axis=1),
        succeeded=result.succeeded,
        l0=result.l0.astype(np.float32),
        l2=result.l2,
        linf=result.linf,
        confidence=probabilities.max(axis=1),
    )
