"""Accuracy against ε from three sides: proven, left by an attack, and without any change."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.attacks.goals import Untargeted
from core.certification.interval_bounds import certified
from core.checks import check_range, check_seed, check_whole
from core.defenses.adaptive import adaptive
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.study import Study, in_chunks
from core.work.chunks import HERE, AnyWorkers, work_on

MAX_IMAGES = 1_000
_CHUNK = 25  # images


@dataclass(frozen=True, eq=False)
class Proof:
    """Of n images at k values of ε: bool [k, n] whether one is proven, and whether it stands.

    An image stands at an ε if it is read right and no attack with that ε or a smaller one has
    succeeded. clean bool [n]: whether it is read right as it is.
    """

    epsilons: tuple[float, ...]
    clean: BoolArray
    proven: BoolArray
    standing: BoolArray

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.clean)

    @property
    def accuracy(self) -> Rate:
        """Without any change."""
        return Rate.of(self.clean)

    @property
    def certified(self) -> list[Rate]:
        """For each ε the share that is proven: the truth is not below."""
        return [Rate.of(row) for row in self.proven]

    @property
    def attacked(self) -> list[Rate]:
        """For each ε the share that stands: the truth is not above."""
        return [Rate.of(row) for row in self.standing]

    @property
    def contradictions(self) -> int:
        """How often an image that is proven fell to the attack; above 0, one of both is wrong."""
        return int((self.proven & ~self.standing).sum())


@dataclass(eq=False)
class CertifiedStudy(Study[Proof]):
    """Proof and attack over the first images of a set; grows while `work` goes on.

    epsilons: from 0 to 1, rising. Raises ValueError on others.
    """

    total: int
    epsilons: Sequence[float]
    _axis = -1

    def __post_init__(self) -> None:
        check_whole("The number of images", self.total, 1, MAX_IMAGES)
        for before, epsilon in zip((0.0, *self.epsilons), self.epsilons, strict=False):
            check_range("Epsilon", epsilon, before, 1)

    def work(
        self,
        classifier: Classifier,
        images: FloatArray,
        labels: IntArray,
        *,
        iterations: int = 40,
        seed: int = 0,
        workers: AnyWorkers = HERE,
    ) -> Generator[float]:
        """Prove and attack images [total, h, w, c] of classes int [total]; yields the share done.

        The attack is `adaptive` in L∞ with so many iterations. It tries what is proven, too.
        Raises ValueError on a network with a layer that has no interval rule.
        """
        seed = check_seed(seed)
        certified(classifier, images[:1], labels[:1], 0.0)  # before an attack is tried in vain
        how = classifier, tuple(self.epsilons), iterations, seed
        parts = in_chunks(
            self.total, _CHUNK, proof, lambda rows: (*how, images[rows], labels[rows])
        )
        yield from work_on(parts, self, workers)


def proof(
    classifier: Classifier,
    epsilons: tuple[float, ...],
    iterations: int,
    seed: int,
    images: FloatArray,
    labels: IntArray,
) -> Proof:
    """Of images float32 [n, h, w, c] of classes int [n]: what is proven, and what is left."""
    clean = classifier.predict(images) == labels
    left, proven, standing = clean.copy(), [], []
    for epsilon in epsilons:
        proven.append(certified(classifier, images, labels, epsilon))
        tried = np.flatnonzero(left)
        if len(tried) and epsilon:
            result = adaptive(
                classifier, images[tried], Untargeted(labels[tried]),
                epsilon=epsilon, norm="linf", iterations=iterations, seed=seed,
            )  # fmt: skip
            left[tried] = ~result.succeeded
        standing.append(left.copy())
    return Proof(epsilons, clean, np.stack(proven), np.stack(standing))
