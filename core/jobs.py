"""Background jobs: a bounded queue, a few plain threads, and pause, resume and stop.

A job's work is an iterator: each `next()` does a little, so a job can be paused, parked while
another takes its turn, or stopped, between any two. Nothing here knows a screen.
"""

import bisect
import heapq
import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from core.failures import Unexpected, is_foreign

_log = logging.getLogger(__name__)

QUEUED, RUNNING, PAUSED = "queued", "running", "paused"
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
_numbers = itertools.count(1)


class QueueFull(Exception):
    """The job was not taken; the message is one sentence for the reader."""


def _sentence(job: "Job", error: Exception) -> str:
    """The error's own words, if they were written for the visitor; else a trace in the log."""
    if isinstance(error, job.explained) and not is_foreign(error):
        return str(error)
    unexpected = error if isinstance(error, Unexpected) else Unexpected(type(error).__name__)
    _log.exception("Job %d (%s) failed\n%s", job.number, job.title, unexpected.trace)
    return str(unexpected)


def _nothing() -> Generator[float]:
    yield from ()


@dataclass(eq=False)
class Job:
    """One piece of long work of one visitor.

    `work` yields the share done, in [0, 1]. An exception in `explained` ends the job with its own
    sentence; any other, and one that TensorFlow raised, with a general one, and a trace in the log.
    seconds: how long all of it takes, roughly, with the machine for itself. resumable: whether
    `work`, called again, goes on where it was closed: then nothing of it is at work in a pause.
    continues: whether work that is begun again goes on where it ended before its end, so that the
    job can be submitted once more.
    """

    owner: str
    title: str
    work: Callable[[], Generator[float]]
    explained: tuple[type[Exception], ...] = ()
    seconds: float = 20.0
    resumable: bool = False
    continues: bool = False
    number: int = field(default_factory=lambda: next(_numbers))
    state: str = QUEUED
    fraction: float = 0.0
    error: str = ""
    iterator: Generator[float] | None = field(default=None, repr=False)
    on_thread: bool = False
    due: float = math.inf

    def release(self) -> None:
        """Let go of what the job worked on, once it has ended and does not go on."""
        self.iterator = None
        if not self.halted:
            self.work = _nothing

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in (FINISHED, STOPPED, FAILED)

    @property
    def halted(self) -> bool:
        """Whether it has ended before its end, and goes on if it is submitted again."""
        return (
            self.continues
            and self.state in (STOPPED, FAILED)
            and self.settled
            and (not self.on_thread)
        )

    @property
    def settled(self) -> bool:
        """Whether it has ended and nothing of it is still at work: a stopped one tidies up."""
        return self.ended and self.iterator is None

    @property
    def active(self) -> bool:
        """Whether it is working or about to."""
        return self.state in (QUEUED, RUNNING)

    @property
    def seconds_left(self) -> float:
        """What is left of `seconds`."""
        return self.seconds * (1 - self.fraction)


class JobManager:
    """Runs jobs of many visitors on `workers` threads, at most one job a visitor.

    Short ones first: next is the one that would have ended first if each had begun when it was
    asked for. So a long one is not overtaken for ever.
    """

    def __init__(self, *, workers: int = 1, queue_limit: int = 20) -> None:
        self._workers = workers
        self._on_thread: list[Job] = []
        self._changed = threading.Condition()
        self._queue: list[Job] = []
        self._jobs: dict[str, Job] = {}
        self._queue_limit = queue_limit
        for number in range(workers):
            threading.Thread(target=self._serve, name=f"job-worker-{number}", daemon=True).start()

    @staticmethod
    def gate(job: Job) -> None:
        """Before every step of `job`: open. A test may shut it, to look at a job in its middle."""

    def submit(self, job: Job) -> None:
        """Put the job in the queue. Raises QueueFull with one sentence if it cannot be taken."""
        with self._changed:
            current = self._jobs.get(job.owner)
            if current is not None and not current.ended:
                raise QueueFull(
                    f"“{current.title}” is still {current.state}: stop it or let it finish first."
                )
            waiting = len(self._waiting())
            if waiting >= self._queue_limit:
                raise QueueFull(
                    f"{waiting} jobs are waiting, and no more fit: try again in a minute."
                )
            self._jobs[job.owner] = job
            job.state, job.error = QUEUED, ""
            self._enqueue(job)

    def job_of(self, owner: str) -> Job | None:
        """The visitor's latest job, ended or not."""
        return self._jobs.get(owner)

    def position(self, job: Job) -> int:
        """How many jobs come before it, 1 for the next; 0 if it does not wait."""
        with self._changed:
            waiting = self._waiting()
            return waiting.index(job) + 1 if job in waiting else 0

    def wait(self, job: Job) -> float:
        """Seconds until its turn comes, roughly; 0 if it does not wait."""
        with self._changed:
            waiting = self._waiting()
            if job not in waiting:
                return 0.0
            free = [each.seconds_left for each in self._on_thread]
            free += [0.0] * (self._workers - len(free))
            heapq.heapify(free)
            for each in waiting[: waiting.index(job)]:
                heapq.heapreplace(free, free[0] + each.seconds_left)
            return free[0]

    def pause(self, job: Job) -> None:
        """Let the job rest after the step in hand; the thread is free for others meanwhile."""
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
            if job.active:
                job.state = PAUSED

    def resume(self, job: Job) -> None:
        """Put a paused job back into the queue, as if it had just been asked for."""
        with self._changed:
            if job.state == PAUSED:
                job.state = RUNNING if job.on_thread else QUEUED
                if not job.on_thread:
                    self._enqueue(job)

    def stop(self, job: Job) -> None:
        """End the job; what it has produced stays. The step in hand is finished behind."""
        with self._changed:
            if job.ended:
                return
            if job in self._queue:
                self._queue.remove(job)
            job.state = STOPPED
            if not job.on_thread and job.iterator is not None:
                self._put(job, -math.inf)  # so that a thread closes its iterator

    def forget(self, owner: str) -> None:
        """Stop and drop what belongs to a visitor who has left."""
        with self._changed:
            job = self._jobs.pop(owner, None)
            if job is not None:
                self.stop(job)

    def _waiting(self) -> list[Job]:
        return [job for job in self._queue if job.state == QUEUED]

    def _enqueue(self, job: Job) -> None:
        self._put(job, time.monotonic() + job.seconds_left)

    def _put(self, job: Job, due: float) -> None:
        job.due = due
        bisect.insort(self._queue, job, key=lambda each: each.due)
        self._changed.notify_all()

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                job = self._queue.pop(0)
                self._on_thread.append(job)
                job.on_thread = True
                if job.state == QUEUED:
                    job.state = RUNNING
            try:
                self._work_on(job)
            except Exception as error:
                self._end(job, FAILED, _sentence(job, error))
            with self._changed:
                self._on_thread.remove(job)
            if job.ended:
                job.release()
            del job  # while this thread waits, nothing keeps what the job worked on

    def _work_on(self, job: Job) -> None:
        while True:
            while self._may_go_on(job):
                if job.iterator is None:
                    job.iterator = job.work()
                try:
                    job.fraction = next(job.iterator)
                except StopIteration:
                    self._end(job, FINISHED)
                    return
            if job.iterator is not None and (job.ended or job.resumable):
                job.iterator.close()
                job.iterator = None
            if self._lets_go(job):
                return

    def _may_go_on(self, job: Job) -> bool:
        self.gate(job)
        with self._changed:
            return job.state == RUNNING

    def _lets_go(self, job: Job) -> bool:
        """Whether the thread is free; not if the job was paused and is to go on meanwhile."""
        with self._changed:
            job.on_thread = job.state == RUNNING
            return not job.on_thread

    def _end(self, job: Job, state: str, error: str = "") -> None:
        """A stopped job stays so, unless what it left behind could not be tidied up."""
        with self._changed:
            job.on_thread = False
            if error or not job.ended:
                job.state, job.error = state, error
