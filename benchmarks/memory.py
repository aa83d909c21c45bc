"""Memory over one visitor's tour of seven pages: of this build, and of an older one beside it.

    python -m benchmarks memory                       this build alone
    python -m benchmarks memory --against 2919c8d     and the one of that commit, with ratios

Counted are a server and all processes that it has started. What only they hold counts in
proportion to who shares it, and a file's pages once, whoever else maps them: so the figure is that
of a machine with nothing else running, on any machine. Linux only.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Locator, Page

from benchmarks import machine
from benchmarks.before import HERE, checked_out
from benchmarks.startup import chromium
from tests.browser.server import Server

TOUR = (
    "Occlusion", "Attribution", "Class images", "Feature maps", "Adversarial",
    "One noise, many images", "Defenses",
)  # fmt: skip
MOVES = 8  # of a slider, on each page
START, GONE, GROWTH = "start", "a minute after leaving", "growth over the tour"
_IDLE = (
    '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
    '[data-test-script-state="notRunning"]'
)
_PATIENCE = 300_000  # ms: others may compute on the same machine
_AT_REST = 0.1  # CPU seconds in _LOOK seconds
_LOOK = 4.0

Figures = dict[str, float]  # MB by when


def main() -> None:
    """Print the table, and keep it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory")
    parser.add_argument("--against", metavar="COMMIT")
    commit = parser.parse_args(sys.argv[2:]).against
    with contextlib.ExitStack() as stack:
        places = {"now": HERE}
        if commit:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            places[commit] = stack.enter_context(checked_out(commit, folder))
        tours = {name: tour(place) for name, place in places.items()}
    result = machine.conditions() | {"tours": tours}
    print(table(result))
    print(f"Kept in {machine.keep('memory', result)}.")


def tour(place: Path) -> Figures:
    """MB held at each station by a fresh server of the project in `place`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "log", place) as server,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(_PATIENCE)
        page.goto(server.url)
        _settle(page)
        _rest(server.pid)
        figures = {START: held(server.pid)}
        for title in TOUR:
            _walk(page, title)
            figures[title] = held(server.pid)
        page.close()
        time.sleep(60)
        return figures | {GONE: held(server.pid)}


def held(pid: int) -> float:
    """MB of a process and of all that it and they have started."""
    own, files = 0.0, defaultdict[str, int](int)
    process = psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            rollup = Path(f"/proc/{each.pid}/smaps_rollup").read_text()
            own += 1024 * int(rollup.partition("Pss_Anon:")[2].split()[0])
            for mapped in each.memory_maps():
                files[mapped.path] = max(files[mapped.path], mapped.rss - mapped.anonymous)
    return (own + sum(files.values())) / 1e6


def _walk(page: Page, title: str) -> None:
    """Open a page and move its sliders in turn, a step up each."""
    page.locator('[data-testid="stSidebarNav"]').get_by_text(title, exact=True).click()
    page.get_by_role("heading", name=title, level=1).wait_for()
    _settle(page)
    for move in range(MOVES):
        sliders = _sliders(page)
        sliders.nth(move % sliders.count()).press("ArrowRight")
        _settle(page)


def _sliders(page: Page) -> Locator:
    """Those of the page that can be moved."""
    sliders = page.get_by_test_id("stMain").get_by_role("slider", disabled=False)
    sliders.first.wait_for()
    return sliders


def _settle(page: Page) -> None:
    """Wait until the script rests and stays at rest."""
    for _ in range(2):
        page.wait_for_timeout(400)
        page.wait_for_selector(_IDLE)


def _rest(pid: int) -> None:
    """Wait until the server has done what it does behind its first page."""
    time.sleep(_LOOK)
    spent = _spent(pid)
    while True:
        time.sleep(_LOOK)
        before, spent = spent, _spent(pid)
        if spent - before < _AT_REST:
            return


def _spent(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def table(result: dict[str, Any]) -> str:
    """MB by when in Markdown, a column for each build; behind two of them the ratio."""
    tours = {
        name: figures | {GROWTH: figures[TOUR[-1]] - figures[START]}
        for name, figures in result["tours"].items()
    }
    beside = len(tours) > 1
    lines = [["MB", *tours, *["times"] * beside], ["---"] * (1 + len(tours) + beside)]
    for when in next(iter(tours.values())):
        held = [figures[when] for figures in tours.values()]
        ratio = [f"{held[0] / held[1]:.2f}"] if beside else []
        lines.append([when, *(f"{each:,.0f}" for each in held), *ratio])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
