"""Long work as a list of independent chunks, which any workers take in any order."""

from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Protocol

from core.failures import WorkerLost

_LOOK = 0.1  # seconds between two looks at whether the job shall stop, while all workers are busy


@dataclass(frozen=True, eq=False)
class Chunk:
    """What `function`, a public one of core, makes of `arguments`, all of which can be pickled.

    key: its name among the chunks of one piece of work. share: how much of the work it is, in any
    unit.
    """

    key: Hashable
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    share: float = 1.0


class WorkersGone(Exception):
    """Those who took a chunk are gone; the message is one sentence. Others take it again."""


class AnyWorkers(Protocol):
    """Who computes chunks: an executor as of concurrent.futures that says how many it takes."""

    @property
    def places(self) -> int:
        """How many chunks of one piece of work they are given before the first is done."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> "Future[Any]":
        """What `function` makes of `arguments`; `cancel` of it stops what has not begun."""


class Here:
    """The thread that asks computes, one chunk after the other."""

    places: int = 1

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> "Future[Any]":
        """Done when it is returned."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


HERE = Here()


class Collector(Protocol):
    """What results are brought to, and which knows those it has."""

    def has(self, key: Hashable) -> bool:
        """Whether the result of a chunk is here already."""

    def take(self, key: Hashable, result: Any) -> None:
        """Take a result in; they come in any order."""


def work_on(
    chunks: Iterable[Chunk], into: Collector, workers: AnyWorkers = HERE
) -> Generator[float]:
    """Have all chunks computed that `into` has not; yields the share done, a chunk at a time.

    They are taken in in their order, so that what is shown grows so. Who closes the generator stops
    the work: chunks that have not begun are canceled, what is done stays, and a second call goes on
    from there. Raises what a chunk raises; one whose worker dies is tried once more.
    """
    every = list(chunks)
    waiting = deque(chunk for chunk in every if not into.has(chunk.key))
    total, left = (sum(chunk.share for chunk in some) for some in (every, waiting))
    done = total - left
    begun: dict[Future[Any], Chunk] = {}
    lost: set[Hashable] = set()
    try:
        while waiting or begun:
            while waiting and _has_room(workers, begun):
                chunk = waiting.popleft()
                begun[workers.submit(chunk.function, *chunk.arguments)] = chunk
            future = next(iter(begun))
            if wait([future], _LOOK).done:
                chunk = begun.pop(future)
                try:
                    into.take(chunk.key, future.result())
                    done += chunk.share
                except WorkersGone:
                    waiting.appendleft(chunk)
                except WorkerLost:
                    if chunk.key in lost:
                        raise
                    lost.add(chunk.key)
                    waiting.appendleft(chunk)
            yield done / total if waiting or begun else 1.0
    finally:
        for future, chunk in begun.items():
            if not future.cancel() and future.done() and future.exception() is None:
                into.take(chunk.key, future.result())


def _has_room(workers: AnyWorkers, begun: Iterable["Future[Any]"]) -> bool:
    """Whether a place is free, and not too much that is done waits for one before it."""
    done = [each.done() for each in begun]
    return done.count(False) < workers.places and len(done) < 2 * workers.places - 1
