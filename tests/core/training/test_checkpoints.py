"""The disk as a thing that can fail: full, not writable, shared, emptied, and left behind."""

import gc
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from core import disk
from core.data.mnist import Dataset
from core.disk import DiskError, remove_leftovers
from core.network.architecture import Architecture, ConvBlock
from core.training import checkpoints as module
from core.training.checkpoints import CheckpointFiles
from core.training.runs import Run
from core.training.settings import TrainingSettings
from tests.test_house import ROOT

WEIGHTS = {"a": np.zeros(25_000, np.float32)}  # 0.1 MB
TINY = Architecture((ConvBlock(4, 3),), (10,))
FAST = TrainingSettings(epochs=1, batch_size=50, learning_rate=2e-3, training_images=1_000)
FREE = r"cannot be written to the server's disk \([A-Z].*\): free space in its temporary folder"


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """Python ignores the signal that says so: a write past the limit is an OSError, as if full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this test, in which no process has a folder of its own yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(disk._Home, "now", None)
    return tmp_path


def test_the_budget_takes_from_the_oldest_and_says_so(
    monkeypatch: pytest.MonkeyPatch, small: Dataset
) -> None:
    monkeypatch.setattr(module, "DISK_BUDGET", 1_500_000)
    gc.collect()  # runs of other tests
    run = Run(TINY, FAST, small, number=1)
    old, new = run.checkpoints, CheckpointFiles()
    for step in range(10):
        old.save(step, WEIGHTS)
    assert run.made_room == ""
    for step in range(12):
        new.save(step, WEIGHTS)
    assert [old.steps[0], old.steps[-1]] == [0, 9]
    assert len(old.steps) < 5
    assert len(new.steps) > 9
    assert (old.load(9)["a"] == 0).all()
    assert f"{10 - len(old.steps)} checkpoints of run 1 had to make room" in run.made_room
    for step in range(12, 60):
        new.save(step, WEIGHTS)
    assert [new.steps[0], new.steps[-1]] == [0, 59]
    assert old._bytes + new._bytes <= 1_500_000


def test_where_thinning_is_not_enough_the_oldest_run_goes(
    monkeypatch: pytest.MonkeyPatch, small: Dataset
) -> None:
    monkeypatch.setattr(module, "DISK_BUDGET", 250_000)
    run = Run(TINY, FAST, small, number=1)
    new = CheckpointFiles()
    run.checkpoints.save(0, WEIGHTS)
    for step in (0, 1):
        new.save(step, WEIGHTS)
    assert not run.trained
    assert new.steps == [0, 1]
    assert run.made_room.startswith("All checkpoints of run 1 had to make room")


def test_a_full_disk_is_one_sentence_and_leaves_no_half_file() -> None:
    files = CheckpointFiles()
    files.save(0, WEIGHTS)
    with _files_of_at_most(50_000), pytest.raises(DiskError, match=FREE):
        files.save(1, WEIGHTS)
    assert files.steps == [0]
    assert [path.name for path in files._folder.iterdir()] == ["00000000.safetensors"]
    files.save(1, WEIGHTS)
    assert files.steps == [0, 1]


def test_a_run_on_a_full_disk_keeps_what_it_has(small: Dataset) -> None:
    run = Run(TINY, FAST, small, number=1)
    work = run.work()
    for _ in range(3):
        next(work)
    kept = run.checkpoints.steps
    with _files_of_at_most(1_000), pytest.raises(DiskError, match=FREE):
        list(work)
    assert run.checkpoints.steps == kept
    assert run.evaluate(kept[-1]).accuracy.total == 500
    assert not run.unscored, "the score needs no disk"


def test_a_folder_that_cannot_be_written_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "file" / "below"))
    with pytest.raises(DiskError, match=FREE):
        CheckpointFiles()
    remove_leftovers()  # finds none, and says nothing


def test_files_that_somebody_removed_are_one_sentence(folder: Path, small: Dataset) -> None:
    """Who frees space as told takes runs along: they have no model any more, and others begin."""
    run = Run(TINY, FAST, small, number=1)
    list(run.work())
    (run.checkpoints._folder / "00000000.safetensors").write_bytes(b"\x80")
    with pytest.raises(DiskError, match=r"cannot be read: .* gone or damaged"):
        run.evaluate(0)
    for each in folder.iterdir():
        shutil.rmtree(each)
    assert not run.trained
    assert not run.checkpoints.can_go_on
    with pytest.raises(DiskError, match=FREE):
        run.checkpoints.save(1, WEIGHTS)
    CheckpointFiles().save(0, WEIGHTS)


_SERVER = """
import sys
import numpy as np
from core.training.checkpoints import CheckpointFiles
files = CheckpointFiles()
files.save(0, {"a": np.zeros(9, np.float32)})
print(files._folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server(folder: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], Path]]]:
    """Starts another process that has a run, and says where."""
    started = []

    def start() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)},
        )  # fmt: skip
        started.append(process)
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_next_start_removes_what_no_process_owns(
    folder: Path, server: Callable[[], tuple[subprocess.Popen[str], Path]]
) -> None:
    (killed, left), (_, alive) = server(), server()
    own = CheckpointFiles()
    own.save(0, WEIGHTS)
    foreign = folder / "convscope-of-somebody-else"
    foreign.mkdir()
    (folder / "convscope-elsewhere").symlink_to(foreign)
    killed.kill()
    killed.wait()
    assert left.exists(), "nobody removed it"
    remove_leftovers()
    assert not left.parent.exists()
    assert (alive / "00000000.safetensors").exists()
    assert own.steps == [0]
    assert {path.name for path in folder.glob("convscope-*")} == {
        alive.parent.name, own._folder.parent.name, foreign.name, "convscope-elsewhere",
    }  # fmt: skip


def test_a_server_that_ends_leaves_nothing(
    server: Callable[[], tuple[subprocess.Popen[str], Path]],
) -> None:
    process, used = server()
    process.communicate("")
    assert not used.parent.exists()
