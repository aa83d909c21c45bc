"""What a file of images holds, as named arrays; the way out of the process that has read it."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MOST_IMAGES = 200_000
MOST_PIXEL_BYTES = 200_000_000  # of all images, at a byte a channel
MOST_UNPACKED = 2**30  # bytes of what a file unpacks to, in the process that reads it
_ABOUT = "about.json"


@dataclass(frozen=True)
class Contents:
    """arrays: by the names they have in the file, numbers or texts, nothing pickled.

    classes: names of the classes in the order of their numbers, where the file says them.
    notes: what had to be decided to read it, a sentence each.
    """

    arrays: dict[str, Array]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def under(self, name: str) -> "Contents":
        """The same, with the file's name before the names of its arrays."""
        arrays = {f"{name}/{key}".strip("/"): array for key, array in self.arrays.items()}
        return Contents(arrays, self.classes, self.notes)

    def joined(self, other: "Contents") -> "Contents":
        """Both together. Raises ValueError where one name stands for two arrays."""
        if both := self.arrays.keys() & other.arrays.keys():
            raise ValueError(f"Two files hold an array {min(both)!r}: rename one of them.")
        notes = dict.fromkeys((*self.notes, *other.notes))
        return Contents(self.arrays | other.arrays, self.classes or other.classes, tuple(notes))

    def packed(self) -> bytes:
        """As the bytes of an .npz file."""
        about = json.dumps({"classes": self.classes, "notes": self.notes, "names": [*self.arrays]})
        numbered = {str(number): array for number, array in enumerate(self.arrays.values())}
        file = io.BytesIO()
        np.savez(file, about=np.frombuffer(about.encode(), np.uint8), **numbered)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def unpacked(cls, data: bytes) -> "Contents":
        """The inverse of `packed`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            arrays = {name: file[str(number)] for number, name in enumerate(about["names"])}
        return cls(arrays, tuple(about["classes"]), tuple(about["notes"]))


def check_unpacked(size: int) -> None:
    """Raise ValueError if a file would take more memory than a reader may."""
    if size > MOST_UNPACKED:
        raise ValueError(
            f"The file unpacks to {size / 1e6:,.0f} MB, more than {MOST_UNPACKED / 1e6:,.0f}: "
            "save fewer images, or whole numbers of one byte."
        )
