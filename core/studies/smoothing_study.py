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
from core.studies.study import Study, in_chunks
from core.work.chunks import HERE, AnyWorkers, work_on

MAX_IMAGES = 1_000
_CHUNK = 4  # images: each takes its votes one after the other


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
        workers: AnyWorkers = HERE,
    ) -> Generator[float]:
        """Certify images [total, h, w, c] of classes int [total]; yields the share done."""
        seed = check_seed(seed)
        how = classifier, sigma, copies, seed
        parts = in_chunks(
            self.total, _CHUNK, smoothed, lambda rows: (*how, images[rows], labels[rows])
        )
        yield from work_on(parts, self, workers)


def smoothed(
    classifier: Classifier,
    sigma: float,
    copies: int,
    seed: int,
    images: FloatArray,
    labels: IntArray,
) -> Smoothed:
    """Certificates of images float32 [n, h, w, c] of classes int [n]."""
    found = [
        certify(classifier, images[row : row + 1], sigma=sigma, copies=copies, seed=seed)
        for row in range(len(images))
    ]
    return Smoothed(
        labels=labels,
        base=classifier.predict(images),
        predicted=np.array([each.predicted for each in found]),
        radius=np.array([each.radius for each in found]),
    )
