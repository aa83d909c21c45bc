"""A worker beside the server's thread: the first step, steps a second, an attack, memory.

Memory is the sum of proportional set sizes (what processes share counts once) of this process and
all that it has started.
"""

import pickle
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

from core.arrays import to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.data.mnist import load_mnist
from core.network.architecture import MODEL_1
from core.training.loop import train
from core.training.runs import Run
from core.training.settings import TrainingSettings
from core.work import here
from core.work.pool import Workers
from core.zoo import models as zoo

_ROUNDS = 15
_SETTINGS = TrainingSettings(epochs=1, training_images=20_000)


def main() -> None:
    """Print the figures as they come."""
    classifier = zoo.load_once("model-1")
    print(f"this process, with a model: {_memory():,.0f} MB", flush=True)
    workers = Workers(2)
    started = time.perf_counter()
    workers.supervisor.start()
    workers.supervisor.fork().close()
    seconds = time.perf_counter() - started
    print(f"the supervisor is ready after {seconds:.1f} s; with it {_memory():,.0f} MB", flush=True)
    here.use(workers)
    _train("a training in a worker")
    _attack(workers, classifier)
    workers.shutdown()
    here.use(None)
    print(f"without them: {_memory():,.0f} MB", flush=True)
    for _ in train(MODEL_1, load_mnist(), TrainingSettings(epochs=1, training_images=64)):
        pass  # as the server does where it has no workers
    _train("a training in a thread, traced before")


def _train(what: str) -> None:
    run = Run(MODEL_1, _SETTINGS, load_mnist(), number=1)
    started, first, most = time.perf_counter(), 0.0, 0.0
    for _ in run.work():
        if not first and len(run.history) > 1:
            first, most = time.perf_counter() - started, _memory()
    most = max(most, _memory())
    speed = statistics.median(p.images_per_second for p in run.history[2:])
    seconds = time.perf_counter() - started
    print(
        f"{what}: first record after {first:.1f} s, {run.settings.steps_per_epoch} steps in "
        f"{seconds:.1f} s ({speed:,.0f} images/s in steps alone); {most:,.0f} MB meanwhile",
        flush=True,
    )


def _attack(workers: Workers, classifier: Any) -> None:
    """PGD of 40 steps on one image, recorded, as the page asks for it."""
    test = load_mnist().test.first(1)
    images, goal = to_float(test.images), Untargeted(test.labels.astype(np.int64))

    def here_now() -> object:
        return pgd(classifier, images, goal, record=True)

    def in_worker() -> object:
        return workers.submit(pgd, classifier, images, goal, record=True).result()

    first = _seconds(in_worker)
    here_now()
    print(f"an attack in a new worker: {first[0]:.2f} s")
    for what, function in (
        ("here", here_now),
        ("in a worker", in_worker),
        ("the classifier pickled", lambda: pickle.dumps(classifier)),
    ):
        wall, cpu = (
            statistics.median(each) * 1000
            for each in zip(*(_seconds(function) for _ in range(_ROUNDS)), strict=True)
        )
        print(f"{what}: {wall:.0f} ms, of this process {cpu:.0f} ms of CPU", flush=True)


def _seconds(function: Callable[[], object]) -> tuple[float, float]:
    """On the clock, and of this process's CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def _memory() -> float:
    """MB."""
    here = psutil.Process()
    every = [here, *here.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in every if each.is_running()) / 1e6


if __name__ == "__main__":
    main()
