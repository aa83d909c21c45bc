"""Whether a noise fools a network on images that it was not fitted to, and a control."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray, check_classes, check_images
from core.checks import check_range, check_seed
from core.data.spec import MNIST
from core.keyed_noise import of_images
from core.network.classifier import Classifier
from core.statistics.paired import Paired, paired
from core.statistics.rate import Rate

MAX_SCALE = 10.0


@dataclass(frozen=True, eq=False)
class Carried:
    """What the network says of images before and after a noise was added.

    labels, before and after int64 [n]: the true class, and the answer without and with the noise.
    target: the class that the noise aims at; classes: how many there are. l2 float32 [n]: the
    length of the change that is left once the sum is clipped to [0, 1].

    Every rate counts images that were read right before: the others need no noise.
    """

    labels: IntArray
    before: IntArray
    after: IntArray
    target: int
    l2: FloatArray
    classes: int = len(MNIST.classes)

    @property
    def right_before(self) -> BoolArray:
        """Which images are read right without the noise: bool [n]."""
        right: BoolArray = self.before == self.labels
        return right

    @property
    def misread(self) -> BoolArray:
        """Which images are read right before and wrong after: bool [n]."""
        misread: BoolArray = self.right_before & (self.after != self.labels)
        return misread

    def misclassified(self, classes: Iterable[int] | None = None) -> Rate:
        """Of the images of these true classes, or of all, those that the noise makes misread."""
        return self._rate(self.misread, self._all if classes is None else classes)

    def reached(self, classes: Iterable[int] | None = None) -> Rate:
        """Of the images of these true classes, or of all, those that are now read as the target.

        Images of the target's own class are not counted: they are there already.
        """
        chosen = self._all if classes is None else set(classes)
        return self._rate(self.after == self.target, chosen - {self.target})

    @property
    def others(self) -> set[int]:
        """All classes but the target."""
        return self._all - {self.target}

    def beside(self, control: "Carried", *, reached: bool = False) -> Paired:
        """This noise and another on the same images of other classes than the target.

        Counted is any wrong answer; with `reached` the target.
        """
        first, second = (
            each.after == each.target if reached else each.misread for each in (self, control)
        )
        counted = self._counted(self.others)
        return paired(first[counted], second[counted])

    def first(self, count: int) -> "Carried":
        """Of the first images alone."""
        return replace(
            self,
            labels=self.labels[:count],
            before=self.before[:count],
            after=self.after[:count],
            l2=self.l2[:count],
        )

    @property
    def _all(self) -> set[int]:
        return set(range(self.classes))

    def _rate(self, happened: BoolArray, classes: Iterable[int]) -> Rate:
        return Rate.of(happened[self._counted(classes)])

    def _counted(self, classes: Iterable[int]) -> BoolArray:
        counted: BoolArray = self.right_before & np.isin(self.labels, sorted(classes))
        return counted


def carry(
    classifier: Classifier,
    noise: FloatArray,
    images: FloatArray,
    labels: IntArray,
    *,
    target: int,
    scale: float = 1.0,
    known: Sequence[IntArray] = (),
) -> Carried:
    """How clip(images + scale · noise) is read, images float32 [n, h, w, c] in [0, 1].

    noise float32 [1, h, w, c], the same for all images, or [n, h, w, c], one for each; scale
    0 to 10. known: the classifier's answers int [n] to the images, and to the sums, as far as they
    are known already. Raises ValueError on other values.
    """
    spec = classifier.spec
    among = len(spec.classes)
    check_images(images, spec.shape)
    labels = check_classes(labels, len(images), among)
    check_classes(np.array([target]), 1, among)
    check_range("The scale", scale, 0, MAX_SCALE)
    _check_noise(noise, images)
    changed = added(images, noise, scale)
    answers = [check_classes(each, len(images), among) for each in known]
    answers += [classifier.predict(each) for each in (images, changed)[len(answers) :]]
    return Carried(
        labels=labels,
        before=answers[0],
        after=answers[1],
        target=target,
        l2=_length(changed - images),
        classes=among,
    )


def added(images: FloatArray, noise: FloatArray, scale: float) -> FloatArray:
    """clip(images + scale · noise), the noise one for all images or one for each."""
    check_range("The scale", scale, 0, MAX_SCALE)
    total: FloatArray = np.clip(images + np.float32(scale) * noise, 0, 1)
    return total


def shuffled(noise: FloatArray, images: FloatArray, *, seed: int = 0, draws: int = 1) -> FloatArray:
    """The pixels of `noise` [1, h, w, c] in random order for each of images [n, h, w, c].

    It is the control for the noise's values: the same ones, and so the same norms, in other
    places, in an order that follows from `seed` and the image: float32 [n, h, w, c]. `draws` rows
    in a row that hold the same image have different ones.
    """
    _check_noise(noise, images[:1])
    side, _, channels = images.shape[1:]
    order = of_images(images, check_seed(seed), "shuffled", draws).order(side**2)
    return noise.reshape(-1, channels)[order].reshape(images.shape)


def _length(changes: FloatArray) -> FloatArray:
    length: FloatArray = np.sqrt((changes**2).sum(axis=(1, 2, 3)))
    return length


def _check_noise(noise: FloatArray, images: FloatArray) -> None:
    one, each = [1, *images.shape[1:]], list(images.shape)
    if noise.dtype != np.float32 or list(noise.shape) not in (one, each):
        raise ValueError(
            f"The noise is {noise.dtype} {list(noise.shape)}, not float32 {one} or {each}: "
            "give one for all images, or one for each."
        )
    if not np.isfinite(noise).all():
        raise ValueError("The noise has pixels that are not finite: fit it again.")
