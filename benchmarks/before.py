"""Is it slower than it was? This build beside an older one, alternating.

    python -m benchmarks before ce7f3d2             the commit, and some of TASKS if not all
    python -m benchmarks before ce7f3d2 pgd-128     are meant

The older build is checked out in a folder of its own and runs its own `benchmarks.training`,
`attacks` and `attribution`; its first picture is that of its own server.
"""

import contextlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks import startup
from benchmarks.contender import Contender

HERE = Path(__file__).parent.parent
ROUNDS = 9
Round = Callable[[], float]
Build = Callable[[Path], AbstractContextManager[Round]]


def main(rounds: int = ROUNDS) -> None:
    """Print both medians and the median ratio for every task."""
    commit, *chosen = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder, checked_out(commit, Path(folder)) as before:
        for task in chosen or TASKS:
            report(task, commit, compare(TASKS[task], (HERE, before), rounds))


def compare(build: Build, places: tuple[Path, ...], rounds: int) -> list[list[float]]:
    """Seconds of each round of the builds in `places`, one after the other."""
    with contextlib.ExitStack() as stack:
        builds = [stack.enter_context(build(place)) for place in places]
        for each in builds:
            each()  # start-up, tracing and warm-up
        return [[each() for each in builds] for _ in range(rounds)]


def report(task: str, commit: str, seconds: list[list[float]]) -> None:
    """Print the medians, and how many times as long it takes now within each round."""
    now, then = (statistics.median(each) * 1000 for each in zip(*seconds, strict=True))
    ratios = [new / old for new, old in seconds]
    print(
        f"{task}: {now:.0f} ms now, {then:.0f} ms at {commit}; {statistics.median(ratios):.3f} "
        f"times as long [{min(ratios):.3f}, {max(ratios):.3f}], {len(seconds)} rounds",
        flush=True,
    )


@contextlib.contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """The project as it was at a commit, inside `folder`."""
    git = ["git", "-C", str(HERE), "worktree"]
    place = folder / "before"
    subprocess.run([*git, "add", "--detach", "--quiet", str(place), commit], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def _process(module: str, *arguments: str) -> Build:
    """Rounds of `python -m benchmarks.MODULE convscope …` inside each place."""
    return lambda place: _rounds(
        Contender(f"benchmarks.{module}", "convscope", *arguments, inside=place)
    )


@contextlib.contextmanager
def _rounds(contender: Contender) -> Iterator[Round]:
    with contender:
        yield contender.round


def _attack(task: str) -> Build:
    """The same of an attack, which leaves what it finds in a folder."""

    @contextlib.contextmanager
    def build(place: Path) -> Iterator[Round]:
        with (
            tempfile.TemporaryDirectory() as folder,
            _process("attacks", task, folder)(place) as each,
        ):
            yield each

    return build


@contextlib.contextmanager
def _first_picture(place: Path) -> Iterator[Round]:
    """Rounds of a fresh server of the build and its first picture in a fresh browser."""

    def work() -> float:
        with startup.chromium() as browser:
            return startup.first_picture(browser, place)

    yield work


TASKS: dict[str, Build] = {
    "training": _process("training", "model-1"),  # a round is of 3,200 images
    "training-2": _process("training", "model-2"),
    "pgd-128": _attack("pgd-128"),
    "pgd-8": _attack("pgd-8"),
    "occlusion": _process("attribution", "4/1", "all"),
    "first-picture": _first_picture,
}
