"""A scheduler and workers as compose.yaml starts them, as processes of this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.test_house import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())


def until(condition: Callable[[], bool]) -> None:
    """Wait; a minute or two are for a machine that has much else to do."""
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within three minutes"
        time.sleep(0.02)


def command(service: str, **other: str) -> list[str]:
    """What a service of compose.yaml runs, with other arguments in place of some."""
    _, *arguments = COMPOSE["services"][service]["command"]
    return [sys.executable, *(other.get(each, each) for each in arguments)]


class Cluster:
    """The processes; workers without Dask's nanny, which would start one anew that was killed."""

    def __init__(self, folder: Path, workers: int, preload: str = "core.attacks.catalog") -> None:
        self._folder, self._file, self._preload = folder, folder / "scheduler.json", preload
        free = ["--host", "127.0.0.1", "--scheduler-file", str(self._file)]
        self.scheduler = self._start([*command("scheduler", **{"8786": "0"}), *free])
        until(self._file.exists)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.add(workers)

    @property
    def address(self) -> str:
        """Of the scheduler."""
        address: str = json.loads(self._file.read_text())["address"]
        return address

    def add(self, workers: int) -> None:
        """Start more workers."""
        start = command(
            "worker",
            **{
                "tcp://scheduler:8786": self.address,
                "2GiB": "0",
                "core.attacks.catalog": self._preload,
            },
        )
        alone = ["--host", "127.0.0.1", "--no-nanny", "--death-timeout", "10"]
        self.workers += [self._start([*start, *alone]) for _ in range(workers)]

    def end(self) -> None:
        """Kill all."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, program: list[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                program,
                cwd=self._folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "MALLOC_ARENA_MAX": "2"},
                stdout=log,
                stderr=log,
            )
