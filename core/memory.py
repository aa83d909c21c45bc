"""Memory that is free goes back to the system: what glibc's malloc is told, here and in workers.

Left alone it keeps an arena for each of the first 8 × cores threads, and in each up to 64 MB of
what a thread once needed: some 300 MB after one visitor's tour of seven pages. Elsewhere than under
glibc nothing is told.
"""

import ctypes
import functools
import sys

_MB = 2**20
# By its name in the environment: the number that mallopt knows it by, and its value. Arrays from
# 4 MB on go back at once, what is free at an arena's end from 8 MB on. At 128 kB no less is held,
# and twice as many pages have to be cleared for arrays.
_SETTINGS = {
    "MALLOC_ARENA_MAX": (-8, 2),  # one that computes and one that answers seldom meet
    "MALLOC_MMAP_THRESHOLD_": (-3, 4 * _MB),
    "MALLOC_TRIM_THRESHOLD_": (-1, 8 * _MB),
}

# For a process that starts: told before its first allocation, it keeps the least.
ENVIRONMENT = {name: str(value) for name, (_, value) in _SETTINGS.items()}


@functools.cache
def keep_little() -> bool:
    """Tell the malloc of this process, once; whether there is one that can be told.

    Arenas that exist stay: the earlier it is told, the less it keeps.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return all(library.mallopt(number, value) for number, value in _SETTINGS.values())


def give_back() -> None:
    """Return what is free between what is used, a page at least at a time; takes some 15 ms."""
    if keep_little():
        ctypes.CDLL(None).malloc_trim(0)
