"""One attack over many test images: rates, distances, and what became of which class."""

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.catalog import Attack
from core.attacks.goals import Goal, Targeted, Untargeted, random_targets
from core.attacks.loss_surface import without_gradient
from core.attacks.noise_control import noise_of_norm
from core.catalog import Value
from core.checks import check_choice, check_seed, check_whole
from core.data.spec import MNIST
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.study import Study, in_chunks
from core.work.chunks import HERE, AnyWorkers, work_on

GOALS = ("any other", "random target")
MAX_IMAGES = 1_000
_CHUNK = 25  # images


@dataclass(frozen=True, eq=False)
class Attacked:
    """What has been attacked so far, arrays with one row for each image.

    labels, before, after int64 [n]: true class, and answers to original and adversarial. wanted
    int64 [n]: the target, −1 without one. l0, l2, linf, confidence float32 [n]: the change, and
    the probability of the answer to the adversarial image. flat bool [n]: the attack follows a
    gradient, and there is none, as of `without_gradient`. seconds float64 [n]: how long the attack
    took, an image's share of the time of those that it was attacked with.
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
    flat: BoolArray
    seconds: NDArray[np.float64]

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.labels)

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
class Scoreboard(Study[Attacked]):
    """An attack with its settings over `total` test images; grows while `work` goes on.

    goal: "any other" class, or for each image one "random target" that is not its class. classes:
    how many there are, as `work` finds them.
    """

    attack: Attack
    settings: Mapping[str, Value]
    goal: str
    total: int
    classes: int = field(default=len(MNIST.classes), init=False)
    _images: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice("The goal", self.goal, GOALS)
        check_whole("The number of images", self.total, 1, MAX_IMAGES)
        self.settings = self.attack.settled(self.settings)

    @property
    def seconds(self) -> float:
        """How long the attack took on the images that are done."""
        return float(self.found.seconds.sum())

    @property
    def success(self) -> Rate:
        """Of the images that count, those that the attack has brought to the goal."""
        return Rate.of(self.found.succeeded[self.found.counted])

    @property
    def flat(self) -> Rate:
        """Of all images, those on which the attack has no gradient to follow."""
        return Rate.of(self.found.flat)

    @property
    def standing(self) -> Rate:
        """Of all images, those still read as their class: accuracy under this attack."""
        return Rate.of(self.found.after == self.found.labels)

    def median(self, of: str) -> float:
        """The median of "l0", "l2", "linf" or "confidence" over the successes; NaN without one."""
        check_choice("The quantity", of, ("l0", "l2", "linf", "confidence"))
        chosen = getattr(self.found, of)[self.found.succeeded & self.found.counted]
        return float(np.median(chosen)) if len(chosen) else float("nan")

    @property
    def matrix(self) -> list[list[Rate]]:
        """By true class and class: how many were read as that in the end, of those attacked.

        With targets: how many reached the target of the column, of those that had it.
        """
        a = self.found
        targeted = self.goal == GOALS[1]
        each = np.arange(self.classes)
        of = a.counted[:, None] & (a.labels[:, None] == each)  # [n, classes]
        columns = (a.wanted if targeted else a.after)[:, None] == each
        hits = (of & a.succeeded[:, None]) if targeted else of
        counts = hits.T.astype(int) @ columns.astype(int)
        totals = of.T.astype(int) @ columns.astype(int) if targeted else of.sum(axis=0)[:, None]
        totals = np.broadcast_to(totals, counts.shape)
        return [[Rate(int(counts[i, j]), int(totals[i, j])) for j in each] for i in each]

    def work(
        self,
        classifier: Classifier,
        images: FloatArray,
        labels: IntArray,
        *,
        seed: int = 0,
        workers: AnyWorkers = HERE,
    ) -> Generator[float]:
        """Attack images [total, …] of classes int [total]; yields the share done."""
        seed = check_seed(seed)
        self.classes, self._images = len(classifier.spec.classes), images
        goal, how = self._goal(images, labels, seed), (classifier, self.attack, self.settings)
        parts = in_chunks(
            self.total,
            _CHUNK,
            attacked,
            lambda rows: (*how, images[rows], labels[rows], _some(goal, rows)),
        )
        yield from work_on(parts, self, workers)

    def _with(self, part: Attacked) -> Attacked:
        """The originals are a view of what was given, so that runs over the same share them."""
        found = super()._with(part)
        return replace(found, originals=self._images[: len(found)])

    def _goal(self, images: FloatArray, labels: IntArray, seed: int) -> Goal:
        if self.goal == GOALS[0]:
            return Untargeted(labels)
        return Targeted(random_targets(images, labels, classes=self.classes, seed=seed))


def noise_control(attacked: Attacked, classifier: Classifier) -> BoolArray:
    """Of the m images that count, those whose answer noise of the same L2 changes: bool [m].

    The noise of an image is as long as the attack's change of it, and stays in the box.
    """
    rows = np.flatnonzero(attacked.counted)
    if not len(rows):
        return np.zeros(0, bool)
    noisy = noise_of_norm(attacked.originals[rows], attacked.l2[rows])
    changed: BoolArray = classifier.predict(noisy) != attacked.before[rows]
    return changed


def attacked(
    classifier: Classifier,
    attack: Attack,
    settings: Mapping[str, Value],
    images: FloatArray,
    labels: IntArray,
    goal: Goal,
) -> Attacked:
    """What an attack makes of images float32 [n, h, w, c] of classes int [n].

    The first image is attacked once more, before the clock: that builds the attack's graph.
    """
    one = images[:1], goal.take(np.arange(1))
    name = "attacked", attack.name, *sorted(settings.items())
    classifier.compiled(name, lambda _: bool(attack(classifier, *one, settings)))
    begun = time.perf_counter()
    result = attack(classifier, images, goal, settings)
    seconds = time.perf_counter() - begun
    flat = np.zeros(len(images), bool)
    if attack.follows_a_gradient:
        flat = without_gradient([classifier], images, result.goal.classes)
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
        flat=flat,
        seconds=np.full(len(labels), seconds / len(labels)),
    )


def _some(goal: Goal, rows: slice) -> Goal:
    return goal.take(np.arange(rows.start, rows.stop))
