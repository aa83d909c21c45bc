"""Are the numbers those of an older commit? Forty results of both trees, bit by bit.

    python -m benchmarks same 79fe77e     beside that commit, checked out in a folder of its own
    python -m benchmarks same             this tree beside itself: whether it repeats itself

Each tree computes this tree's `benchmarks.results` in a process of its own, on one core with one
thread.
Ends with 1 unless all are equal.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.before import HERE, checked_out
from benchmarks.results import NO_RESULT

Arrays = Mapping[str, Any]
_RESULTS = HERE / "benchmarks" / "results"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Print a row for every result, and how many are equal."""
    commit = sys.argv[2] if len(sys.argv) > 2 else ""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with checked_out(commit, folder) if commit else nullcontext(HERE) as before:
            then = results_of(before, folder / "then.npz")
        now = results_of(HERE, folder / "now.npz")
    equal = 0
    for title in now | then:
        first, second = then.get(title, {}), now.get(title, {})
        difference = difference_of(first, second)
        equal += not difference
        print(f"  {digest(second)[:12]}  {title:33s}{difference or 'equal'}")
    print(f"{equal} of {len(now | then)} are equal to the last bit.")
    sys.exit(equal < len(now | then))


def results_of(tree: Path, file: Path) -> dict[str, dict[str, Any]]:
    """The arrays of every result by name, as the project in the folder `tree` computes them."""
    if tree != HERE:
        shutil.copytree(_RESULTS, tree / _RESULTS.relative_to(HERE), dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "benchmarks.results", str(file)],
        cwd=tree,
        env=os.environ | _ONE_THREAD,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    found: dict[str, dict[str, Any]] = {}
    with np.load(file, allow_pickle=False) as arrays:
        for name in arrays.files:
            title, _, part = name.partition("/")
            found.setdefault(title, {})[part] = arrays[name]
    return found


def digest(arrays: Arrays) -> str:
    """The SHA-256 of names, types, shapes and bytes, in hexadecimal digits."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def difference_of(then: Arrays, now: Arrays) -> str:
    """How two results differ; "" where there are both, with the same digest."""
    for when, arrays in (("before", then), ("now", now)):
        if NO_RESULT in arrays:
            return f"no result {when}: {arrays[NO_RESULT]}"
    if digest(then) == digest(now):
        return ""
    if alone := sorted(then.keys() ^ now.keys()):
        return f"parts of one alone: {len(alone)}, such as {alone[0]}"
    apart = {name: _distance(then[name], now[name]) for name in then}
    apart = {name: distance for name, distance in apart.items() if distance is not None}
    worst = max(apart, key=lambda name: apart[name])
    return f"{len(apart)} of {len(then)} parts, by {apart[worst]:.2g} at most, in {worst}"


def _distance(then: Any, now: Any) -> float | None:
    """The largest difference of two arrays, infinite of what is no number; None of the same."""
    if digest({"": then}) == digest({"": now}):
        return None
    if then.shape != now.shape or then.dtype != now.dtype or then.dtype.kind not in "biuf":
        return np.inf
    first, second = then.astype(np.float64), now.astype(np.float64)
    alike = (first == second) | (np.isnan(first) & np.isnan(second))
    distance = np.where(alike, 0, np.abs(first - second))
    return float(np.where(np.isnan(distance), np.inf, distance).max(initial=0))
