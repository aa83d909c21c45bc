"""A chunk packed for another machine, without what is sent there once for many."""

import functools
import hashlib
import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CORE = Path(__file__).parents[1]


class Shared:
    """What many chunks need; of one `digest` there is one. Only types that are frozen."""

    digest: str


@dataclass(frozen=True)
class Parcel:
    """A function and its arguments, pickled; needs: the digests of what they share with others.

    source: the digest of core's source where it was packed.
    """

    content: bytes
    needs: tuple[str, ...]
    source: str


def packed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Parcel, list[Shared]]:
    """The parcel, and the things that it needs beside."""
    file = io.BytesIO()
    packer = _Packer(file)
    packer.dump((function, arguments))
    parcel = Parcel(file.getvalue(), tuple(packer.shared), source_digest())
    return parcel, list(packer.shared.values())


def opened(parcel: Parcel, *shared: bytes) -> Any:
    """What the function makes of the arguments; shared: what it needs, pickled.

    Raises ValueError where core's source is another one: results would be of another program.
    """
    if parcel.source != source_digest():
        raise ValueError(
            "A worker on another machine runs another version of Convscope: install the same one "
            "on all machines, and start its workers anew."
        )
    things = map(pickle.loads, shared)
    found = _Unpacker(io.BytesIO(parcel.content), dict(zip(parcel.needs, things, strict=True)))
    function, arguments = found.load()
    return function(*arguments)


@functools.cache
def source_digest() -> str:
    """Of all files of core that are Python, as this process found them: 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(_CORE.rglob("*.py")):
        digest.update(str(file.relative_to(_CORE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


class _Packer(pickle.Pickler):
    """Leaves out what is shared, and keeps it by its digest."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.shared: dict[str, Shared] = {}

    def persistent_id(self, thing: Any) -> str | None:
        if not isinstance(thing, Shared):
            return None
        self.shared[thing.digest] = thing
        return thing.digest


class _Unpacker(pickle.Unpickler):
    """Puts in what is shared."""

    def __init__(self, file: io.BytesIO, shared: Mapping[str, Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, digest: str) -> Any:
        return self._shared[digest]
