"""Chunks that stand still until a test lets them go, in whatever process they run."""

import os
import time
from pathlib import Path
from typing import Any


def held(folder: Path, number: int) -> tuple[int, int]:
    """The number, and the process that has got to the end with it."""
    (folder / f"{number}-{os.getpid()}").touch()
    while folder.exists() and not (folder / "open").exists():
        time.sleep(0.02)
    return number, os.getpid()


def broken(number: int) -> int:
    """No answer."""
    raise ValueError(f"Chunk {number} cannot be done: ask for another.")


def begun(folder: Path) -> dict[int, list[int]]:
    """By number the processes that have begun it."""
    found: dict[int, list[int]] = {}
    for each in folder.glob("*-*"):
        number, process = map(int, each.name.split("-"))
        found.setdefault(number, []).append(process)
    return found


class Collected:
    """Results by their key."""

    def __init__(self) -> None:
        self.results: dict[Any, Any] = {}

    def has(self, key: Any) -> bool:
        """As of `Collector`."""
        return key in self.results

    def take(self, key: Any, result: Any) -> None:
        """As of `Collector`."""
        assert key not in self.results, "nothing is measured twice"
        self.results[key] = result
