"""The processes at work, as the server holds them: the supervisor, and each of its workers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core.failures import WorkerLost
from core.memory import ENVIRONMENT
from core.work.supervisor import END, FORK, NO_PROCESS, STAY

_ROOT = Path(__file__).parents[2]
_NONE_LEFT = "There is no memory for another process to work in: try it again in a minute."


class Supervisor:
    """Starts the program that forks workers, with the first of them at the latest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """See that the program runs, and stays; do not wait until it is ready."""
        with self._lock, contextlib.suppress(OSError):  # `fork` will say so
            try:
                self._running().send(STAY, socket.MSG_DONTWAIT)
            except ConnectionError:
                self._stop()
                self._running()

    def fork(self) -> "Worker":
        """A new worker. Raises WorkerLost with one sentence if there is no memory for it."""
        own, its = socket.socketpair()
        with its, self._lock:
            number = self._forked(its) or self._forked(its)  # once more if the program was gone
        if number == NO_PROCESS:
            own.close()
            raise WorkerLost(_NONE_LEFT)
        return Worker(self, number, own)

    def _forked(self, its: socket.socket) -> int:
        try:
            return self._ask(self._running(), FORK, its.fileno())
        except OSError:
            self._stop()
            return NO_PROCESS

    def end(self, number: int) -> int:
        """Kill a worker of `fork` unless it has ended, and its exit code (minus the signal)."""
        with self._lock, contextlib.suppress(OSError):
            if self._control is not None:
                return self._ask(self._control, END + b" %d" % number)
        return -signal.SIGKILL  # the supervisor is gone: a worker ends with its socket

    def close(self) -> None:
        """End the program and all its workers; the next `fork` starts it anew."""
        with self._lock:
            self._stop()

    @property
    def process(self) -> int | None:
        """The number of the program's process, None if it does not run."""
        return self._process.pid if self._process else None

    def _running(self) -> socket.socket:
        """The socket to the program, which is started unless it runs."""
        if self._control is not None:
            return self._control
        own, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.work.supervisor", str(its.fileno())],
                pass_fds=[its.fileno()],
                cwd=_ROOT,
                env=os.environ | ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                process_group=0,  # what is typed in the server's terminal is for the server
            )
        self._control = own
        return own

    @staticmethod
    def _ask(control: socket.socket, message: bytes, *descriptors: int) -> int:
        socket.send_fds(control, [message], descriptors)
        answer = control.recv(64)
        if not answer:
            raise ConnectionError
        return int(answer)

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.wait()
        self._control = self._process = None


class Worker:
    """One process that works, and the connection to it."""

    def __init__(self, supervisor: Supervisor, number: int, own: socket.socket) -> None:
        self.number, self._supervisor, self._socket = number, supervisor, own
        self._connection: Connection[Any, Any] = Connection(os.dup(own.fileno()))
        self._lock = threading.Lock()
        self._code: int | None = None

    def send(self, message: object) -> None:
        """Send what can be pickled. Raises WorkerLost if the process has ended."""
        try:
            self._connection.send(message)
        except OSError:
            raise self._lost() from None

    def speaks_within(self, seconds: float) -> bool:
        """Whether a message, or the end of the process, comes within so long."""
        return not self._connection.closed and self._connection.poll(seconds)

    def receive(self) -> Any:
        """The next message, waited for. Raises WorkerLost if the process has ended."""
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            raise self._lost() from None

    def kill(self) -> int:
        """End the process at once, and its exit code; negative: the signal that has ended it."""
        with self._lock:
            if self._code is None:
                self._code = self._supervisor.end(self.number)
                with contextlib.suppress(OSError):  # who waits for a message is told
                    self._socket.shutdown(socket.SHUT_RDWR)
            return self._code

    def close(self) -> None:
        """End the process and let go of the connection; nobody may be waiting for a message."""
        self.kill()
        self._connection.close()
        self._socket.close()

    def _lost(self) -> WorkerLost:
        code = self.kill()
        if code == -signal.SIGKILL:
            return WorkerLost(
                "The system ended the process that worked on it, most likely because memory ran "
                "out: ask for less at once, or try it again later."
            )
        return WorkerLost(f"The process that worked on it ended (exit code {code}): try it again.")
