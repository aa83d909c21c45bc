"""Is it slower than it was? Attacks of this build beside those of an older one, alternating.

    python -m benchmarks before ce7f3d2             the commit, and tasks of `attacks` if not all
    python -m benchmarks before ce7f3d2 pgd-128     of PGD are meant

The older build is checked out in a folder of its own and runs its own `benchmarks.attacks`.
"""

import contextlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contender import Contender

TASKS = ("pgd-128", "pgd-8")
_ROUNDS = 31
_HERE = Path(__file__).parent.parent


def main() -> None:
    """Print both medians and the median ratio for every task."""
    commit, *tasks = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder, _checked_out(commit, Path(folder)) as before:
        for task in tasks or TASKS:
            _compare(task, commit, before, folder)


def _compare(task: str, commit: str, before: Path, folder: str) -> None:
    places = {"now": _HERE, commit: before}
    with contextlib.ExitStack() as stack:
        builds = {
            name: stack.enter_context(
                Contender("benchmarks.attacks", "convscope", task, folder, inside=place)
            )
            for name, place in places.items()
        }
        for build in builds.values():
            build.round()  # start-up, tracing and warm-up
        rounds = [[build.round() for build in builds.values()] for _ in range(_ROUNDS)]
    now, then = (statistics.median(each) * 1000 for each in zip(*rounds, strict=True))
    ratios = [new / old for new, old in rounds]
    print(
        f"{task}: {now:.0f} ms now, {then:.0f} ms at {commit}; {statistics.median(ratios):.3f} "
        f"times as long [{min(ratios):.3f}, {max(ratios):.3f}]",
        flush=True,
    )


@contextlib.contextmanager
def _checked_out(commit: str, folder: Path) -> Iterator[Path]:
    git = ["git", "-C", str(_HERE), "worktree"]
    place = folder / "before"
    subprocess.run([*git, "add", "--detach", "--quiet", str(place), commit], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)
