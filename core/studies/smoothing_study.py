"""Certificates of randomized smoothing over many images."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatArray, IntArray
from core.certification.smoothing import ABSTAIN, certify
from core.checks import check_seed, check_whole
from core.network.classifier import Classifier
from core.statistics.paired import Verdict, judge
from core.statistics.rate import Rate
from core.studies.study import Study, chunks

MAX_IMAGES = 1_000


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Certificates of n images: predicted int64 [n] (a class or ABSTAIN), radius float64 [n].

    labels int64 [n]: the true classes. base int64 [n]: what the base network says without noise.
    """

    labels: IntArray
    base: IntArray
    predicted: IntArray
    radius: NDArray[np.float64]

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.labels)

    def certified(self, radius: float) -> Rate:
        """How many are certified as their true class at an L2 of `radius` or more."""
        return Rate.of((self.predicted == self.labels) & (self.radius >= radius))

    @property
    def abstained(self) -> Rate:
        """How many have no certificate at all."""
        return Rate.of(self.predicted == ABSTAIN)

    @property
    def clean(self) -> Rate:
        """How many the base network reads right without noise."""
        return Rate.of(self.base == self.labels)

    @property
    def beside_base(self) -> Verdict:
        """What is certified right at all beside what the base network reads right."""
        return judge(self.predicted == self.labels, self.base == self.labels)


@dataclass(eq=False)
class SmoothingStudy(Study[Smoothed]):
    """Certificates of the first images of a set; grows while `work` goes on."""

    total: int

    def __post_init__(self) -> None:
        check_whole("The number of images", self.total, 1, MAX_IMAGES)

    def work(
        self,
        classifier: Classifier,
        images: FloatArray,
        labels: IntArray,
        *,
        sigma: float,
        copies: int,
        seed: int = 0,
    ) -> Generator[float]:
        """Certify images [total, h, w, c] of classes int [total]; yields the share done."""
        seed = check_seed(seed)
        base = classifier.predict(images)
        for row in chunks(self.total, 1):
            found = certify(classifier, images[row], sigma=sigma, copies=copies, seed=seed)
            predicted, radius = np.array([found.predicted]), np.array([found.radius])
            self._add(Smoothed(labels[row], base[row], predicted, radius))
            yield self.count / self.total
