"""Seconds from the first request to a freshly started server until its first useful picture."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import ROOT, Server

_WARM = 25  # seconds after which TensorFlow and Model 1 are loaded


def main(rounds: int = 7) -> None:
    """Print the median over fresh servers, and the server's memory once it has warmed up."""
    with chromium() as browser:
        seconds = [first_picture(browser) for _ in range(rounds)]
        with _server() as server, _picture(browser, server):
            time.sleep(_WARM)
            resident = psutil.Process(server.pid).memory_info().rss / 1e6
    print(
        f"First useful picture after {statistics.median(seconds):.2f} s, the median of {rounds} "
        f"fresh servers [{min(seconds):.2f}, {max(seconds):.2f}]; resident memory {_WARM} s later, "
        f"TensorFlow and Model 1 loaded: {resident:,.0f} MB"
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


def first_picture(browser: Browser, root: Path = ROOT) -> float:
    """Seconds until a fresh server of the project in `root` has shown its first picture."""
    with _server(root) as server, _picture(browser, server) as seconds:
        return seconds


@contextmanager
def _server(root: Path = ROOT) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "log", root) as server:
        yield server


@contextmanager
def _picture(browser: Browser, server: Server) -> Iterator[float]:
    """A tab that shows it, and the seconds from the request on."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    started = time.perf_counter()
    page.goto(server.url, wait_until="commit")
    page.get_by_alt_text("Test image 1,").wait_for()
    yield time.perf_counter() - started
    page.close()


if __name__ == "__main__":
    main()
