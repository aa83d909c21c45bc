"""How many of seeded faults in core's mathematics the tests notice.

    python -m benchmarks mutation faults.jsonl             300 faults; goes on where it was left
    python -m benchmarks mutation faults.jsonl survivors   once more those that nothing noticed

Each fault of a seeded sample is put into a copy of the project. Then the tests run that import the
changed file, near and short ones first, in a process forked from one that has loaded TensorFlow and
nothing of core. A test that fails or hangs has noticed it.
"""

import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.mutants import Mutant, mutants

HERE = Path(__file__).parent.parent
WHERE = (
    "core/attacks/*.py",
    "core/certification/*.py",
    "core/optimization/objectives.py",
    "core/statistics/*.py",
)
COUNT, SEED = 300, 0
ENOUGH = 20  # seconds of tests for a fault
TESTS = "tests/core"
Fault = tuple[str, Mutant]


def main() -> None:
    """Judge what has no verdict yet, and print the score with its interval."""
    results, *again = (Path(each) for each in sys.argv[2:])
    verdicts = _read(results)
    if again:
        verdicts = {key: each for key, each in verdicts.items() if each["killed"]}
    _load()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "copy"
        shutil.copytree(HERE, place, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_*"))
        faults = sample(HERE)
        seconds = _durations(place, results.with_suffix(".seconds.json"))
        _check_collected(place, faults, seconds)
        for fault in faults:
            if _key(fault) not in verdicts:
                verdict = judge(place, fault, seconds)
                verdicts[_key(fault)] = verdict
                with results.open("a") as file:
                    file.write(json.dumps(verdict) + "\n")
                print(_line(verdict), flush=True)
    report(list(verdicts.values()))


def sample(root: Path) -> list[Fault]:
    """The seeded sample of the faults in the files of WHERE, in a random order."""
    files = sorted(path for pattern in WHERE for path in root.glob(pattern))
    found = [
        (path.relative_to(root).as_posix(), mutant)
        for path in files
        for mutant in mutants(path.read_text())
    ]
    return random.Random(SEED).sample(found, min(COUNT, len(found)))


def judge(place: Path, fault: Fault, seconds: dict[str, float]) -> dict[str, object]:
    """What the tests in the copy `place` say of a fault."""
    name, mutant = fault
    file = place / name
    source = file.read_text()
    tests = chosen(place, name, seconds)
    started = time.monotonic()
    file.write_text(mutant.of(source))
    try:
        code, said = _forked(place, tests, patience=60 + 10 * ENOUGH)
    finally:
        file.write_text(source)
    failed = [line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {
        "file": name, "line": source[: mutant.start].count("\n") + 1, "start": mutant.start,
        "before": mutant.before, "after": mutant.after, "killed": code != 0, "tests": len(tests),
        "by": "time" if code is None else failed[0][:200] if failed else "",
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def chosen(place: Path, name: str, seconds: dict[str, float]) -> list[str]:
    """Tests of the files that import the changed one, as many as are ENOUGH.

    Those of its own file come first, then those of its room and of all rooms, and among them the
    shortest.
    """
    room, _, module = name.removesuffix(".py").replace("/", ".").rpartition(".")
    words = (f"{room}.{module} ", f"{room} import {module}\n")
    near: dict[str, int] = {}
    for path in (place / TESTS).rglob("test_*.py"):
        if path.stem == f"test_{module}":
            near[path.relative_to(place).as_posix()] = 0
        elif any(word in path.read_text() for word in words):
            near[path.relative_to(place).as_posix()] = 1 if path.parent.name in room else 2
        elif path.parent == place / TESTS:  # of every public function of core
            near[path.relative_to(place).as_posix()] = 1
    tests = sorted(
        (near[file], seconds[test], test)
        for test in seconds
        if (file := test.partition("::")[0]) in near
    )
    so_far = itertools.accumulate(each for _, each, _ in tests)
    return [test for (*_, test), total in zip(tests, so_far, strict=True) if total <= ENOUGH]


def report(verdicts: list[dict[str, object]]) -> None:
    """Print the score, and by room what nothing noticed."""
    from core.statistics.rate import Rate

    killed = Rate(sum(bool(each["killed"]) for each in verdicts), len(verdicts))
    low, high = killed.interval
    for each in sorted(verdicts, key=lambda each: (str(each["file"]), each["line"])):
        if not each["killed"]:
            print(_line(each))
    print(f"{killed.successes} of {killed.total} faults noticed: "
          f"{killed.value:.1%} [{low:.1%}, {high:.1%}]")  # fmt: skip


def _line(verdict: dict[str, object]) -> str:
    state = "noticed" if verdict["killed"] else "LIVES"
    return "{state} {file}:{line} {before!r} → {after!r} {by}".format(state=state, **verdict)


def _key(fault: Fault) -> tuple[object, ...]:
    name, mutant = fault
    return name, mutant.start, mutant.before, mutant.after


def _read(results: Path) -> dict[tuple[object, ...], dict[str, object]]:
    """The verdicts that were written, the last of each fault."""
    lines = results.read_text().splitlines() if results.exists() else []
    found = map(json.loads, lines)
    return {(each["file"], each["start"], each["before"], each["after"]): each for each in found}


def _load() -> None:
    """What takes seconds to load and never changes."""
    import keras  # noqa: F401
    import pandas  # noqa: F401
    import PIL.Image  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import tensorflow  # noqa: F401

    sys.dont_write_bytecode = True  # a fault may be as long as what it replaces


def _durations(place: Path, kept: Path) -> dict[str, float]:
    """Seconds of each test that can be chosen; all have to pass without a fault."""
    if not kept.exists():
        code, said = _forked(place, [TESTS], patience=3_600, seconds=kept)
        if code != 0:
            kept.unlink(missing_ok=True)
            sys.exit(f"The tests fail without a fault:\n{said}")
    seconds: dict[str, float] = json.loads(kept.read_text())
    return seconds


def _check_collected(place: Path, faults: list[Fault], seconds: dict[str, float]) -> None:
    """Where a test is gone, pytest's answer would be taken for that of a test that fails."""
    tests = sorted({test for name, _ in faults for test in chosen(place, name, seconds)})
    code, said = _forked(place, ["--collect-only", *tests], patience=600)
    if code != 0:
        sys.exit(f"The tests have changed since their times were measured:\n{said[-2_000:]}")


class _Clock:
    """A plugin of pytest that adds up what each test takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: object) -> None:
        name = report.nodeid  # type: ignore[attr-defined]
        self.seconds[name] = self.seconds.get(name, 0) + report.duration  # type: ignore[attr-defined]


def _forked(
    place: Path, tests: list[str], *, patience: float, seconds: Path | None = None
) -> tuple[int | None, str]:
    """The exit code of pytest in a process of its own, None if it hung, and what it printed."""
    if not tests:
        return 0, ""
    out = place.parent / "out.txt"
    child = os.fork()
    if child == 0:
        os.setsid()
        _run(place, tests, out, seconds)
    deadline = time.monotonic() + patience
    for pid, status in iter(lambda: os.waitpid(child, os.WNOHANG), None):
        if pid:
            return os.waitstatus_to_exitcode(status), out.read_text(errors="replace")
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None, out.read_text(errors="replace")
        time.sleep(0.05)
    raise AssertionError


def _run(place: Path, tests: list[str], out: Path, seconds: Path | None) -> None:
    """The child's side."""
    import pytest

    code = 1
    try:
        os.chdir(place)
        sys.path.insert(0, str(place))
        with out.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        clock = _Clock()
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], plugins=[clock]))
        if seconds:
            seconds.write_text(json.dumps(clock.seconds))
        sys.stdout.flush()
    finally:
        os._exit(code)
