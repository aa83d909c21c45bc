"""The smallest changes of many images: a study that grows."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import BoolArray, ByteArray, FloatArray, IntArray
from core.attacks.goals import Goal, Targeted, Untargeted
from core.attacks.loss_surface import without_gradient
from core.attacks.noise_control import noise_of_norm
from core.attacks.smallest import DoubleArray, Smallest, smallest
from core.checks import check_seed
from core.network.classifier import Classifier
from core.statistics.rate import Rate
from core.studies.study import Study, in_chunks
from core.work.chunks import HERE, AnyWorkers, work_on

_CHUNK = 25  # images


@dataclass(frozen=True, eq=False)
class Measured:
    """The smallest changes of n images, and what they do.

    labels int64 [n]: the true classes. before, after, noisy int64 [n]: what is read before, after,
    and after noise of the same L2. flat bool [n]: there is no gradient to follow, as of
    `without_gradient`.
    """

    result: Smallest
    labels: IntArray
    before: IntArray
    after: IntArray
    noisy: IntArray
    flat: BoolArray

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.labels)

    @property
    def radius(self) -> DoubleArray:
        """The smallest radii of the images that were not at the goal before: float64 [m]."""
        radius: DoubleArray = self.result.radius[self.result.radius > 0]
        return radius

    @property
    def noise_control(self) -> Rate:
        """Of the images with a change, those of which noise of its L2 changes the answer."""
        return Rate.of((self.noisy != self.before)[self.result.found])


@dataclass(eq=False)
class SmallestStudy(Study[Measured]):
    """The smallest change of the first images of a set; grows while `work` goes on."""

    total: int

    def work(
        self,
        classifier: Classifier,
        images: FloatArray,
        labels: ByteArray,
        *,
        target: int | None = None,
        seed: int = 0,
        workers: AnyWorkers = HERE,
        **settings: Any,
    ) -> Generator[float]:
        """Search for images [total, h, w, c] of classes labels [total]; yields the share done.

        target: the class they shall be read as; None for any but the true one. settings: those of
        `smallest`.
        """
        seed = check_seed(seed)
        true = labels.astype(np.int64)
        wanted = true if target is None else np.full(len(true), target)
        kind = Untargeted if target is None else Targeted
        parts = in_chunks(
            self.total,
            _CHUNK,
            measured,
            lambda rows: (classifier, images[rows], true[rows], kind(wanted[rows]), seed, settings),
        )
        yield from work_on(parts, self, workers)


def measured(
    classifier: Classifier,
    images: FloatArray,
    labels: IntArray,
    goal: Goal,
    seed: int,
    settings: Mapping[str, Any],
) -> Measured:
    """The smallest changes of images float32 [n, h, w, c] of classes int [n]."""
    found = smallest(classifier, images, goal, **settings)
    flat = without_gradient([classifier], images, goal.classes)
    noise_control = noise_of_norm(found.images, found.l2, seed=seed)
    before, after, noisy = (
        classifier.predict(each) for each in (found.images, found.adversarial, noise_control)
    )
    return Measured(found, labels, before, after, noisy, flat)
