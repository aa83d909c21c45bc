"""Was that luck? The report's attacks again, from many starts and on many images."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.arrays import BoolArray, ByteArray, FloatArray, IntArray
from core.attacks.generated import move_toward, noise_images, objective_of
from core.attacks.goals import Targeted, random_targets
from core.attacks.noise_control import noise_of_norm
from core.attacks.result import AttackResult, result_of
from core.checks import check_seed
from core.network.classifier import Classifier
from core.optimization.engine import optimize_images
from core.statistics.paired import Paired, paired
from core.statistics.rate import Rate
from core.studies.study import Study, chunks, in_chunks, joined
from core.work.chunks import HERE, AnyWorkers, Chunk, work_on

_CHUNK = 20  # images


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the starts of one class have ended: images float32 [n, h, w, c].

    starts, read int64 [n]: what they are read as before anything is done to them, and in the end.
    """

    label: int
    images: FloatArray
    starts: IntArray
    read: IntArray

    @property
    def arrived(self) -> Rate:
        """How many are read as the class."""
        return Rate.of(self.read == self.label)

    @property
    def read_before(self) -> Rate:
        """The control: how many starts are read as the class as they are."""
        return Rate.of(self.starts == self.label)

    @property
    def beside_start(self) -> Paired:
        """Which starts are read as the class when they have ended, and which as they are."""
        return paired(self.read == self.label, self.starts == self.label)


@dataclass(frozen=True, eq=False)
class Starts:
    """Starts of the same numbers for every class: where they have ended, by class."""

    ends: Mapping[int, Ends]

    def __len__(self) -> int:
        """How many starts each class has."""
        return len(next(iter(self.ends.values())).read)


@dataclass(eq=False)
class NoiseStudy(Study[Starts]):
    """E7 from `total` random starts for each of `classes`; grows while `work` goes on."""

    classes: tuple[int, ...]
    total: int
    _rounds: dict[int, dict[int, Ends]] = field(default_factory=dict, init=False, repr=False)

    @property
    def ends(self) -> Mapping[int, Ends]:
        """Where they have ended, by class; nothing before all classes have some."""
        return self.found.ends if self.count else {}

    def work(
        self,
        classifier: Classifier,
        *,
        mean: float,
        stddev: float,
        objective: str,
        seed: int = 0,
        workers: AnyWorkers = HERE,
        **settings: Any,
    ) -> Generator[float]:
        """Run it; yields the share done. settings: those of `optimize_images`."""
        start = {"mean": mean, "stddev": stddev, "seed": check_seed(seed)}
        how = classifier, objective, start, settings
        parts = (
            Chunk((number, label), ends_of, (*how, label, rows.start, rows.stop))
            for number, rows in enumerate(chunks(self.total, _CHUNK))
            for label in self.classes
        )
        yield from work_on(parts, self, workers)

    def has(self, key: Any) -> bool:
        """Whether the starts of that number are done for that class."""
        number, label = key
        return super().has(number) or label in self._rounds.get(number, {})

    def take(self, key: Any, result: Any) -> None:
        """Take in the ends of one class; a round of all classes is shown as a whole."""
        number, label = key
        ends = self._rounds.setdefault(number, {})
        ends[label] = result
        if len(ends) == len(self.classes):
            super().take(number, Starts({each: ends[each] for each in self.classes}))
            del self._rounds[number]

    def _with(self, part: Starts) -> Starts:
        """As of every study."""
        before = self.ends
        return Starts(
            {
                label: joined(before[label], ends) if before else ends
                for label, ends in part.ends.items()
            }
        )


def ends_of(
    classifier: Classifier,
    objective: str,
    start: Mapping[str, Any],
    settings: Mapping[str, Any],
    label: int,
    first: int,
    end: int,
) -> Ends:
    """Where the starts of numbers `first` to `end` − 1 of a class end.

    start: mean, stddev and seed of `noise_images`; settings: those of `optimize_images`.
    """
    classes = np.full(end - first, label)
    starts = noise_images(classes, first=first, shape=classifier.spec.shape, **start)
    images = optimize_images(
        classifier, starts, objective_of(Targeted(classes), objective),
        keep_every=settings["iterations"], **settings,
    ).result  # fmt: skip
    return Ends(label, images, classifier.predict(starts), classifier.predict(images))


@dataclass(frozen=True, eq=False)
class Moved:
    """The attack on n images, and the control: those images after noise of equal L2.

    noise_control float32 [n, h, w, c]; labels int64 [n]: the true classes; read int64 [n, 3]:
    what the originals, the attacked and the noisy are read as.
    """

    result: AttackResult
    noise_control: FloatArray
    labels: IntArray
    read: IntArray

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.labels)

    @property
    def misread(self) -> Rate:
        """Of the images read right, how many are read wrong after the attack."""
        return Rate.of(self._wrong[1])

    @property
    def misread_noise_control(self) -> Rate:
        """Of the images read right, how many are read wrong after noise of equal L2."""
        return Rate.of(self._wrong[2])

    @property
    def beside_noise(self) -> Paired:
        """Which of the images read right are read wrong after the attack, and after the noise."""
        _, attacked, noisy = self._wrong
        return paired(attacked, noisy)

    @property
    def _wrong(self) -> BoolArray:
        """Of the images read right, which are read wrong then: bool [3, m]."""
        wrong: BoolArray = (self.read != self.labels[:, None])[self.read[:, 0] == self.labels]
        return wrong.T


@dataclass(eq=False)
class SourceStudy(Study[Moved]):
    """E8 on many images, one random target each; grows while `work` goes on."""

    total: int

    def work(
        self,
        classifier: Classifier,
        images: FloatArray,
        labels: ByteArray,
        *,
        seed: int = 0,
        workers: AnyWorkers = HERE,
        **settings: Any,
    ) -> Generator[float]:
        """Attack images [total, h, w, c] of classes labels [total]; yields the share done.

        settings: those of `move_toward`.
        """
        seed = check_seed(seed)
        true = labels.astype(np.int64)
        targets = random_targets(images, true, classes=len(classifier.spec.classes), seed=seed)
        parts = in_chunks(
            self.total,
            _CHUNK,
            moved,
            lambda rows: (classifier, images[rows], true[rows], targets[rows], seed, settings),
        )
        yield from work_on(parts, self, workers)


def moved(
    classifier: Classifier,
    images: FloatArray,
    labels: IntArray,
    targets: IntArray,
    seed: int,
    settings: Mapping[str, Any],
) -> Moved:
    """Images float32 [n, h, w, c] on their way to the classes `targets`, and their noise."""
    goal = Targeted(targets)
    attacked = move_toward(
        classifier, images, goal, seed=seed, keep_every=settings["iterations"], **settings
    ).result
    result = result_of(classifier, "Toward a source", images, attacked, goal)
    noise_control = noise_of_norm(images, result.l2, seed=seed)
    read = np.stack(
        [classifier.predict(each) for each in (images, attacked, noise_control)], axis=1
    )
    return Moved(result, noise_control, labels, read)
