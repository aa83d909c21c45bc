"""In which of the eight orientations, and with which ink, a network reads images best.

Form alone does not tell: a transposed digit is as smooth and as dark as one that stands upright.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.arrays import BoolArray, ByteArray, IntArray, to_float
from core.checks import check_whole
from core.network.classifier import Classifier
from core.statistics.rate import Rate

_TURNS: dict[str, Callable[[ByteArray], ByteArray]] = {
    "as they are": lambda images: images,
    "transposed": lambda images: images.swapaxes(1, 2),
    "turned by 90° to the left": lambda images: np.rot90(images, 1, (1, 2)),
    "turned by 90° to the right": lambda images: np.rot90(images, -1, (1, 2)),
    "upside down (turned by 180°)": lambda images: np.rot90(images, 2, (1, 2)),
    "mirrored left to right": lambda images: images[:, :, ::-1],
    "mirrored top to bottom": lambda images: images[:, ::-1],
    "transposed along the other diagonal": lambda images: np.rot90(images, 2, (1, 2)).swapaxes(
        1, 2
    ),
}
AS_THEY_ARE, TRANSPOSED, *_ = _TURNS


@dataclass(frozen=True, eq=False)
class Way:
    """A way to turn images, and which of them a network reads right so: bool [n]."""

    turn: str
    inverted: bool
    right: BoolArray

    @property
    def title(self) -> str:
        """Such as “transposed, 0 and 255 exchanged”."""
        return f"{self.turn}, 0 and 255 exchanged" if self.inverted else self.turn

    @property
    def rate(self) -> Rate:
        """The accuracy."""
        return Rate.of(self.right)


def ways_to_read(
    classifier: Classifier, images: ByteArray, labels: IntArray, *, count: int = 400
) -> list[Way]:
    """All sixteen ways on the first `count` images uint8 [n, …], the best first.

    Ways that read equally many keep their order, as they are first.
    """
    count = check_whole("The number of images", count, 1, 10_000)
    images, labels = images[:count], labels[:count]
    ways = [
        Way(
            name,
            inverted,
            _read(classifier, np.uint8(255) - turned if inverted else turned) == labels,
        )
        for inverted in (False, True)
        for name, turned in ((name, turn(images)) for name, turn in _TURNS.items())
    ]
    return sorted(ways, key=lambda way: -int(way.right.sum()))


def _read(classifier: Classifier, images: ByteArray) -> IntArray:
    return classifier.predict(to_float(np.ascontiguousarray(images)))
