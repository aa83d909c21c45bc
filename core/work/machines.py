"""Chunks on other machines: the workers of a Dask scheduler, and this one's when it is gone.

`distributed` is an optional requirement (requirements-dask.txt). Whoever reaches the scheduler can
run any program on its workers: it stands in a private network, or behind tls:// with certificates.
"""

import contextlib
import importlib.util
import logging
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from core.checks import short
from core.work.chunks import AnyWorkers, WorkersGone
from core.work.parcels import Shared, opened, packed

_log = logging.getLogger(__name__)
SECONDS = 5.0  # to wait for a scheduler
AGAIN = 60.0  # seconds after which one that was gone is asked again
_AHEAD = 2  # chunks for each thread of a worker, so that none waits for the next
_COUNT = 1.0  # seconds after which they are counted again
_MOST_SENT = 64  # networks that the scheduler keeps for this server


def why_not(address: str) -> str:
    """Why no scheduler can be asked at this address from here, in a sentence; "" if one can."""
    if not address.startswith(("tcp://", "tls://")):
        return (
            f"CONVSCOPE_SCHEDULER is {short(address)}: give tcp://HOST:PORT in a private network, "
            "or tls://HOST:PORT."
        )
    if importlib.util.find_spec("distributed") is None:
        return (
            "CONVSCOPE_SCHEDULER is set, and Dask is not installed: install requirements-dask.txt."
        )
    return ""


class Machines:
    """The workers of the scheduler at `address`; while it is gone, `others` take its chunks.

    problem: why it is not used just now, in a sentence; "" while it is.
    """

    def __init__(self, address: str, others: AnyWorkers) -> None:
        self._address, self._others = address, others
        self._lock = threading.Lock()
        self._client: Any = None
        self._asked, self._counted, self._threads = -AGAIN, -_COUNT, 0
        self._sent: dict[str, Any] = {}
        self.problem = ""

    @property
    def places(self) -> int:
        """As of `AnyWorkers`."""
        return _AHEAD * self._threads if self._connected() else self._others.places

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> "Future[Any]":
        """As of `AnyWorkers`. A chunk whose worker dies begins anew on another.

        Canceled, a chunk that runs goes on to its end on its worker, and nobody hears of it.
        """
        client = self._connected()
        if client is None:
            return self._others.submit(function, *arguments)
        parcel, shared = packed(function, arguments)
        answer: Future[Any] = Future()
        try:
            needs = [self._shared(client, each) for each in shared]
            theirs = client.get_executor(pure=False).submit(opened, parcel, *needs)
        except Exception as error:  # whatever a lost connection raises
            self._lose(client, error)
            answer.set_exception(WorkersGone(self.problem))
            return answer
        theirs.add_done_callback(lambda done: self._settle(client, done, answer))
        answer.add_done_callback(lambda ours: ours.cancelled() and theirs.cancel())
        return answer

    def close(self) -> None:
        """Let go of the scheduler."""
        with self._lock:
            client, self._client = self._client, None
            self._sent.clear()
        _close(client)

    def _connected(self) -> Any:
        """The client if its scheduler answers and has workers; else None, and a problem says why.

        A scheduler that was lost is asked again a while after.
        """
        with self._lock:
            if self._client is None and time.monotonic() - self._asked > AGAIN:
                self._client = self._connect()
                self._asked = time.monotonic()
            client = self._client
        if client is not None and time.monotonic() - self._counted > _COUNT:
            self._count(client)
        return self._client if self._threads else None

    def _count(self, client: Any) -> None:
        """How many chunks its workers compute at a time."""
        try:
            if client.status != "running":
                raise CancelledError
            self._threads = sum(client.nthreads().values())
        except Exception as error:  # whatever a lost connection raises
            self._lose(client, error)
            return
        self._counted = time.monotonic()
        none = f"The scheduler at {self._address} has no workers: this machine works alone."
        self.problem = "" if self._threads else none

    def _connect(self) -> Any:
        if problem := why_not(self._address):
            self.problem = f"{problem} This machine works alone."
            return None
        connect: Any = importlib.import_module("distributed").Client
        try:
            client = connect(self._address, timeout=SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            self._say(error)
            return None
        return client

    def _shared(self, client: Any, thing: Shared) -> Any:
        """A task whose result is the thing, pickled: the scheduler makes it anew if it is lost."""
        with self._lock:
            task = self._sent.pop(thing.digest, None)
            if task is None or task.status in ("cancelled", "lost", "error"):
                task = client.submit(bytes, pickle.dumps(thing), key=f"shared-{thing.digest}")
            self._sent[thing.digest] = task  # the one that was asked for last stands at the end
            while len(self._sent) > _MOST_SENT:
                del self._sent[next(iter(self._sent))]
        return task

    def _settle(self, client: Any, done: "Future[Any]", answer: "Future[Any]") -> None:
        """Tell who waits for the answer, unless it was canceled meanwhile."""
        if answer.cancelled():
            return
        error = CancelledError() if done.cancelled() else done.exception()
        if error is None:
            _tell(answer.set_result, done.result())
        elif _is_loss(error):
            self._lose(client, error)
            _tell(answer.set_exception, WorkersGone(self.problem))
        else:
            _tell(answer.set_exception, _explained(error))

    def _lose(self, client: Any, error: BaseException) -> None:
        if self._client is not client:  # before the lock, which who connects anew holds
            return
        with self._lock:
            self._client, self._threads, self._asked = None, 0, time.monotonic()
            self._sent.clear()
            self._say(error)
        threading.Thread(target=_close, args=[client], daemon=True).start()

    def _say(self, error: BaseException) -> None:
        self.problem = (
            f"The scheduler at {self._address} does not answer: this machine works alone."
        )
        _log.warning("%s (%s)", self.problem, type(error).__name__)


def _tell(tell: Callable[[Any], None], what: Any) -> None:
    with contextlib.suppress(Exception):  # it was canceled between
        tell(what)


def _close(client: Any) -> None:
    if client is not None:
        with contextlib.suppress(Exception):  # it may be half gone
            client.close(timeout=1)


def _is_loss(error: BaseException) -> bool:
    """Whether it says that the connection to the scheduler is gone, and nothing of the chunk."""
    return isinstance(error, CancelledError) or type(error).__name__ in (
        "FutureCancelledError", "FuturesCancelledError", "CommClosedError", "LostData",
    )  # fmt: skip


def _explained(error: BaseException) -> BaseException:
    """What a visitor can read in place of Dask's words for a chunk that kills its workers."""
    if type(error).__name__ != "KilledWorker":
        return error
    return ValueError(
        "The worker died each time it was tried, most likely because its memory ran out: ask for "
        "fewer images at once."
    )
