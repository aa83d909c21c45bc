"""A detector against attacks that know nothing of it, and against one that has it in its loss."""

import itertools
from collections.abc import Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.arrays import BoolArray, ByteArray, FloatArray, IntArray, to_float
from core.attacks.catalog import attack
from core.attacks.goals import Untargeted
from core.attacks.noise_control import noise_of_norm
from core.catalog import Value
from core.checks import check_choice, check_range, check_whole
from core.data import spec
from core.data.dataset import Split
from core.defenses.detection import DETECTORS, evade
from core.network.classifier import Classifier
from core.statistics.paired import Paired, paired
from core.statistics.rate import Rate
from core.statistics.roc import Area, area
from core.studies.study import Study, chunks, joined
from core.work.chunks import HERE, AnyWorkers, Chunk, work_on

STATIC: Mapping[str, Mapping[str, Value]] = {
    "FGSM": {},
    "PGD": {},
    "DeepFool": {},
    "Carlini–Wagner": {"binary_search_steps": 3},
}
ADAPTIVE, NOISE = "Adaptive", "Noise as long as PGD’s"
MAX_IMAGES = 1_000
_CHUNK, _CLEAN = 50, 250  # images to attack, and to score as they are
_SCORING = 0.02  # of the work


def calibration(count: int) -> slice:
    """Of `count` test images the clean ones that a threshold is chosen on: the last tenth."""
    count = check_whole("The number of test images", count, 10, spec.MAX_IMAGES)
    return slice(count - count // 10, count)


@dataclass(frozen=True, eq=False)
class Scored:
    """An attack's images and their scores.

    images float32 [n, h, w, c]; read int64 [n]: what they are read as; scores float32 [n];
    right bool [n]: their originals are read rightly; fooled bool [n]: these, misread now. Of noise,
    `fooled` is all of them: it is there to see whether the detector takes what is merely noisy for
    an attack. n grows while the attack goes on, and stays where it was stopped.
    """

    name: str
    images: FloatArray
    read: IntArray
    scores: FloatArray
    right: BoolArray
    fooled: BoolArray

    def detected(self, threshold: float) -> Rate:
        """Of those that fool the network, the ones that score above the threshold."""
        return Rate.of(self.scores[self.fooled] > threshold)

    def missed(self, threshold: float) -> IntArray:
        """The rows that fool the network and are not detected: int64 [m]."""
        rows: IntArray = np.flatnonzero(self.fooled & (self.scores <= threshold))
        return rows

    def through(self, threshold: float) -> Rate:
        """Of the originals so far that are read rightly, those that get past network and detector.

        Of noise: those that it leaves unnoticed, whatever they are read as then.
        """
        return Rate.of(self._past(threshold))

    def beside(self, other: "Scored", threshold: float) -> Paired:
        """Which of the originals read rightly get past network and detector by this and by another.

        Of those that both attacks have come to.
        """
        count = min(len(self.right), len(other.right))
        right = self.right[:count]
        first, second = (
            (each.fooled & (each.scores <= threshold))[:count][right] for each in (self, other)
        )
        return paired(first, second)

    def _past(self, threshold: float) -> BoolArray:
        return (self.fooled & (self.scores <= threshold))[self.right]


@dataclass(frozen=True, eq=False)
class Detected:
    """Scores of clean images, and of those that attacks made of others.

    calibration float32 [c]: of clean images for the choice of a threshold. clean float32 [n]: of
    clean images that neither the choice nor an attack has seen. originals, labels: what the
    attacks began with.
    """

    calibration: FloatArray
    clean: FloatArray
    originals: FloatArray
    labels: IntArray
    attacks: tuple[Scored, ...] = ()

    def __len__(self) -> int:
        """How many attacked or noisy images are scored."""
        return sum(len(each.scores) for each in self.attacks)

    def threshold(self, rate: float) -> float:
        """The lowest threshold that at most a share `rate` of the calibration images exceeds."""
        ordered = np.sort(self.calibration)
        return float(ordered[max(0, int(np.ceil(len(ordered) * (1 - rate))) - 1)])

    def false_positives(self, threshold: float) -> Rate:
        """Of the clean images, those that score above the threshold."""
        return Rate.of(self.clean > threshold)

    def area(self, of: Scored) -> Area:
        """Under the ROC curve of an attack's images that fool the network against clean ones."""
        return area(self.clean, of.scores[of.fooled])


@dataclass(eq=False)
class DetectionStudy(Study[Detected]):
    """A detector against every attack over the same `images` originals; grows with `work`."""

    images: int
    detector: str
    epsilon: float
    _done: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice("The detector", self.detector, tuple(DETECTORS))
        check_whole("The number of images", self.images, 1, MAX_IMAGES)
        check_range("Epsilon", self.epsilon, 0, 1)

    @property
    def total(self) -> int:
        """How many images are scored in the end."""
        return self.images * (len(STATIC) + 2)

    def work(
        self,
        classifier: Classifier,
        test: Split,
        *,
        iterations: int = 60,
        workers: AnyWorkers = HERE,
    ) -> Generator[float]:
        """Score the first `images` of the test split after each attack; yields the share done.

        The next ones are the clean images, the last tenth those that a threshold is chosen on.
        The attacks that have a radius get `epsilon`, in L∞. iterations: of the adaptive attack,
        which begins when all clean images are scored: it aims at the median of their scores.
        """
        chosen_on = calibration(len(test))
        if 2 * self.images > chosen_on.start:
            raise ValueError(
                f"Of {len(test):,} test images {self.images:,} cannot be attacked and as many left "
                "clean beside those that the threshold is chosen on: take fewer."
            )
        self._originals = to_float(test.images[: self.images])
        self._labels = test.labels[: self.images].astype(np.int64)
        clean = {
            "calibration": test.images[chosen_on],
            "clean": test.images[self.images : 2 * self.images],
        }
        for share in work_on(self._scoring(classifier, clean), self, workers):
            yield _SCORING * share
        for share in work_on(self._attacking(classifier, iterations), self, workers):
            yield _SCORING + (1 - _SCORING) * share

    def _scoring(self, classifier: Classifier, clean: Mapping[str, ByteArray]) -> Iterator[Chunk]:
        for name, images in clean.items():
            for number, rows in enumerate(chunks(len(images), _CLEAN)):
                given = classifier, self.detector, images[rows]
                yield Chunk((name, number), scores_of, given)

    def _attacking(self, classifier: Classifier, iterations: int) -> Iterator[Chunk]:
        enough = float(np.median(self._scores("calibration")))
        aim = {"iterations": iterations, "enough": enough}
        how = classifier, self.detector, self.epsilon, aim
        for name in (*STATIC, ADAPTIVE):
            for number, rows in enumerate(chunks(self.images, _CHUNK)):
                some = self._originals[rows], self._labels[rows]
                yield Chunk((name, number), scored, (name, *how, *some))

    def has(self, key: Hashable) -> bool:
        """Whether a chunk is done: clean images or an attack by name, and a number."""
        return key in self._done

    def take(self, key: Hashable, result: Any) -> None:
        """Take in scores of clean images, or of attacked ones and the noise beside them."""
        self._done[key] = result
        attacks = tuple(
            joined(*parts) for name in (*STATIC, NOISE, ADAPTIVE) if (parts := self._attacked(name))
        )
        if attacks:
            self._found = Detected(
                calibration=self._scores("calibration"),
                clean=self._scores("clean"),
                originals=self._originals,
                labels=self._labels,
                attacks=attacks,
            )

    def _row(self, name: str) -> list[Any]:
        """The results of that name, up to the first that is not there."""
        numbers = itertools.takewhile(lambda n: (name, n) in self._done, itertools.count())
        return [self._done[name, number] for number in numbers]

    def _scores(self, name: str) -> FloatArray:
        return np.concatenate(self._row(name))

    def _attacked(self, name: str) -> list[Scored]:
        if name == NOISE:
            return [noise for _, noise in self._row("PGD")]
        return [attacked for attacked, _ in self._row(name)]


def scores_of(classifier: Classifier, detector: str, images: ByteArray) -> FloatArray:
    """What a detector says of images uint8 [n, h, w(, c)]: float32 [n]."""
    return DETECTORS[detector].scores(classifier, to_float(images))


def scored(
    name: str,
    classifier: Classifier,
    detector: str,
    epsilon: float,
    aim: Mapping[str, Any],
    originals: FloatArray,
    labels: IntArray,
) -> tuple[Scored, Scored | None]:
    """What an attack makes of originals float32 [n, h, w, c]; beside PGD, noise as long as its.

    Arguments as of `DetectionStudy`; aim: iterations of the adaptive attack, and the score that is
    enough for it.
    """
    found = DETECTORS[detector]
    right = classifier.predict(originals) == labels

    def scored_as(name: str, images: FloatArray) -> Scored:
        read = classifier.predict(images)
        fooled = np.ones(len(read), bool) if name == NOISE else right & (read != labels)
        return Scored(name, images, read, found.scores(classifier, images), right, fooled)

    if name == ADAPTIVE:
        made = evade(classifier, found, originals, labels, epsilon=epsilon, **aim)
        return scored_as(name, made), None
    chosen, settings = attack(name), dict(STATIC[name])
    if chosen.bounded:
        settings["epsilon"] = epsilon
    made = chosen(classifier, originals, Untargeted(labels), settings).adversarial
    if name != "PGD":
        return scored_as(name, made), None
    length = np.sqrt(((made - originals) ** 2).sum(axis=(1, 2, 3)))
    return scored_as(name, made), scored_as(NOISE, noise_of_norm(originals, length))
