"""What the tests let a worker do, and how they wait for it."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psutil

from core.work.messages import Stopped
from tests.test_house import ROOT


def reshape_wrongly() -> None:
    """Lets TensorFlow raise a ValueError of its own."""
    from core.backend import tf

    tf.function(lambda: tf.reshape(tf.zeros(3), [2, 2]), autograph=False)()


def has_computed() -> bool:
    """Whether TensorFlow has, in this process or the one that it was forked from."""
    from tensorflow.python.eager import context

    return bool(context.context()._initialized)


def answer_that_cannot_be_sent() -> object:
    return threading.Lock()


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def text_of(file: str) -> str:
    return Path(file).read_text()


def take_too_much() -> int:
    """Asks for more than this process may have from now on; then gives the limit back."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 20, before[1]))
    try:
        return len(bytearray(1 << 33))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def count_until_stopped() -> Generator[int, int | None]:
    """From 0 on, or from what it is told; then minus the last."""
    number = 0
    try:
        while True:
            told = yield number
            number = number + 1 if told is None else told
    except Stopped:
        yield -number


def run_out_of_memory() -> Generator[int]:
    yield 1
    take_too_much()


def work_for_ever(number: Path) -> None:
    """Says which process it is, and comes to no end."""
    unfinished = number.with_suffix(".part")
    unfinished.write_text(str(os.getpid()))
    unfinished.replace(number)
    threading.Event().wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def wait_for(number: Path) -> psutil.Process:
    """The process that `work_for_ever` works in."""
    until(number.exists)
    return psutil.Process(int(number.read_text()))


def wait_for_the_end(process: psutil.Process) -> None:
    """Until it computes no more; who started it may not have asked yet how it ended."""
    until(lambda: not is_alive(process))


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def server(program: str, *arguments: str, folder: Path) -> "subprocess.Popen[str]":
    """Another process that runs `program`; its temporary folder is `folder`."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
