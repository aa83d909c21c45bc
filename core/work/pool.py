"""An executor whose work runs in a few worker processes: `concurrent.futures`, with a kill."""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from core.failures import WorkerLost
from core.work.messages import Call, Raised
from core.work.processes import Supervisor, Worker

P = ParamSpec("P")
T = TypeVar("T")
IDLE_SECONDS = 20.0  # after which a worker without a call ends, and gives its memory back


@dataclass(frozen=True)
class _Task:
    call: Call
    future: "Future[Any]"


class Workers(Executor):
    """Runs functions of core in up to `places` worker processes, a process a call at a time.

    Functions, arguments and results are pickled. A process takes call after call, so what it has
    compiled for one serves the next; without calls it ends. `cancel()` of a future ends a call
    that runs, too: its process is killed. A call whose process ends raises WorkerLost, an error of
    TensorFlow's becomes Unexpected; any other arrives as it was raised.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self.supervisor = Supervisor()
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """What the function will return, in a worker; raises RuntimeError after `shutdown`."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("The workers have been shut down.")
            if len(self._threads) < self.places:
                thread = threading.Thread(target=self._serve, name="worker", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._tasks.put(_Task(Call(fn, args, kwargs), future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and end all processes once those taken have ended."""
        with self._lock:
            self._closed = True
            while cancel_futures and not self._tasks.empty():
                with contextlib.suppress(queue.Empty):
                    if task := self._tasks.get_nowait():
                        task.future.cancel()
            for _ in self._threads:
                self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()
            self.supervisor.close()

    def _serve(self) -> None:
        """One place: a worker while there is something to do, and for a while after."""
        worker: Worker | None = None
        while True:
            try:
                task = self._tasks.get(timeout=IDLE_SECONDS if worker else None)
            except queue.Empty:
                worker = _none_after(worker)
                continue
            if task is None:
                _none_after(worker)
                return
            worker = self._work_on(task, worker)
            del task  # while this thread waits, nothing keeps what was worked on

    def _work_on(self, task: _Task, worker: Worker | None) -> Worker | None:
        """The worker, if it can take another task."""
        future = task.future
        if future.cancelled():
            future.set_running_or_notify_cancel()
            return worker
        try:
            worker = worker or self.supervisor.fork()
            # The future stays pending while it runs, so that it can be cancelled then, too.
            future.add_done_callback(_killing(worker))
            worker.send(task.call)
            _settle(future, worker.receive())
        except WorkerLost as error:
            _settle(future, Raised(error))
            worker = _none_after(worker)
        except Exception as error:  # arguments that cannot be pickled
            _settle(future, Raised(error))
        if future.cancelled():
            future.set_running_or_notify_cancel()
            worker = _none_after(worker)
        return worker


def _none_after(worker: Worker | None) -> Worker | None:
    """Nothing, in place of a worker that is closed."""
    if worker is not None:
        worker.close()
    return None


def _killing(worker: Worker) -> "Callable[[Future[Any]], None]":
    """Kills the worker of a future that is cancelled."""

    def kill(future: "Future[Any]") -> None:
        if future.cancelled():
            worker.kill()

    return kill


def _settle(future: "Future[Any]", answer: Any) -> None:
    """Tell who waits for the future, unless it was cancelled meanwhile."""
    with contextlib.suppress(InvalidStateError, CancelledError):
        if isinstance(answer, Raised):
            future.set_exception(answer.error)
        else:
            future.set_result(answer.value)
