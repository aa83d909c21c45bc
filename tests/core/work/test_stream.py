import gc
import itertools
import os
import pickle
import signal
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from core import disk
from core.data.mnist import Dataset
from core.disk import remove_leftovers
from core.failures import NoMemory, WorkerLost
from core.jobs import Job, JobManager
from core.network.architecture import Architecture, ConvBlock
from core.training.loop import Progress, TrainingDiverged
from core.training.runs import Run
from core.training.settings import TrainingSettings
from core.work.here import stream
from core.work.pool import Workers
from tests.core.work import tasks

TINY = Architecture((ConvBlock(4, 3),), (10,))
FAST = TrainingSettings(epochs=2, batch_size=50, learning_rate=2e-3, training_images=2_000)


def _training_process(workers: Workers) -> psutil.Process:
    """The newest of the workers."""
    children = psutil.Process(workers.supervisor.process).children()
    alive = [child for child in children if tasks.is_alive(child)]
    return max(alive, key=lambda child: child.create_time())


def _facts(record: Progress) -> str:
    """What depends neither on how fast it went, nor on when it was scored."""
    return repr((record.step, record.loss, record.accuracy, record.learning_rate))


def _same(one: Run, other: Run) -> None:
    assert [_facts(record) for record in one.history] == [_facts(r) for r in other.history]
    assert one.last_score == other.last_score
    assert one.checkpoints.steps == other.checkpoints.steps
    step = one.checkpoints.steps[-1]
    ours, theirs = one.checkpoints.load(step), other.checkpoints.load(step)
    assert all((array == theirs[name]).all() for name, array in ours.items())


@pytest.fixture(scope="module")
def in_thread(small: Dataset) -> Run:
    """The whole training, in this process."""
    run = Run(TINY, FAST, small, number=1)
    list(run.work())
    return run


@pytest.mark.parametrize("where", ["thread", "worker"])
def test_a_stream_is_told_and_stopped(where: str, request: pytest.FixtureRequest) -> None:
    if where == "worker":
        request.getfixturevalue("in_workers")
    numbers = stream(tasks.count_until_stopped)
    seen = list(itertools.islice((n for n in numbers if n is not None), 3))
    assert seen == [0, 1, 2]
    numbers.tell(100)
    assert 100 in itertools.islice((n for n in numbers if n is not None), 3)
    assert list(numbers.stop())[-1] <= -100
    assert list(numbers.stop()) == []
    assert list(numbers) == []


def test_a_stream_that_fails_says_so(in_workers: Workers) -> None:
    numbers = stream(tasks.run_out_of_memory)
    with pytest.raises(NoMemory, match="not enough memory"):
        list(numbers)


def test_two_trainings_at_once_give_the_weights_of_one_alone_here(
    in_thread: Run, in_workers: Workers, small: Dataset
) -> None:
    runs = [Run(TINY, FAST, small, number=number) for number in (1, 2)]
    for _ in itertools.zip_longest(*(run.work() for run in runs)):
        pass
    for run in runs:
        _same(run, in_thread)


def test_stopped_and_gone_on_it_is_the_same_training(
    in_thread: Run, in_workers: Workers, small: Dataset
) -> None:
    run = Run(TINY, FAST, small, number=1)
    work = run.work()
    while len(run.history) < 12:
        next(work)
    work.close()
    assert run.last is not None
    assert run.checkpoints.steps[-1] == run.last.step < 80
    assert run.last_score == run.evaluate(run.last.step).accuracy, "scored where it stopped"
    list(run.work())
    _same(run, in_thread)


def test_killed_it_is_one_sentence_and_goes_on_from_its_last_checkpoint(
    in_thread: Run, in_workers: Workers, small: Dataset
) -> None:
    run = Run(TINY, FAST, small, number=1)
    work = run.work()
    while len(run.history) < 12:
        next(work)
    _training_process(in_workers).kill()
    with pytest.raises(WorkerLost, match="most likely because memory ran out"):
        list(work)
    assert run.lost
    list(run.work())
    assert not run.lost
    _same(run, in_thread)


def test_one_that_does_not_answer_a_stop_is_killed(in_workers: Workers, small: Dataset) -> None:
    run = Run(TINY, FAST, small, number=1)
    work = run.work()
    while len(run.history) < 12:
        next(work)
    process = _training_process(in_workers)
    process.suspend()
    work.close()
    assert not process.is_running()
    assert run.checkpoints.can_go_on


def test_who_leaves_in_a_training_leaves_no_process_and_no_files(
    in_workers: Workers, small: Dataset
) -> None:
    manager, begun = JobManager(), threading.Event()

    def hold(job: Job) -> None:
        while job.fraction and job.active:
            begun.set()
            time.sleep(0.01)

    manager.gate = hold  # type: ignore[method-assign]
    run = Run(TINY, FAST, small, number=1)
    run.job = job = Job("a", "work", run.work)
    manager.submit(job)
    begun.wait()
    process, folder = _training_process(in_workers), run.checkpoints._folder
    manager.forget("a")
    del run
    tasks.wait_for_the_end(process)
    tasks.until(lambda: job.settled)
    gc.collect()
    tasks.until(lambda: not folder.exists())


def test_what_training_raises_arrives_as_it_is() -> None:
    raised = TrainingDiverged(12, 0.5)
    arrived = pickle.loads(pickle.dumps(raised))
    assert (type(arrived), str(arrived)) == (TrainingDiverged, str(raised))
    assert arrived.step == 12


_SERVER = """
from core.data.mnist import load_mnist
from core.network.architecture import Architecture, ConvBlock
from core.training.runs import Run
from core.training.settings import TrainingSettings
from core.work import here
from core.work.pool import Workers
workers = Workers(1)
here.use(workers)
run = Run(Architecture((ConvBlock(4, 3),), (10,)), TrainingSettings(), load_mnist(), number=1)
for share in run.work():
    if len(run.history) == 3:
        print(workers.supervisor.process, run.checkpoints._folder, flush=True)
"""


def test_a_server_killed_in_training_leaves_no_process_and_the_next_clears_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(disk._Home, "now", None)
    server = tasks.server(_SERVER, folder=tmp_path)
    assert server.stdout is not None
    number, folder = server.stdout.readline().split()
    supervisor = psutil.Process(int(number))
    left = [supervisor, *supervisor.children()]
    assert len(left) == 2
    os.kill(server.pid, signal.SIGKILL)
    server.communicate()
    for process in left:
        tasks.wait_for_the_end(process)
    assert list(Path(folder).glob("*.safetensors"))
    remove_leftovers()
    assert not Path(folder).parent.exists()
