"""Memory that is free goes back to the system: what glibc's malloc is told, here and in workers.

Left alone it keeps an arena for each of the first 8 × cores threads, and in each what a thread once
needed: some 300 MB after one visitor's tour of seven pages. Elsewhere than under glibc nothing is
told.
"""

import ctypes
import functools
import sys

_ARENAS = 2  # a thread that computes and one that answers seldom wait for each other
# Of mallopt the number and of the environment the name of each setting, with its value.
_SETTINGS = {"MALLOC_ARENA_MAX": (-8, _ARENAS)}

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
