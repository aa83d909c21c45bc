"""How many workers a machine has room for, from the memory and the cores that it gives us."""

import contextlib
import os
import sys
from pathlib import Path

_MB = 2**20
# Proportional set sizes under load, rounded up: of the server, the supervisor, a worker.
_SERVER, _SUPERVISOR, _WORKER = 1_200 * _MB, 300 * _MB, 400 * _MB
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # of a container, by versions of cgroups
_CPU = "cpu.max"
_CGROUPS = Path("/sys/fs/cgroup")


def places(memory: int, cores: float) -> int:
    """How many jobs work at once beside a server in `memory` bytes, at most one a core.

    A study has its chunks computed by as many workers: with n jobs there are up to n - 1 trainings
    and n such workers. 0 where there is room for none, or one core, which a worker would take from
    the server: then work runs in the server's threads.
    """
    room = (memory - _SERVER - _SUPERVISOR) // _WORKER
    return int(min((room + 1) // 2, cores)) if room > 0 and cores >= 2 else 0


def found() -> int:
    """The `places` of this machine; 0 where a process cannot be forked safely (not on Linux)."""
    return places(memory(), cores()) if sys.platform == "linux" else 0


def memory(cgroups: Path = _CGROUPS) -> int:
    """Bytes of the machine, or of the container if it has a limit below that."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # “max”
            sizes.append(int((cgroups / name).read_text()))
    return min(sizes)


def cores(cgroups: Path = _CGROUPS) -> float:
    """How many cores this process may use, or the share of them that its container may."""
    own = float(len(os.sched_getaffinity(0)))
    with contextlib.suppress(OSError, ValueError):  # “max”
        quota, period = map(int, (cgroups / _CPU).read_text().split())
        return min(own, quota / period)
    return own
