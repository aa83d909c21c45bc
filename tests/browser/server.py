"""A dashboard server of our own, on a free port, with its log."""

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.gate import Gate

ROOT = Path(__file__).parents[2]


class Server:
    """`streamlit run dashboard.py` as a process, its jobs behind `gate`; a context manager.

    root: the folder of the project that it runs.
    """

    def __init__(self, log: Path, root: Path = ROOT) -> None:
        self._log, self._gate_file, self._root = log, log.with_name("gate.json"), root
        self.gate = Gate(self._gate_file)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.browser.gated", str(self._gate_file)]
        options = [f"--server.port={self.port}", "--server.headless=true"]
        address = ["--server.address=127.0.0.1"]
        self._file = self._log.open("w")
        self._process = subprocess.Popen(
            [*command, *options, *address],
            cwd=self._root,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, f"The server did not start: {self.log()}"
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._file.close()

    @property
    def pid(self) -> int:
        """The process, for measuring it."""
        return self._process.pid

    def log(self) -> str:
        """What the server has printed."""
        return self._log.read_text()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
