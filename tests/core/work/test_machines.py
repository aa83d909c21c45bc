"""A real scheduler and three real workers: the same bits, a worker killed, the scheduler gone."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.catalog import attack
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from core.studies.scoreboard import GOALS, Scoreboard
from core.work.chunks import HERE, Chunk, work_on
from core.work.machines import Machines, why_not
from tests.cluster import Cluster, until
from tests.core.work.held import Collected, begun, broken, held


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), 3, preload="core.work.parcels")
    yield cluster
    cluster.end()


@pytest.fixture(scope="module")
def machines(cluster: Cluster) -> Iterator[Machines]:
    machines = Machines(cluster.address, HERE)
    assert machines.places in (1, 2, 4, 6), "while there are no workers, this machine works"
    until(lambda: machines.places == 6)
    yield machines
    machines.close()


def _held(folder: Path, count: int) -> list[Chunk]:
    return [Chunk(number, held, (folder, number)) for number in range(count)]


# The tests below follow each other: the last two end what the first ones need.


def test_the_same_bits_as_here(model_1: Classifier, mnist: Dataset, machines: Machines) -> None:
    images, labels = to_float(mnist.test.images[:30]), mnist.test.labels[:30].astype(np.int64)
    boards = [Scoreboard(attack("PGD"), {"iterations": 3}, GOALS[1], 30) for _ in range(2)]
    for board, workers in zip(boards, (HERE, machines), strict=True):
        assert list(board.work(model_1, images, labels, workers=workers))[-1] == 1
    here, there = (board.found for board in boards)
    for name in ("adversarial", "wanted", "before", "after", "succeeded", "l2", "confidence"):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name), err_msg=name)


def test_a_sentence_comes_through(machines: Machines) -> None:
    with pytest.raises(ValueError, match="Chunk 5 cannot be done: ask for another"):
        list(work_on([Chunk(5, broken, (5,))], Collected(), machines))


def test_nothing_of_what_is_stopped_is_taken_in_and_it_goes_on(
    machines: Machines, tmp_path: Path
) -> None:
    into = Collected()
    work = work_on(_held(tmp_path, 5), into, machines)
    next(work)
    until(lambda: len(begun(tmp_path)) == 3)
    work.close()
    (tmp_path / "open").touch()  # those that have begun go on to their end
    assert list(work_on([Chunk("next", divmod, (7, 2))], into, machines))[-1] == 1
    assert into.results == {"next": (3, 1)}
    assert list(work_on(_held(tmp_path, 5), into, machines))[-1] == 1
    assert len(into.results) == 6


def test_a_worker_killed_loses_nothing(
    cluster: Cluster, machines: Machines, tmp_path: Path
) -> None:
    into = Collected()
    work = work_on(_held(tmp_path, 5), into, machines)
    next(work)
    until(lambda: len(begun(tmp_path)) == 3)
    lost, (process,) = next(iter(begun(tmp_path).items()))
    os.kill(process, signal.SIGKILL)
    (tmp_path / "open").touch()
    assert list(work)[-1] == 1
    assert sorted(number for number, _ in into.results.values()) == list(range(5))
    assert into.results[lost][1] != process
    assert process not in {worker for _, worker in into.results.values()}
    assert not machines.problem


def test_without_a_scheduler_this_machine_goes_on_alone(
    cluster: Cluster, machines: Machines, tmp_path: Path
) -> None:
    into = Collected()
    work = work_on(_held(tmp_path, 5), into, machines)
    next(work)
    until(lambda: len(begun(tmp_path)) == 2)
    cluster.scheduler.kill()
    (tmp_path / "open").touch()
    assert list(work)[-1] == 1
    assert len(into.results) == 5
    assert os.getpid() in {process for _, process in into.results.values()}
    assert machines.problem == (
        f"The scheduler at {cluster.address} does not answer: this machine works alone."
    )
    assert machines.places == HERE.places


def test_addresses_are_checked() -> None:
    assert not why_not("tls://scheduler:8786")
    machines = Machines("scheduler:8786", HERE)
    assert machines.places == HERE.places
    assert machines.problem == (
        "CONVSCOPE_SCHEDULER is 'scheduler:8786': give tcp://HOST:PORT in a private network, or "
        "tls://HOST:PORT. This machine works alone."
    )
    assert machines.submit(divmod, 7, 2).result() == (3, 1)
