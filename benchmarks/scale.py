"""A study on 1 to 4 workers of a scheduler, as compose.yaml starts them, and in one thread."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import machine
from core.arrays import to_float
from core.attacks.catalog import attack
from core.data.mnist import load_mnist
from core.studies.scoreboard import GOALS, Scoreboard
from core.work.chunks import HERE, AnyWorkers, Chunk, work_on
from core.work.machines import Machines
from core.work.parcels import packed
from core.zoo import models as zoo
from tests.cluster import Cluster, until

_IMAGES, _ROUNDS, _MOST = 400, 3, 4
_EMPTY = 200  # chunks that do nothing


class _Forgotten:
    """Keeps no result."""

    def has(self, key: object) -> bool:
        return False

    def take(self, key: object, result: object) -> None:
        pass


def main() -> None:
    """Print the table, and keep it with its conditions."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(Path(folder), 1)
        try:
            result = machine.conditions() | _measured(cluster)
        finally:
            cluster.end()
    print(table(result))
    machine.keep("scale", result)


def table(result: dict[str, Any]) -> str:
    """What was measured, in Markdown."""
    one = result["rows"][1]["images_a_second"]
    rows = [
        f"| {row['who']} | {row['images_a_second']:.0f} | {row['images_a_second'] / one:.2f} | "
        f"{row['processor_ms_an_image']:.1f} |"
        for row in result["rows"]
    ]
    return "\n".join(
        [
            f"PGD with 40 iterations on {result['images']} images of Model 1 in chunks of 25; "
            f"medians of {result['rounds']} rounds\n",
            "| who | images/s | to one worker | processor ms an image, of all processes |",
            "| --- | --- | --- | --- |",
            *rows,
            f"\nAn empty chunk takes {result['empty_chunk_ms']:.1f} ms; a chunk sends "
            f"{result['chunk_bytes']:,} bytes, and {result['network_bytes']:,} once a network. "
            f"Proportional memory: the scheduler {result['scheduler_mb']:.0f} MB, a worker "
            f"{result['worker_mb']:.0f} MB.",
        ]
    )


def _measured(cluster: Cluster) -> dict[str, Any]:
    machines = Machines(cluster.address, HERE)
    rows = [{"who": "this thread", **_study(HERE, cluster)}]
    for workers in range(1, _MOST + 1):
        cluster.add(workers - len(cluster.workers))
        until(lambda now=workers: machines.places == 2 * now)  # type: ignore[misc]
        rows.append({"who": f"{workers} workers", **_study(machines, cluster)})
    empty = _seconds_of_empty_chunks(machines)
    machines.close()
    parcel, (network,) = packed(attack("PGD"), (zoo.load("model-1"), _digits()[0][:25]))
    weights: Any = network
    return {
        "images": _IMAGES,
        "rounds": _ROUNDS,
        "rows": rows,
        "empty_chunk_ms": 1e3 * empty / _EMPTY,
        "chunk_bytes": len(parcel.content),
        "network_bytes": sum(each.nbytes for each in weights.weights),
        "scheduler_mb": _memory(cluster.scheduler.pid),
        "worker_mb": _memory(cluster.workers[0].pid),
    }


def _study(workers: AnyWorkers, cluster: Cluster) -> dict[str, float]:
    model, (images, labels) = zoo.load("model-1"), _digits()
    rates, costs = [], []
    for number in range(_ROUNDS + 1):  # the first builds graphs
        board = Scoreboard(attack("PGD"), {"iterations": 40}, GOALS[0], _IMAGES)
        wall, processor = time.perf_counter(), sum(_processor(cluster))
        for _ in board.work(model, images, labels, workers=workers):
            pass
        if number:
            rates.append(_IMAGES / (time.perf_counter() - wall))
            costs.append(1e3 * (sum(_processor(cluster)) - processor) / _IMAGES)
    return {
        "images_a_second": statistics.median(rates),
        "processor_ms_an_image": statistics.median(costs),
    }


def _seconds_of_empty_chunks(workers: AnyWorkers) -> float:
    begun = time.perf_counter()
    for _ in work_on((Chunk(n, divmod, (n, 7)) for n in range(_EMPTY)), _Forgotten(), workers):
        pass
    return time.perf_counter() - begun


def _digits() -> tuple[np.ndarray, np.ndarray]:
    test = load_mnist().test.first(_IMAGES)
    return to_float(test.images), test.labels.astype(np.int64)


def _processor(cluster: Cluster) -> Iterator[float]:
    """Seconds of this process, the scheduler and each worker."""
    yield time.process_time()
    for each in (*cluster.workers, cluster.scheduler):
        times = psutil.Process(each.pid).cpu_times()
        yield times.user + times.system


def _memory(process: int) -> float:
    return float(psutil.Process(process).memory_full_info().pss) / 1e6


if __name__ == "__main__":
    main()
