import operator
import os
import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from core.failures import NoMemory, Unexpected, WorkerLost
from core.work import supervisor
from core.work.pool import Workers
from tests.core.work import tasks


def test_a_new_worker_has_computed_nothing(workers: Workers) -> None:
    """Forked from a process in which TensorFlow has, it would hang."""
    assert not workers.submit(tasks.has_computed).result()


def test_calls_are_answered_by_another_process(workers: Workers) -> None:
    assert workers.submit(pow, 2, 10).result() == 1024
    ours, theirs = os.getpid(), workers.submit(os.getpid).result()
    assert ours != theirs
    images = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert (workers.submit(np.transpose, images, axes=(1, 0)).result() == images.T).all()


def test_errors_arrive(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        workers.submit(operator.truediv, 1, 0).result()
    with pytest.raises(AttributeError, match="pickle"):
        workers.submit(lambda: 1).result()
    with pytest.raises(Unexpected, match=r"an unexpected error \(ValueError\)\.$") as told:
        workers.submit(tasks.reshape_wrongly).result()
    assert "tasks.py" in told.value.trace
    with pytest.raises(TypeError, match="cannot pickle"):
        workers.submit(tasks.answer_that_cannot_be_sent).result()


def test_a_process_that_ends_is_one_sentence_and_the_next_call_works(workers: Workers) -> None:
    with pytest.raises(WorkerLost, match=r"ended \(exit code 7\): try it again\.$"):
        workers.submit(os._exit, 7).result()
    with pytest.raises(WorkerLost, match="most likely because memory ran out"):
        workers.submit(tasks.killed).result()
    assert workers.submit(pow, 3, 2).result() == 9


def test_where_memory_runs_out_the_system_ends_a_worker_first(workers: Workers) -> None:
    file = "/proc/self/oom_score_adj"
    assert int(workers.submit(tasks.text_of, file).result()) > int(tasks.text_of(file))


def test_a_call_without_memory_fails_alone(workers: Workers) -> None:
    with pytest.raises(NoMemory, match="not enough memory"):
        workers.submit(tasks.take_too_much).result()
    assert workers.submit(pow, 3, 2).result() == 9


def test_a_call_that_runs_is_cancelled_by_a_kill(workers: Workers, tmp_path: Path) -> None:
    number = tmp_path / "number"
    future = workers.submit(tasks.work_for_ever, number)
    process = tasks.wait_for(number)
    assert future.cancel()
    assert future.cancelled()
    tasks.wait_for_the_end(process)
    assert workers.submit(pow, 3, 2).result() == 9


def test_a_call_that_waits_is_cancelled_and_costs_no_process(
    workers: Workers, tmp_path: Path
) -> None:
    busy = [workers.submit(tasks.work_for_ever, tmp_path / name) for name in "ab"]
    for name in "ab":
        tasks.wait_for(tmp_path / name)
    waiting, behind = workers.submit(pow, 2, 2), workers.submit(pow, 3, 2)
    assert waiting.cancel()
    for future in busy:
        future.cancel()
    assert behind.result() == 9


def test_the_supervisor_killed_costs_nothing_but_what_ran(workers: Workers, tmp_path: Path) -> None:
    number = tmp_path / "number"
    running = workers.submit(tasks.work_for_ever, number)
    process = tasks.wait_for(number)
    supervisor = workers.supervisor.process
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert running.cancel()
    tasks.wait_for_the_end(process)
    assert workers.submit(pow, 3, 2).result() == 9


def test_after_the_shutdown_nothing_is_taken(tmp_path: Path) -> None:
    workers = Workers(1)
    workers.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        workers.submit(pow, 3, 2)


def test_what_workers_are_forked_from_ends_when_nobody_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "_PRELOADED", ())
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        ours.send(supervisor.STAY)
        supervisor.main(its.detach())
        assert ours.recv(1) == b"", "it has hung up"
