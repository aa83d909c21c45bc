"""What studies share: something found so far, part by part, of images that come in chunks."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np


class StudyPart(Protocol):
    """A frozen dataclass of arrays, one row for each image."""

    def __len__(self) -> int:
        """Of how many images it is."""
        ...


Found = TypeVar("Found", bound=StudyPart)


class Study(Generic[Found]):
    """Something measured over many images; grows while the generator `work` of its kind goes on."""

    _found: Found | None = None

    @property
    def count(self) -> int:
        """How many images are done."""
        return 0 if self._found is None else len(self._found)

    @property
    def found(self) -> Found:
        """All that is done so far, which later work leaves as it is; there is if `count` > 0."""
        if self._found is None:
            raise ValueError("No image has been measured yet: work first.")
        return self._found

    def _add(self, part: Found, *, axis: int = 0) -> None:
        """What is found of further images; axis: of its arrays, the one of the images."""
        self._found = part if self._found is None else joined(self._found, part, axis=axis)


def joined(*parts: Any, axis: int = 0) -> Any:
    """Frozen dataclasses of one kind as one: their arrays in a row, all else as in the first.

    Dataclasses inside them are joined in the same way.
    """
    both = {}
    for field in fields(parts[0]):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            both[field.name] = np.concatenate(values, axis=axis)
        elif is_dataclass(values[0]):
            both[field.name] = joined(*values, axis=axis)
    return replace(parts[0], **both)


def chunks(total: int, size: int) -> Iterator[slice]:
    """The rows of `total` images, `size` at a time, the last ones fewer."""
    for first in range(0, total, size):
        yield slice(first, min(first + size, total))
