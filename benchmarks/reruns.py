"""Does anything grow while visitors come and go on one page? 200 runs of every page, one process.

    python -m benchmarks reruns             every page
    python -m benchmarks reruns layers 50   some of them, and so often

Counted are Python's objects and TensorFlow's graphs, after all that is dead was collected: the
first runs fill caches and are not counted. Ends with 1 if a page has left more than a few objects
a run, or one graph more.
"""

import gc
import sys
import threading
import time
from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

from benchmarks.before import HERE
from core.backend import settle, tf
from tests.ui.conftest import open_page, take_no_pages_directory
from ui.header.navigation import VIEWS

TIMES = 200
FIRST = 5  # runs that fill what is filled once
A_RUN = 20  # objects that a run may leave: lists of times and the like


@dataclass(frozen=True)
class Census:
    """What lives in the process."""

    objects: int
    graphs: int


def main() -> None:
    """Print a line for every page."""
    asked = [each for each in sys.argv[2:] if not each.isdigit()]
    times = next((int(each) for each in sys.argv[2:] if each.isdigit()), TIMES)
    grown = False
    with pytest.MonkeyPatch.context() as patch:
        take_no_pages_directory(patch)
        for view in VIEWS:
            if asked and view.file not in asked:
                continue
            started = time.perf_counter()
            before, after = reruns(view.file, times)
            left = (after.objects - before.objects) / times
            grown |= left > A_RUN or after.graphs > before.graphs
            print(
                f"{view.file}: {before.objects:,} objects, {left:+.1f} a run; {before.graphs} "
                f"graphs, {after.graphs} after {times} runs in "
                f"{time.perf_counter() - started:.0f} s",
                flush=True,
            )
    sys.exit(grown)


def reruns(page: str, times: int) -> tuple[Census, Census]:
    """What lives before and after one visitor has run a page so often."""
    app = AppTest.from_file(str(HERE / "dashboard.py"), default_timeout=300)
    open_page(app, page)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()  # what the first page has loaded behind it
    for _ in range(FIRST):
        app.run()
    before = census()
    for _ in range(times):
        app.run()
    assert not app.exception
    return before, census()


def census() -> Census:
    """Count what lives, once what is dead has been collected."""
    settle()
    gc.unfreeze()
    living = gc.get_objects()
    graphs = sum(type(each) is tf.__internal__.FuncGraph for each in living)
    gc.freeze()
    return Census(len(living), graphs)


if __name__ == "__main__":
    main()
