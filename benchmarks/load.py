"""Two dozen visitors at once while one trains: how long each waits, and what it costs.

    python -m benchmarks load                      this build: about eight minutes
    python -m benchmarks load --minutes 1          a quick look, which is not kept
    python -m benchmarks load --against 2919c8d    an older build first, on a server of its own

Two thirds stay on *Occlusion* or *Adversarial*, a third wanders over all pages, one more trains and
watches. Each moves a random slider 1 to 6 s after its last answer. Visitors speak to the server as
a browser does, but draw nothing and fetch no picture; they share the machine with the server.
"""

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
from websockets.exceptions import WebSocketException

from benchmarks import machine
from benchmarks.before import HERE, checked_out
from benchmarks.visitor import Visitor
from tests.browser.server import Server

SESSIONS = 24
MINUTES = 4.0
STAYERS = ("occlusion", "adversarial")  # two thirds of them
PAGES = ("occlusion", "adversarial", "class_images", "one_noise", "predictions", "defenses")
ALL = tuple(sorted(path.stem for path in (HERE / "pages").glob("*.py")))
MOVES = 9  # of a slider on a page, alone
TRAINED = 20  # seconds of a training alone
_WARM = 25  # seconds after which TensorFlow and Model 1 are loaded
_MOVES_A_PAGE = 3  # then a wanderer goes on
_COLLECTED = 0.5  # seconds after a move whose work still counts as its own
_GONE = 75  # seconds, the minute after everybody left in which the server tidies up included


T = TypeVar("T")


@dataclass
class Tally:
    """What happened to the visitors."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    exceptions: int = 0
    lost: int = 0
    steps: float = 0.0  # of training, a second


def main() -> None:
    """Print the table of every build, and keep it with its conditions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks load")
    parser.add_argument("--against", metavar="COMMIT")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    asked = parser.parse_args(sys.argv[2:])
    results = []
    with contextlib.ExitStack() as stack:
        builds = [HERE]
        if asked.against:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            builds.insert(0, stack.enter_context(checked_out(asked.against, folder)))
        for place in builds:
            result = machine.conditions(place) | measure(place, asked.minutes)
            print(table(result), flush=True)
            results.append(result)
    if asked.minutes >= MINUTES:
        print(f"Kept in {machine.keep('load', results)}.")


def measure(place: Path, minutes: float) -> dict[str, Any]:
    """All figures of the build in a folder: of one visitor, then of all of them."""
    with warm_server(place) as server:
        alone = {page: _told(page, _alone(server, page)) for page in PAGES}
        steps = _told("training", _training_alone(server))
    with warm_server(place) as server:
        crowd, memory, cores = _together(server, minutes * 60)
        traces = server.log().count("Traceback")
    return {
        "sessions": SESSIONS,
        "minutes": minutes,
        "pages": {
            page: {"alone_s": alone[page][0], "cpu_s": alone[page][1]}
            | _percentiles(crowd.seconds[page])
            for page in PAGES
        },
        "opening": _percentiles(crowd.seconds["opening a page"]),
        "steps_alone": steps,
        "steps": crowd.steps,
        "memory_mb": memory,
        "cores": cores,
        "exceptions": crowd.exceptions,
        "traces_in_log": traces,
        "lost": crowd.lost,
    }


def _told(what: str, found: T) -> T:
    """A figure as soon as it is known."""
    print(f"{what}, alone: {found}", file=sys.stderr, flush=True)
    return found


def _alone(server: Server, page: str) -> tuple[float, float]:
    """Median seconds, and CPU seconds of the server, that one visitor's move takes."""
    dice = random.Random(page)
    with Visitor(server.url, page) as visitor:
        visitor.open()
        for _ in range(3):  # traces what it needs
            visitor.move_any(dice)
        time.sleep(_COLLECTED)
        moves, before = [], cpu(server)
        for _ in range(MOVES):
            moves.append(_timed(lambda: visitor.move_any(dice)))
            time.sleep(_COLLECTED)
        return statistics.median(moves), (cpu(server) - before) / MOVES


def _training_alone(server: Server) -> float:
    with Visitor(server.url, "training", "epochs=30") as visitor:
        visitor.open()
        visitor.press("train")
        while not _step(visitor):
            visitor.watch(1.0)
        return _steps_a_second(visitor, time.monotonic() + TRAINED)


def _together(server: Server, seconds: float) -> tuple[Tally, dict[str, float], dict[str, float]]:
    """What happened, the memory by when, and the cores that the server and visitors took."""
    tally, lock = Tally(), threading.Lock()
    memory, client = {"start": _memory(server)}, psutil.Process()
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_guarded, args=(act, server, number, until, tally, lock))
        for number, act in enumerate([_train, *[_visit] * SESSIONS])
    ]
    own, theirs = sum(client.cpu_times()[:2]), cpu(server)
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    memory["half"] = _memory(server)
    time.sleep(max(0.0, until - time.monotonic()))
    memory["end"] = _memory(server)
    cores = {
        "server": (cpu(server) - theirs) / seconds,
        "visitors": (sum(client.cpu_times()[:2]) - own) / seconds,
    }
    for thread in threads:
        thread.join()
    time.sleep(_GONE)
    memory["gone"] = _memory(server)
    return tally, memory, cores


def _guarded(
    act: Callable[..., None], server: Server, number: int, until: float, tally: Tally, lock: Any
) -> None:
    """One visitor's stay; whoever loses the connection comes back."""
    while time.monotonic() < until:
        try:
            act(server, number, until, tally, lock)
        except (WebSocketException, TimeoutError, OSError):
            with lock:
                tally.lost += 1


def _visit(server: Server, number: int, until: float, tally: Tally, lock: Any) -> None:
    dice = random.Random(number)
    stays = number % 3 != 0
    page = STAYERS[number % 3 - 1] if stays else ALL[number % len(ALL)]
    time.sleep(dice.uniform(0, 5))
    with Visitor(server.url, page) as visitor:
        moved, what = _MOVES_A_PAGE * stays, "opening a page"
        seconds = _timed(visitor.open)
        while time.monotonic() < until:
            with lock:
                tally.seconds[what].append(seconds)
            time.sleep(dice.uniform(1, 6))
            moved += 1
            if stays or moved % (_MOVES_A_PAGE + 1):
                what, seconds = visitor.page, _timed(lambda: visitor.move_any(dice))
            else:
                page = dice.choice(ALL)
                what, seconds = "opening a page", _timed(lambda page=page: visitor.open(page))
        with lock:
            tally.exceptions += visitor.exceptions


def _train(server: Server, number: int, until: float, tally: Tally, lock: Any) -> None:
    with Visitor(server.url, "training", "epochs=30") as visitor:
        visitor.open()
        visitor.press("train")
        while not _step(visitor) and time.monotonic() < until:
            visitor.watch(1.0)
        tally.steps = _steps_a_second(visitor, until)
        with lock:
            tally.exceptions += visitor.exceptions


def _steps_a_second(visitor: Visitor, until: float) -> float:
    """What a visitor who watches sees; one training after the other."""
    begun, first, ended = time.monotonic(), _step(visitor), 0
    while time.monotonic() < until:
        if not visitor.buttons["train"].disabled:
            ended += _step(visitor)
            visitor.press("train")
        visitor.watch(min(2.0, max(0.0, until - time.monotonic())))
    return (ended + _step(visitor) - first) / (time.monotonic() - begun)


def _step(visitor: Visitor) -> int:
    return int(visitor.metrics.get("Step", "0").replace(",", ""))


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _percentiles(seconds: list[float]) -> dict[str, float | int | None]:
    ordered = sorted(seconds)

    def at(share: float) -> float | None:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None

    return {"n": len(ordered), "p50_s": at(0.5), "p95_s": at(0.95), "max_s": at(1.0)}


def _memory(server: Server) -> float:
    """MB: the proportional set sizes of a server and all its children, together."""
    return sum(_each(server, lambda process: process.memory_full_info().pss)) / 1e6


def cpu(server: Server) -> float:
    """CPU seconds of a server and its children, those that have ended included."""
    return float(sum(_each(server, lambda process: sum(process.cpu_times()[:4]))))


def _each(server: Server, ask: Callable[[psutil.Process], float]) -> Iterator[float]:
    """An answer of every process that lives; one may end meanwhile."""
    process = psutil.Process(server.pid)
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            yield ask(each)


@contextlib.contextmanager
def warm_server(place: Path) -> Iterator[Server]:
    """A server that has loaded TensorFlow and Model 1."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "log", place) as server:
        with Visitor(server.url, "") as visitor:
            visitor.open()
            time.sleep(_WARM)
        yield server


def table(result: dict[str, Any]) -> str:
    """The figures of a build, in Markdown."""
    minutes, gone, memory = result["minutes"], "a minute after all left", result["memory_mb"]
    lines = [
        f"**{result['commit']}**, {result['date'][:10]}: {result['sessions']} sessions for "
        f"{minutes:g} minutes while one trains; {result['cores_found']} cores, server "
        f"{result['cores']['server']:.2f}, visitors {result['cores']['visitors']:.2f} of them",
        "",
        "| slider to finished rerun | alone | under load, p50 / p95 (n) | CPU s a move |",
        "| --- | --- | --- | --- |",
    ]
    for page, row in result["pages"].items():
        load = _load_cell(row)
        lines.append(f"| {page} | {row['alone_s']:.2f} s | {load} | {row['cpu_s']:.2f} |")
    lines += [
        f"| opening a page | | {_load_cell(result['opening'])} | |",
        f"| training, steps/s | {result['steps_alone']:.0f} | {result['steps']:.0f} | |",
        f"| MB: start → half → end → {gone} | | "
        + " → ".join(f"{mb:,.0f}" for mb in memory.values())
        + " | |",
        f"| exceptions, traces in the log, lost connections | | {result['exceptions']}, "
        f"{result['traces_in_log']}, {result['lost']} | |",
    ]
    return "\n".join(lines)


def _load_cell(row: dict[str, Any]) -> str:
    return f"{row['p50_s']:.2f} / {row['p95_s']:.2f} s ({row['n']})" if row["n"] else "none"


if __name__ == "__main__":
    main()
