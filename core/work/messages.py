"""What a server and its workers say to each other; pickled, and so between our processes alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class Stopped(Exception):
    """Raised in a stream that is to end: it may yield what it has left to say."""


@dataclass(frozen=True)
class Call:
    """To a worker: answer with what the function returns."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]


@dataclass(frozen=True)
class Open(Call):
    """To a worker: let the generator that the function makes yield, an item for each `More`."""


@dataclass(frozen=True)
class More:
    """To a worker: go on with a stream, and send this into its generator."""

    told: Any = None


@dataclass(frozen=True)
class Stop:
    """To a worker: raise `Stopped` in the stream's generator; answered with `Heard` at once."""


@dataclass(frozen=True)
class Heard:
    """From a worker: it will stop after what it has in hand."""


@dataclass(frozen=True)
class Item:
    """From a worker: what the stream's generator has yielded."""

    value: Any


@dataclass(frozen=True)
class Returned:
    """From a worker: what came out of a call; of a stream, that it has ended."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """From a worker: how a call or a stream has failed."""

    error: BaseException
