"""Seconds from the first request to a freshly started server until its first useful picture."""

import statistics
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server


def main(rounds: int = 7) -> None:
    """Print the median over fresh servers, and the server's memory once it has warmed up."""
    seconds, resident = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for number in range(rounds):
            with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "log") as server:
                page = browser.new_page()
                page.set_default_timeout(60_000)
                started = time.perf_counter()
                page.goto(server.url, wait_until="commit")
                page.get_by_alt_text("Test image 1, a 2").wait_for()
                seconds.append(time.perf_counter() - started)
                if number == 0:
                    time.sleep(25)
                    resident.append(psutil.Process(server.pid).memory_info().rss / 1e6)
                page.close()
        browser.close()
    print(
        f"First useful picture after {statistics.median(seconds):.2f} s, the median of {rounds} "
        f"fresh servers [{min(seconds):.2f}, {max(seconds):.2f}]; resident memory 25 s later, "
        f"TensorFlow and Model 1 loaded: {resident[0]:,.0f} MB"
    )


if __name__ == "__main__":
    main()
