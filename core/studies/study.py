"""What studies share: something found so far, part by part, of images that come in chunks."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from core.work.chunks import Chunk


class StudyPart(Protocol):
    """A frozen dataclass of arrays, one row for each image."""

    def __len__(self) -> int:
        """Of how many images it is."""
        ...


Found = TypeVar("Found", bound=StudyPart)


@dataclass(eq=False)
class Study(Generic[Found]):
    """Something measured over many images; grows while the generator `work` of its kind goes on.

    Its chunks are numbered as their images are, and may come in any order: found is what is done of
    the first images without a gap. Who begins the work again with what it was begun with goes on
    from there.
    """

    _found: Found | None = field(default=None, init=False, repr=False)
    _joined: int = field(default=0, init=False, repr=False)  # chunks that are in `_found`
    _ahead: dict[Hashable, Found] = field(default_factory=dict, init=False, repr=False)
    _axis = 0  # of the arrays, the one of the images

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

    def has(self, key: Hashable) -> bool:
        """Whether the chunk of that number is done."""
        return key in self._ahead or key in range(self._joined)

    def take(self, key: Hashable, result: Found) -> None:
        """Take in what is found of the chunk of that number."""
        self._ahead[key] = result
        while (part := self._ahead.pop(self._joined, None)) is not None:
            self._found = self._with(part)
            self._joined += 1

    def _with(self, part: Found) -> Found:
        """What is found, and a part more."""
        return part if self._found is None else joined(self._found, part, axis=self._axis)


def joined(*parts: Any, axis: int = 0) -> Any:
    """Frozen dataclasses of one kind as one: their arrays in a row, all else as in the first.

    Dataclasses inside them are joined in the same way.
    """
    both = {}
    for each in fields(parts[0]):
        values = [getattr(part, each.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            both[each.name] = np.concatenate(values, axis=axis)
        elif is_dataclass(values[0]):
            both[each.name] = joined(*values, axis=axis)
    return replace(parts[0], **both)


def in_chunks(
    total: int, size: int, function: Callable[..., Any], given: Callable[[slice], tuple[Any, ...]]
) -> Iterator[Chunk]:
    """What `function` makes of what is `given` of the rows of `total` images, `size` at a time."""
    for number, rows in enumerate(chunks(total, size)):
        yield Chunk(number, function, given(rows), rows.stop - rows.start)


def chunks(total: int, size: int) -> Iterator[slice]:
    """The rows of `total` images, `size` at a time, the last ones fewer."""
    for first in range(0, total, size):
        yield slice(first, min(first + size, total))
