"""Resident memory of the server: after its start, and with 20 visitors while one trains."""

import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.conftest import Visitor
from tests.browser.server import Server
from ui.header.navigation import VIEWS

VISITORS = 20
PAGES = ("/", "/training", *(f"/{view.file}" for view in VIEWS[2:]))


def main() -> None:
    """Print the figures as they come."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "log") as server,
        sync_playwright() as playwright,
    ):
        process = psutil.Process(server.pid)

        def resident() -> float:
            return process.memory_info().rss / 1e6

        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        people = []
        for number in range(VISITORS):
            person = Visitor(browser.new_page(), server.url)
            person.page.set_default_timeout(120_000)
            person.open(PAGES[number % len(PAGES)])
            people.append(person)
            if number == 0:
                time.sleep(25)
                print(f"after the start, one visitor: {resident():,.0f} MB", flush=True)
        print(f"{VISITORS} visitors: {resident():,.0f} MB", flush=True)
        trainer = people[1]
        trainer.press("train")
        trainer.wait_for_step(20, timeout=120_000)
        highest = 0.0
        for _ in range(60):
            time.sleep(1)
            highest = max(highest, resident())
        print(f"{VISITORS} visitors, one training for a minute: at most {highest:,.0f} MB")
        print(f"step {trainer.step():,} was reached", flush=True)
        trainer.press("stop")
        browser.close()


if __name__ == "__main__":
    main()
