"""What malloc is told, seen from processes of their own."""

import subprocess
import sys

from core.memory import ENVIRONMENT

# Twelve threads hold a block each at one time, and each gets an arena of its own if it may.
_ARENAS = """
import ctypes, sys, threading
from core.memory import keep_little

if "told" in sys.argv:
    keep_little()
library = ctypes.CDLL(None)
library.malloc.restype = library.fopen.restype = ctypes.c_void_p
met = threading.Barrier(12)

def hold():
    library.malloc(5_000)
    met.wait()

threads = [threading.Thread(target=hold) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
file = ctypes.c_void_p(library.fopen(b"/dev/stdout", b"w"))
library.malloc_info(0, file)
library.fclose(file)
"""


def _arenas(*arguments: str, **environment: str) -> int:
    """How many arenas a process has that starts with `environment`."""
    command = [sys.executable, "-c", _ARENAS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.count("<heap nr=")


def test_threads_share_two_arenas() -> None:
    assert _arenas() > 2
    assert _arenas("told") == 2
    assert _arenas(**ENVIRONMENT) == 2
