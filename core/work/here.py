"""Where this process lets long work run: in its own threads, unless it was told of workers."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from core.work.pool import Workers
from core.work.stream import InThread, InWorker, Stream

T = TypeVar("T")
_workers: list[Workers] = []


def use(workers: Workers | None) -> None:
    """From now on let work run there; None: in the thread that asks for it."""
    _workers[:] = [] if workers is None else [workers]


def workers() -> Workers | None:
    """The executor of this process, None if there is no room for one."""
    return _workers[0] if _workers else None


def stream(function: "Callable[..., Generator[T, Any]]", *arguments: Any) -> Stream[T]:
    """What the generator that a public function of core makes yields, wherever it runs.

    Raises WorkerLost with one sentence where there is no memory for a process.
    """
    if there := workers():
        return InWorker(there.supervisor, function, *arguments)
    return InThread(function(*arguments))
