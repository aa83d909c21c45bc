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


# A large block that was freed makes malloc keep as much; then forty of a megabyte come and go.
_KEPT = """
import ctypes, sys, threading
from pathlib import Path
from core.memory import give_back, keep_little

if "told" in sys.argv:
    keep_little()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.memset.argtypes = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
library.free.argtypes = (ctypes.c_void_p,)

def come_and_go(size, count):
    blocks = [library.malloc(size) for _ in range(count)]
    for block in blocks:
        library.memset(block, 1, size)
    for block in blocks:
        library.free(block)

def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])

def measure():
    before = pages()
    come_and_go(30 << 20, 1)
    come_and_go(1 << 20, 40)
    print((pages() - before) * 4096 >> 20)

if "between" not in sys.argv:
    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
"""
# Of two hundred blocks every second one goes.
_BETWEEN = """
blocks = [library.malloc(1 << 17) for _ in range(200)]
for block in blocks:
    library.memset(block, 1, 1 << 17)
held = pages()
for block in blocks[::2]:
    library.free(block)
kept = pages()
give_back()
print((held - kept) * 4096 >> 20, (held - pages()) * 4096 >> 20)
"""


def _run(program: str, *arguments: str, **environment: str) -> str:
    """What a program prints in a process that starts with `environment`."""
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def test_threads_share_two_arenas() -> None:
    def arenas(*arguments: str, **environment: str) -> int:
        return _run(_ARENAS, *arguments, **environment).count("<heap nr=")

    assert arenas() > 2
    assert arenas("told") == 2
    assert arenas(**ENVIRONMENT) == 2


def test_what_is_free_goes_back() -> None:
    assert int(_run(_KEPT)) > 30  # MB
    assert int(_run(_KEPT, "told")) < 10
    assert int(_run(_KEPT, **ENVIRONMENT)) < 10


def test_what_is_free_between_blocks_goes_back_when_asked() -> None:
    freed, given_back = map(int, _run(_KEPT + _BETWEEN, "told", "between").split())
    assert freed < 3  # MB of twelve
    assert given_back > 8
