"""Images per second of training: this project beside Keras `fit`, PyTorch and plain TensorFlow.

    python -m benchmarks training           every task
    python -m benchmarks training model-1   some of TASKS
    python -m benchmarks training peers     make the environment in which PyTorch runs

Every contender is a process of its own with its library's default threads; they take turns. The
report is the median over rounds, the ratio within each round, and which targets are met; it is kept
as benchmarks/measured/training.json.
"""

import importlib.metadata
import statistics
import subprocess
import sys
import venv
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contender import Contender, serve
from benchmarks.trainers import CONTENDERS

ROUNDS = 9
IMAGES = 3_200  # of a round of `convscope`, as `benchmarks.before` compares it with older builds
PEERS = Path(__file__).parent / ".peers"
TORCH = "torch==2.13.0"
TASKS = {  # images of each contender's rounds: `train` needs some scores in each
    "model-1": {"convscope": 6_400, "train": 30_000, "keras": 6_400, "torch": 6_400},
    "model-2": {"convscope": 6_400, "train": 30_000, "keras": 6_400, "torch": 6_400},
    "pgd-7": {"convscope": 1_280, "plain": 1_280},
    "certified": {"convscope": 3_200, "plain": 3_200},
}


@dataclass(frozen=True)
class Target:
    """How many times as fast as `peer` our contender is to be in a task."""

    task: str
    ours: str
    peer: str
    times: float


TARGETS = (
    Target("model-1", "train", "convscope", 0.95),
    Target("model-1", "train", "keras", 1.6),
    Target("model-1", "train", "torch", 2.5),
    Target("model-2", "convscope", "keras", 2.6),
    Target("model-2", "train", "keras", 2.4),
    Target("pgd-7", "convscope", "plain", 2.0),
    Target("certified", "convscope", "plain", 2.0),
)


def main(rounds: int = ROUNDS) -> None:
    """Print the tables, and keep what was measured."""
    from benchmarks.machine import conditions, keep  # of packages that PyTorch's environment lacks

    chosen = sys.argv[2:] or list(TASKS)
    if chosen == ["peers"]:
        make_peers()
        return
    result = conditions() | {"torch": TORCH, "images_per_second": {}, "compared": []}
    for task in chosen:
        speeds = measure(task, rounds)
        rows = compared(task, speeds)
        print(table({"images_per_second": {task: speeds}, "compared": rows}), flush=True)
        result["images_per_second"][task] = speeds
        result["compared"] += rows
        keep("training", result)


def make_peers() -> None:
    """The environment for PyTorch, which does not share one with TensorFlow."""
    venv.create(PEERS, clear=True, with_pip=True)
    numpy = f"numpy=={importlib.metadata.version('numpy')}"
    subprocess.run([PEERS / "bin" / "python", "-m", "pip", "install", TORCH, numpy], check=True)


def measure(task: str, rounds: int) -> dict[str, list[float]]:
    """Images per second of each contender in each round, taking turns."""
    python = PEERS / "bin" / "python"
    speeds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        contenders = []
        for name, images in TASKS[task].items():
            if name == "torch" and not python.exists():
                print("PyTorch is left out: `python -m benchmarks training peers` installs it.")
                continue
            program = python if name == "torch" else Path(sys.executable)
            each = Contender("benchmarks.training", name, task, str(images), python=program)
            contenders.append((images, stack.enter_context(each)))
        for _, contender in contenders:
            contender.round()  # start-up, tracing and warm-up
        for _ in range(rounds):
            for images, contender in contenders:
                speeds.setdefault(contender.name, []).append(images / contender.round())
    return speeds


def compared(task: str, speeds: dict[str, list[float]]) -> list[dict[str, Any]]:
    """The ratios within each round that the targets of a task are about."""
    rows = []
    for target in TARGETS:
        if target.task == task and target.peer in speeds:
            pairs = zip(speeds[target.ours], speeds[target.peer], strict=True)
            rows.append({**vars(target), "ratios": [ours / theirs for ours, theirs in pairs]})
    return rows


def table(result: dict[str, Any]) -> str:
    """What was kept, in Markdown: medians of each contender, then each target with its ratio."""
    lines = ["| task | images/s, median of alternating rounds |", "| --- | --- |"]
    for task, speeds in result["images_per_second"].items():
        medians = (f"{name} {statistics.median(each):,.0f}" for name, each in speeds.items())
        lines.append(f"| {task} | {', '.join(medians)} |")
    lines += ["", "| compared | times as fast | target |", "| --- | --- | --- |"]
    for row in result["compared"]:
        ratios = row["ratios"]
        ratio, target = statistics.median(ratios), row["times"]
        lines.append(
            f"| {row['task']}: {row['ours']} beside {row['peer']} "
            f"| {ratio:.2f} [{min(ratios):.2f}, {max(ratios):.2f}] "
            f"| {target:g}: {'met' if ratio >= target else 'not met'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    name, task, *images = sys.argv[1:]
    serve(CONTENDERS[name](task, int(images[0]) if images else IMAGES))
