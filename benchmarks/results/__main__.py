"""`python -m benchmarks.results FILE` in the folder of a tree: write its results to an .npz file.

Names are looked up where the tree has them: in rooms, or in the flat house before the rooms.
Everything that draws has its seed, and one thread does all the work: the order of what several
threads add up would follow the clock.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.results import NO_RESULT, attacked, guarded, inspected, links, trained
from benchmarks.results.tree import here

RESULTS: dict[str, Callable[[], Any]] = {
    **inspected.RESULTS,
    **attacked.RESULTS,
    **guarded.RESULTS,
    **trained.RESULTS,
    **links.RESULTS,
}


def arrays_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Numbers, texts and arrays inside dicts, lists and rates, each with the way to it."""
    if isinstance(value, Mapping):
        parts = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(str(number), each) for number, each in enumerate(value)]
    elif hasattr(value, "successes"):
        parts = [("successes", value.successes), ("total", value.total)]
    else:
        yield path, np.asarray("nothing" if value is None else value)
        return
    for name, part in parts:
        yield from arrays_of(part, f"{path}/{name}")


def main() -> None:
    """Write the arrays of every result; of one that fails what it says."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    here.tf.config.threading.set_inter_op_parallelism_threads(1)  # the project asks for two
    found: dict[str, Any] = {}
    for name, result in RESULTS.items():
        try:
            made = dict(arrays_of(result()))
        except Exception as error:
            made = {f"/{NO_RESULT}": np.asarray(f"{type(error).__name__}: {error}")}
        found |= {f"{name}{path}": array for path, array in made.items()}
    np.savez(sys.argv[1], **found)


main()
