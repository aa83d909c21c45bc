"""A function of core on a stranger's bytes, in a throwaway process with limits of time and memory.

What strangers send may take any time and memory to read, or bring down the library that reads it.
Apart from the server that costs its sender one sentence: no lock of the server is held meanwhile.
"""

import contextlib
import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

SECONDS = 10.0
MEMORY = 2**30  # bytes of addresses
_ROOT = Path(__file__).parent.parent
_REFUSED = 3  # the exit code of a function that has raised ValueError
_places = threading.BoundedSemaphore(4)  # processes at once; each wait for one has an end

Reader = Callable[[bytes], bytes]


def apart(
    function: Reader, data: bytes, *, seconds: float = SECONDS, memory: int = MEMORY
) -> bytes:
    """What a public function of a module of core, which must not load TensorFlow, makes of `data`.

    Raises ValueError with the function's own sentence, or with one that says that it took longer
    than `seconds`, more than `memory` bytes, or came to no end.
    """
    if not _places.acquire(timeout=seconds):
        raise ValueError("Many files are being read just now: try it again.")
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, function.__module__, function.__name__, str(memory)],
            input=data,
            capture_output=True,
            timeout=seconds,
            check=False,
            cwd=_ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread takes addresses
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"Reading the file takes more than {seconds:g} s: {_REMEDY}") from None
    finally:
        _places.release()
    if done.returncode == _REFUSED:
        raise ValueError(done.stdout.decode())
    if done.returncode:
        raise ValueError(f"Reading the file failed, or takes too much memory: {_REMEDY}")
    return done.stdout


_REMEDY = "save it smaller or in another way."


def _limit(memory: int) -> None:
    """Bound the addresses of this process; Windows has no such bound."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(module: str, name: str, memory: str) -> int:
    _limit(int(memory))
    function: Reader = getattr(importlib.import_module(module), name)
    answer, code = b"", 0
    try:
        with contextlib.redirect_stdout(sys.stderr):
            answer = function(sys.stdin.buffer.read())
    except ValueError as error:
        answer, code = str(error).encode(), _REFUSED
    sys.stdout.buffer.write(answer)
    return code


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
