"""A closed tab, a dropped connection, and where the job goes."""

import threading
import time
from collections.abc import Callable, Generator, Iterator

import pytest

from core.jobs import RUNNING, Job
from ui.visitor import session


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def job(request: pytest.FixtureRequest) -> Iterator[Job]:
    """A job of this test's own visitor that works until it is stopped."""
    closed = threading.Event()

    def work() -> Generator[float]:
        try:
            while True:
                time.sleep(0.005)
                yield 0.5
        finally:
            closed.set()

    job = Job(request.node.name, "work", work)
    session.manager().submit(job)
    _until(lambda: job.state == RUNNING)
    yield job
    session.manager().forget(job.owner)


def test_a_closed_tab_ends_the_job_after_the_grace_period(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "GRACE_SECONDS", 0.05)
    session._leave(job.owner)
    _until(lambda: job.ended)
    assert session.manager().job_of(job.owner) is None


def test_who_comes_back_in_time_keeps_the_job(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_lease", lambda name: name)
    monkeypatch.setattr(session.st, "session_state", {session._OWNER: job.owner})
    session._leave(job.owner)
    timer = session._departures()[job.owner]
    assert session.owner() == job.owner
    assert timer.finished.is_set(), "it would still end the job"
    timer.join()
    assert job.state == RUNNING
    assert session.current_job() is job


def test_a_stop_shows_at_once(job: Job) -> None:
    session.manager().stop(job)
    assert job.ended
    _until(lambda: not job.on_thread)
