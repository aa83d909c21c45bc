"""A process that does one piece of work each time it is asked, and says how long it took."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class Contender:
    """`python -m MODULE NAME` as a process of its own, with its own libraries and threads.

    The module reads a line for every round and prints the seconds that the round took.
    inside: the folder of the project that has it, if not this one. python: of which environment.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        inside: Path | None = None,
        python: Path = Path(sys.executable),
    ) -> None:
        self.name = arguments[0]
        self._process = subprocess.Popen(
            [str(python), "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=inside,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def round(self) -> float:
        """The seconds of one round; the first includes every start-up cost."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended before it answered.")
        return float(answer)


def serve(work: Callable[[], float]) -> None:
    """The other side: one round of `work` per line of standard input."""
    for _ in sys.stdin:
        print(work(), flush=True)
