"""A generator that runs elsewhere: it yields to the server, is told things, and can be stopped."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, Protocol, TypeVar

from core.failures import WorkerLost
from core.work.messages import Item, More, Open, Raised, Returned, Stop, Stopped
from core.work.processes import Supervisor

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
QUIET = 0.25  # seconds without a word, in which a worker has to answer
TIDY_UP = 30.0  # seconds that a worker may take to end what it has in hand


class Stream(Protocol[T_co]):
    """What a generator yields, with None where nothing has come for a quarter of a second."""

    def __iter__(self) -> Iterator[T_co | None]: ...

    def __next__(self) -> T_co | None: ...

    def tell(self, what: object) -> None:
        """Send `what` into the generator soon after its first item."""

    def stop(self) -> Iterator[T_co]:
        """What the generator has left to say when `Stopped` is raised in it."""


class InThread(Generic[T]):
    """A stream that runs in the thread that iterates."""

    def __init__(self, generator: "Generator[T, Any]") -> None:
        self._generator, self._told = generator, None

    def __iter__(self) -> Iterator[T | None]:
        return self

    def __next__(self) -> T | None:
        told, self._told = self._told, None
        return self._generator.send(told)

    def tell(self, what: Any) -> None:
        """See `Stream`."""
        self._told = what

    def stop(self) -> Iterator[T]:
        """See `Stream`."""
        with contextlib.suppress(StopIteration, Stopped):
            yield self._generator.throw(Stopped())
            yield from self._generator


class InWorker(Generic[T]):
    """A stream that runs in a process of its own, an item ahead of who iterates.

    Raises what the generator raises, and WorkerLost if the process ends before it.
    """

    def __init__(
        self, supervisor: Supervisor, function: "Callable[..., Generator[T, Any]]", *arguments: Any
    ) -> None:
        self._worker = supervisor.fork()
        self._told: object = None
        self._ended = False
        self._worker.send(Open(function, arguments, {}))
        self._worker.send(More())

    def __iter__(self) -> Iterator[T | None]:
        return self

    def __next__(self) -> T | None:
        if self._ended:
            raise StopIteration
        if not self._worker.speaks_within(QUIET):
            return None
        item: T = self._received().value
        told, self._told = self._told, None
        with contextlib.suppress(WorkerLost):  # as the next message will say
            self._worker.send(More(told))
        return item

    def tell(self, what: object) -> None:
        """See `Stream`."""
        self._told = what

    def stop(self) -> Iterator[T]:
        """See `Stream`. A process that does not answer, or comes to no end, is killed."""
        patience = QUIET
        with contextlib.suppress(StopIteration, WorkerLost):
            self._worker.send(Stop())
            while self._worker.speaks_within(patience):
                message = self._received()
                if isinstance(message, Item):
                    yield message.value
                else:
                    patience = TIDY_UP
        self._end()

    def _received(self) -> Any:
        """The next item, or that a stop was heard; StopIteration or what was raised at the end."""
        try:
            message = self._worker.receive()
        except WorkerLost:
            self._end()
            raise
        if isinstance(message, Raised):
            self._end()
            raise message.error
        if isinstance(message, Returned):
            self._end()
            raise StopIteration
        return message

    def _end(self) -> None:
        self._ended = True
        self._worker.close()
