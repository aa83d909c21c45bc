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
from core.studies.study import Study, chunks, joined

_CHUNK = 20  # images of one step of the job


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


@dataclass(eq=False)
class NoiseStudy:
    """E7 from `total` random starts for each of `classes`; grows while `work` goes on.

    ends: where they have ended, by class, replaced as a whole; nothing before the first step.
    """

    classes: tuple[int, ...]
    total: int
    ends: Mapping[int, Ends] = field(default_factory=dict, repr=False)

    @property
    def count(self) -> int:
        """How many starts every class has been measured from."""
        return min((len(each.read) for each in self.ends.values()), default=0)

    def work(
        self,
        classifier: Classifier,
        *,
        mean: float,
        stddev: float,
        objective: str,
        seed: int = 0,
        **settings: Any,
    ) -> Generator[float]:
        """Run it; yields the share done. settings: those of `optimize_images`.

        For core.jobs: each step is twenty starts toward one class.
        """
        seed = check_seed(seed)
        parts = list(chunks(self.total, _CHUNK))
        for done, part in enumerate(parts):
            ends = dict(self.ends)
            for number, label in enumerate(self.classes):
                if number:
                    yield (done + number / len(self.classes)) / len(parts)
                classes = np.full(part.stop - part.start, label)
                starts = noise_images(
                    classes, first=part.start, mean=mean, stddev=stddev, seed=seed,
                    shape=classifier.spec.shape,
                )  # fmt: skip
                images = optimize_images(
                    classifier, starts, objective_of(Targeted(classes), objective),
                    keep_every=settings["iterations"], **settings,
                ).result  # fmt: skip
                read = [classifier.predict(each) for each in (starts, images)]
                before = [ends[label]] if label in ends else []
                ends[label] = joined(*before, Ends(label, images, *read))
            self.ends = ends
            yield (done + 1) / len(parts)


@dataclass(frozen=True, eq=False)
class Moved:
    """The attack on n images, and the control: those images after noise of equal L2.

    noise_control float32 [n, h, w, c]; labels int64 [n]: the true classes; read int64 [3, n]:
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
        wrong: BoolArray = (self.read != self.labels)[:, self.read[0] == self.labels]
        return wrong


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
        **settings: Any,
    ) -> Generator[float]:
        """Attack images [total, h, w, c] of classes labels [total]; yields the share done.

        settings: those of `move_toward`. For core.jobs: each step is twenty images.
        """
        seed = check_seed(seed)
        true = labels.astype(np.int64)
        targets = random_targets(images, true, classes=len(classifier.spec.classes), seed=seed)
        attacked = np.zeros_like(images)
        for part in chunks(self.total, _CHUNK):
            attacked[part] = move_toward(
                classifier,
                images[part],
                Targeted(targets[part]),
                seed=seed,
                keep_every=settings["iterations"],
                **settings,
            ).result
            so_far = slice(part.stop)
            self._note(classifier, images[so_far], attacked[so_far].copy(), true, targets, seed)
            yield self.count / self.total

    def _note(
        self,
        classifier: Classifier,
        images: FloatArray,
        attacked: FloatArray,
        labels: IntArray,
        targets: IntArray,
        seed: int,
    ) -> None:
        count = len(images)
        goal = Targeted(targets[:count])
        result = result_of(classifier, "Toward a source", images, attacked, goal)
        noise_control = noise_of_norm(images, result.l2, seed=seed)
        read = np.stack([classifier.predict(each) for each in (images, attacked, noise_control)])
        self._found = Moved(result, noise_control, labels[:count], read)
