"""A detector against attacks that know nothing of it, and against one that has it in its loss."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, to_float
from core.attacks.catalog import attack
from core.attacks.goals import Untargeted
from core.attacks.noise_control import noise_of_norm
from core.catalog import Value
from core.checks import check_choice, check_range, check_whole
from core.data import spec
from core.data.dataset import Split
from core.defenses.detection import DETECTORS, Detector, evade
from core.network.classifier import Classifier
from core.statistics.paired import Paired, paired
from core.statistics.rate import Rate
from core.statistics.roc import Area, area
from core.studies.study import Study, chunks, joined

STATIC: Mapping[str, Mapping[str, Value]] = {
    "FGSM": {},
    "PGD": {},
    "DeepFool": {},
    "Carlini–Wagner": {"binary_search_steps": 3},
}
ADAPTIVE, NOISE = "Adaptive", "Noise as long as PGD’s"
MAX_IMAGES = 1_000
_CHUNK = 50


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

    def __post_init__(self) -> None:
        check_choice("The detector", self.detector, tuple(DETECTORS))
        check_whole("The number of images", self.images, 1, MAX_IMAGES)
        check_range("Epsilon", self.epsilon, 0, 1)

    @property
    def total(self) -> int:
        """How many images are scored in the end."""
        return self.images * (len(STATIC) + 2)

    def work(
        self, classifier: Classifier, test: Split, *, iterations: int = 60
    ) -> Generator[float]:
        """Score the first `images` of the test split after each attack; yields the share done.

        The next ones are the clean images, the last tenth those that a threshold is chosen on.
        The attacks that have a radius get `epsilon`, in L∞. iterations: of the adaptive attack.
        """
        detector, chosen_on = DETECTORS[self.detector], calibration(len(test))
        if 2 * self.images > chosen_on.start:
            raise ValueError(
                f"Of {len(test):,} test images {self.images:,} cannot be attacked and as many left "
                "clean beside those that the threshold is chosen on: take fewer."
            )
        originals = to_float(test.images[: self.images])
        labels = test.labels[: self.images].astype(np.int64)
        right = classifier.predict(originals) == labels
        done = Detected(
            calibration=detector.scores(classifier, to_float(test.images[chosen_on])),
            clean=detector.scores(classifier, to_float(test.images[self.images : 2 * self.images])),
            originals=originals,
            labels=labels,
        )
        looks_clean = float(np.median(done.calibration))
        for name in (*STATIC, NOISE, ADAPTIVE):
            parts: list[Scored] = []
            for rows in chunks(self.images, _CHUNK):
                some = originals[rows]
                if name == NOISE:
                    pgd = next(each for each in done.attacks if each.name == "PGD")
                    length = np.sqrt(((pgd.images[rows] - some) ** 2).sum(axis=(1, 2, 3)))
                    made = noise_of_norm(some, length)
                elif name == ADAPTIVE:
                    made = evade(
                        classifier, detector, some, labels[rows],
                        epsilon=self.epsilon, iterations=iterations, enough=looks_clean,
                    )  # fmt: skip
                else:
                    made = self._static(classifier, name, some, labels[rows])
                parts.append(_scored(classifier, detector, name, made, labels[rows], right[rows]))
                kept = tuple(each for each in done.attacks if each.name != name)
                done = self._found = replace(done, attacks=(*kept, joined(*parts)))
                yield self.count / self.total

    def _static(
        self, classifier: Classifier, name: str, images: FloatArray, labels: IntArray
    ) -> FloatArray:
        chosen, settings = attack(name), dict(STATIC[name])
        if chosen.bounded:
            settings["epsilon"] = self.epsilon
        return chosen(classifier, images, Untargeted(labels), settings).adversarial


def _scored(
    classifier: Classifier, detector: Detector, name: str, images: FloatArray, labels: IntArray,
    right: BoolArray,
) -> Scored:  # fmt: skip
    read = classifier.predict(images)
    fooled = np.ones(len(read), bool) if name == NOISE else right & (read != labels)
    return Scored(name, images, read, detector.scores(classifier, images), right, fooled)
