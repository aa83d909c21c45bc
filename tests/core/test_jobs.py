import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from core.backend import tf
from core.jobs import FAILED, FINISHED, PAUSED, QUEUED, RUNNING, STOPPED, Job, JobManager, QueueFull
from tests.gate import Gate


class Work:
    """Steps one by one, at the test's pace."""

    def __init__(self, steps: int = 1_000_000, error: Exception | None = None) -> None:
        self.done = 0
        self.closed = threading.Event()
        self.free = threading.Semaphore(0)
        self.steps, self.error = steps, error

    def __call__(self) -> Generator[float]:
        try:
            while self.done < self.steps:
                self.free.acquire()
                self.done += 1
                if self.error:
                    raise self.error
                yield self.done / self.steps
        finally:
            self.closed.set()

    def allow(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.free.release()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.005)


def test_runs_to_the_end() -> None:
    manager, work = JobManager(), Work(3)
    job = Job("a", "work", work)
    manager.submit(job)
    work.allow(3)
    until(lambda: job.ended)
    assert (job.state, job.fraction, job.error) == (FINISHED, 1.0, "")


def test_one_at_a_time_in_order_with_positions() -> None:
    manager, works = JobManager(), [Work(2) for _ in range(3)]
    jobs = [Job(owner, owner, work) for owner, work in zip("abc", works, strict=True)]
    for job in jobs:
        manager.submit(job)
    until(lambda: jobs[0].state == RUNNING)
    assert [manager.position(job) for job in jobs] == [0, 1, 2]
    assert [job.state for job in jobs] == [RUNNING, QUEUED, QUEUED]
    works[2].allow(2)
    works[0].allow(2)
    until(lambda: jobs[1].state == RUNNING)
    assert works[2].done == 0
    assert manager.position(jobs[2]) == 1
    works[1].allow(2)
    until(lambda: jobs[2].ended)


def test_one_job_a_visitor() -> None:
    manager = JobManager()
    first = Job("a", "the first", Work())
    manager.submit(first)
    with pytest.raises(QueueFull, match="“the first” is still"):
        manager.submit(Job("a", "the second", Work()))
    manager.stop(first)
    manager.submit(Job("a", "the third", Work()))


def test_the_queue_is_bounded() -> None:
    manager = JobManager(queue_limit=2)
    jobs = [Job(owner, owner, Work()) for owner in "abcd"]
    manager.submit(jobs[0])
    until(lambda: jobs[0].state == RUNNING)
    manager.submit(jobs[1])
    manager.submit(jobs[2])
    with pytest.raises(QueueFull, match="2 jobs are waiting"):
        manager.submit(jobs[3])


def test_pause_lets_others_work_and_resume_goes_on() -> None:
    manager, work, other = JobManager(), Work(5), Work(1)
    job = Job("a", "work", work)
    manager.submit(job)
    work.allow(2)
    until(lambda: work.done == 2)
    manager.pause(job)
    work.allow(1)
    until(lambda: not job.on_thread)
    assert job.state == PAUSED
    done = work.done
    second = Job("b", "other", other)
    manager.submit(second)
    other.allow()
    until(lambda: second.state == FINISHED)
    assert work.done == done
    manager.resume(job)
    work.allow(5)
    until(lambda: job.state == FINISHED)
    assert work.done == 5


def test_resume_before_the_step_in_hand_ended() -> None:
    manager, work = JobManager(), Work(3)
    job = Job("a", "work", work)
    manager.submit(job)
    until(lambda: job.state == RUNNING)
    manager.pause(job)
    manager.resume(job)
    work.allow(3)
    until(lambda: job.state == FINISHED)
    assert work.done == 3


def test_stop_takes_effect_at_once_and_closes_behind() -> None:
    manager, work = JobManager(), Work()
    job = Job("a", "work", work)
    manager.submit(job)
    work.allow()
    until(lambda: work.done == 1)
    manager.stop(job)
    assert job.state == STOPPED
    assert not job.settled
    work.allow()
    until(work.closed.is_set)
    until(lambda: job.settled)
    assert job.state == STOPPED


def test_what_a_stopped_job_cannot_tidy_up_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def work() -> Generator[float]:
        try:
            while True:
                yield 0.5
        finally:
            raise ArithmeticError("It could not be written.")

    manager, job = JobManager(), Job("a", "work", work, explained=(ArithmeticError,))
    manager.submit(job)
    until(lambda: job.fraction == 0.5)
    manager.stop(job)
    until(lambda: job.settled)
    assert (job.state, job.error) == (FAILED, "It could not be written.")


def test_stop_while_queued_or_paused() -> None:
    manager, busy, work = JobManager(), Work(), Work()
    first, queued = Job("a", "busy", busy), Job("b", "queued", work)
    manager.submit(first)
    until(lambda: first.state == RUNNING)
    manager.submit(queued)
    manager.stop(queued)
    assert queued.state == STOPPED
    assert manager.position(queued) == 0
    manager.pause(first)
    busy.allow()
    until(lambda: not first.on_thread)
    manager.stop(first)
    until(busy.closed.is_set)
    assert work.done == 0


def test_errors_end_in_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    manager = JobManager()
    known, unknown = Work(error=ArithmeticError("The loss became infinite.")), Work(error=OSError())
    first = Job("a", "known", known, explained=(ArithmeticError,))
    second = Job("b", "unknown", unknown)
    for job, work in ((first, known), (second, unknown)):
        manager.submit(job)
        work.allow()
    until(lambda: second.ended)
    assert (first.state, first.error) == (FAILED, "The loss became infinite.")
    assert (second.state, second.error) == (FAILED, "It ended with an unexpected error (OSError).")
    assert "Job" in caplog.text
    work = Work(1)
    third = Job("a", "after", work)
    manager.submit(third)
    work.allow()
    until(lambda: third.state == FINISHED)


def test_who_leaves_is_forgotten() -> None:
    manager, work = JobManager(), Work()
    job = Job("a", "work", work)
    manager.submit(job)
    until(lambda: job.state == RUNNING)
    manager.forget("a")
    manager.forget("nobody")
    work.allow(2)
    until(work.closed.is_set)
    assert manager.job_of("a") is None


def test_stopped_jobs_do_not_fill_the_queue() -> None:
    manager = JobManager(queue_limit=1)
    first = Job("a", "busy", Work())
    manager.submit(first)
    until(lambda: first.state == RUNNING)
    for _ in range(5):
        job = Job("b", "again", Work())
        manager.submit(job)
        assert manager.position(job) == 1
        manager.stop(job)
    manager.submit(Job("c", "last", Work()))


def test_a_gate_holds_a_job_in_its_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the same two steps on any machine; who pauses or stops it need not open the gate."""
    gate, manager, jobs = Gate(tmp_path / "gate"), JobManager(), {}
    monkeypatch.setattr(JobManager, "gate", gate)
    for name in ("held", "other"):
        work = Work(10)
        work.allow(10)
        jobs[name] = Job(name, f"the {name} one", work)
    gate.hold("held", 0.25)
    manager.submit(jobs["held"])
    until(lambda: jobs["held"].fraction == 0.3)
    manager.submit(jobs["other"])
    assert manager.position(jobs["other"]) == 1
    manager.pause(jobs["held"])
    until(lambda: jobs["other"].state == FINISHED)
    assert jobs["held"].fraction == 0.3
    manager.resume(jobs["held"])
    gate.hold("held", 0.6)
    until(lambda: jobs["held"].fraction == 0.6)
    assert not jobs["held"].ended
    gate.open()
    until(lambda: jobs["held"].state == FINISHED)


def test_tensorflows_own_words_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    def work() -> Generator[float]:
        yield 0.5
        tf.function(lambda: tf.reshape(tf.zeros(3), [2, 2]))()

    manager, job = JobManager(), Job("a", "work", work, explained=(ValueError,))
    manager.submit(job)
    until(lambda: job.ended)
    assert job.error == "It ended with an unexpected error (ValueError)."
    assert "Job" in caplog.text


def test_short_jobs_come_first_and_the_wait_is_told() -> None:
    manager = JobManager()
    works = {name: Work(1) for name in ("busy", "long", "short", "shorter")}
    seconds = {"busy": 10.0, "long": 5_000.0, "short": 3_000.0, "shorter": 1_000.0}
    jobs = {name: Job(name, name, work, seconds=seconds[name]) for name, work in works.items()}
    manager.submit(jobs["busy"])
    until(lambda: jobs["busy"].state == RUNNING)
    for name in ("long", "short", "shorter"):
        manager.submit(jobs[name])
    names = list(jobs)
    assert [manager.position(jobs[name]) for name in names] == [0, 3, 2, 1]
    assert [manager.wait(jobs[name]) for name in names] == [0, 4_010, 1_010, 10]
    for name in ("busy", "shorter", "short", "long"):
        until(lambda name=name: jobs[name].state == RUNNING)
        works[name].allow()
    until(lambda: jobs["long"].state == FINISHED)


def test_two_places_shorten_the_wait() -> None:
    manager = JobManager(workers=2)
    jobs = [Job(owner, owner, Work(), seconds=100.0) for owner in "abcd"]
    for job in jobs[:2]:
        manager.submit(job)
    until(lambda: all(job.state == RUNNING for job in jobs[:2]))
    jobs[1].fraction = 0.75
    for job in jobs[2:]:
        manager.submit(job)
    assert [manager.wait(job) for job in jobs] == [0, 0, 25, 100]


def test_a_long_job_is_not_overtaken_for_ever() -> None:
    """One that was asked for later has to be shorter by more than the time between."""
    manager, later = JobManager(), Job("c", "later", Work(), seconds=50.0)
    busy, waits = Job("a", "busy", Work()), Job("b", "waits", Work(), seconds=100.0)
    manager.submit(busy)
    until(lambda: busy.state == RUNNING)
    manager.submit(waits)
    waits.due -= 60  # it was asked for a minute ago
    manager.submit(later)
    assert manager.position(later) == 2


def test_a_resumable_job_has_nothing_at_work_in_a_pause() -> None:
    done, closed = [], threading.Event()

    def work() -> Generator[float]:
        try:
            while len(done) < 3:
                yield len(done) / 3
                done.append(1)
        finally:
            closed.set()

    manager, job = JobManager(), Job("a", "work", work, resumable=True)
    manager.gate = lambda job: (
        manager.pause(job) if len(done) == 1 and not closed.is_set() else None
    )  # type: ignore[method-assign]
    manager.submit(job)
    until(lambda: job.state == PAUSED and not job.on_thread)
    assert closed.is_set()
    assert job.iterator is None
    assert not job.settled
    manager.resume(job)
    until(lambda: job.state == FINISHED)
    assert len(done) == 3


def test_a_study_that_was_stopped_goes_on_when_it_is_submitted_again() -> None:
    manager, done = JobManager(), []

    def work() -> Generator[float]:
        while len(done) < 4:
            done.append(len(done))
            yield len(done) / 4

    held = threading.Event()
    manager.gate = lambda job: held.wait() if job.fraction >= 0.5 else None  # type: ignore[method-assign]
    job, other = Job("a", "study", work, continues=True), Job("b", "other", work)
    manager.submit(job)
    until(lambda: job.fraction == 0.5)
    manager.stop(job)
    assert not job.halted, "it is still at work"
    held.set()
    until(lambda: job.halted)
    manager.submit(job)
    until(lambda: job.ended)
    assert (job.state, job.fraction, done) == (FINISHED, 1.0, [0, 1, 2, 3])
    assert not job.halted
    manager.stop(other)
    assert not other.halted, "of others nothing is kept"
