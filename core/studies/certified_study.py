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
from core.studies.study import Study, chunks

MAX_IMAGES = 1_000
_CHUNK = 50  # images between two looks at whether the job shall stop


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
    ) -> Generator[float]:
        """Prove and attack images [total, h, w, c] of classes int [total]; yields the share done.

        The attack is `adaptive` in L∞ with so many iterations. It tries what is proven, too.
        Raises ValueError on a network with a layer that has no interval rule.
        """
        seed = check_seed(seed)
        certified(classifier, images[:1], labels[:1], 0.0)  # before an attack is tried in vain
        steps, done = len(self.epsilons) * -(-self.total // _CHUNK), 0
        for rows in chunks(self.total, _CHUNK):
            some, classes = images[rows], labels[rows]
            clean = classifier.predict(some) == classes
            left, proven, standing = clean.copy(), [], []
            for epsilon in self.epsilons:
                proven.append(certified(classifier, some, classes, epsilon))
                tried = np.flatnonzero(left)
                if len(tried) and epsilon:
                    goal = Untargeted(classes[tried])
                    result = adaptive(
                        classifier, some[tried], goal,
                        epsilon=epsilon, norm="linf", iterations=iterations, seed=seed,
                    )  # fmt: skip
                    left[tried] = ~result.succeeded
                standing.append(left.copy())
                done += 1
                if epsilon != self.epsilons[-1]:
                    yield done / steps
            part = Proof(tuple(self.epsilons), clean, np.stack(proven), np.stack(standing))
            self._add(part, axis=-1)
            yield done / steps
