"""What a data set is: the facts that its images, networks, files and screens share."""

import re
from dataclasses import dataclass

from core.arrays import COLORS, byte_shape, largest_l2
from core.checks import check_apart, check_whole, short
from core.fields import Fields
from core.plain import one_line

_KEY, _NAME, _SENTENCE = 30, 60, 300  # characters
MIN_SIDE, MAX_SIDE = 8, 256
MAX_CLASSES, MAX_IMAGES = 1_000, 10_000_000


@dataclass(frozen=True)
class DatasetSpec:
    """A set of square images in classes; it travels with what is made of them.

    key: in links and files, of lower-case letters, digits and hyphens. side in pixels; channels: 1
    (gray) or 3 (RGB). classes: their names, in the order of the logits. training_images and
    test_images count all there are. source: one sentence on where they come from. noun: what one of
    them is called. Raises ValueError with one sentence on a field that is none of this.
    """

    key: str
    name: str
    side: int
    channels: int
    classes: tuple[str, ...]
    training_images: int
    test_images: int
    source: str
    noun: str = "image"

    def __post_init__(self) -> None:
        if not re.fullmatch(f"[a-z0-9-]{{1,{_KEY}}}", self.key):
            raise ValueError(
                f"The key is {short(self.key)}: give 1 to {_KEY} lower-case letters, digits or "
                "hyphens."
            )
        check_whole("The side of an image in pixels", self.side, MIN_SIDE, MAX_SIDE)
        if check_whole("The number of channels", self.channels, 1, COLORS) not in (1, COLORS):
            raise ValueError(f"An image has {self.channels} channels: give 1 or {COLORS}.")
        check_whole("The number of classes", len(self.classes), 2, MAX_CLASSES)
        _check_line("The name", self.name, _NAME)
        _check_line("The source", self.source, _SENTENCE)
        _check_line("The noun", self.noun, _NAME)
        for name in self.classes:
            _check_line("The name of a class", name, _NAME)
        check_apart(self.classes, "classes are called")
        check_whole("The number of training images", self.training_images, 1, MAX_IMAGES)
        check_whole("The number of test images", self.test_images, 1, MAX_IMAGES)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one image as a network takes it: (side, side, channels)."""
        return self.side, self.side, self.channels

    @property
    def byte_shape(self) -> tuple[int, ...]:
        """Of one image as bytes: (side, side) of a gray one, else with the channels behind."""
        return byte_shape(self.shape)

    @property
    def largest_l2(self) -> float:
        """The L2 from an image that is 0 everywhere to one that is 1 everywhere."""
        return largest_l2(self.shape)

    @classmethod
    def of(cls, record: Fields) -> "DatasetSpec":
        """The inverse of `dataclasses.asdict`. Raises ValueError on a field that it cannot be."""
        return cls(
            key=record.text("key", _KEY, least=1),
            name=record.text("name", _NAME, least=1),
            side=record.whole("side", MIN_SIDE, MAX_SIDE),
            channels=record.whole("channels", 1, COLORS),
            classes=record.texts("classes", MAX_CLASSES, _NAME),
            training_images=record.whole("training_images", 1, MAX_IMAGES),
            test_images=record.whole("test_images", 1, MAX_IMAGES),
            source=record.text("source", _SENTENCE, least=1),
            noun=record.text("noun", _NAME, least=1),
        )


def _check_line(what: str, text: str, limit: int) -> None:
    if not isinstance(text, str) or not text or one_line(text, limit) != text:
        raise ValueError(f"{what} is {short(text)}: give one line of 1 to {limit} characters.")


MNIST = DatasetSpec(
    key="mnist",
    name="MNIST",
    side=28,
    channels=1,
    classes=tuple("0123456789"),
    training_images=60_000,
    test_images=10_000,
    source="LeCun, Cortes and Burges, “The MNIST database of handwritten digits” (1998); "
    "CC BY-SA 3.0.",
    noun="digit",
)
