"""When garbage is collected, now that Streamlit does not after every run.

Python itself looks at what is new, again and again. At what has lived for a while this looks, once
a minute and only if somebody did something: each look takes half a second, in which nobody is
answered.
"""

import gc
import threading
import time

from core.memory import give_back

PAUSE = 60.0  # seconds


def watch() -> None:
    """Settle every minute from now on, behind the pages."""
    threading.Thread(target=_watch, name="garbage", daemon=True).start()


def _watch() -> None:
    seen = _collections()
    while True:
        time.sleep(PAUSE)
        seen = _settle_if_more_than(seen)


def _settle_if_more_than(seen: int) -> int:
    """Settle unless nothing was done since `seen` collections; how many there have been by now."""
    from core.backend import settle

    if _collections() > seen:
        settle()
        give_back()
    return _collections()


def _collections() -> int:
    """How often Python has looked at what is new but not newest: each stands for 7,000 objects."""
    return int(gc.get_stats()[1]["collections"])
