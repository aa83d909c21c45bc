import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.chromium import ARGUMENTS, MISSING, find_chromium
from tests.browser.server import Server

IDLE = (
    '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
    '[data-test-script-state="notRunning"]'
)
# Streamlit's client looks for its server below a deep link first, and above it when that fails.
_PROBE = re.compile(r"/_stcore/(health|host-config)$")
PATIENCE = 240_000  # ms: two browsers, two servers and TensorFlow share two cores
_LOG_NOISE = ("oneDNN", "absl::InitializeLog")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    os.environ.setdefault("NO_PROXY", "127.0.0.1")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server") / "log.txt") as running:
        yield running
        log = [
            line for line in running.log().splitlines() if not any(n in line for n in _LOG_NOISE)
        ]
        bad = [line for line in log if re.search(r"Traceback|Error|WARNING|Warning", line)]
        assert not bad, "\n".join(log)


class Visitor:
    """A person's browser tab, with the complaints of its console."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.url, self.gate = page, server.url, server.gate
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        # Animations of what waits take a sixth of the browser's time.
        page.emulate_media(reduced_motion="reduce")
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the script rests and stays at rest."""
        self.page.wait_for_selector(IDLE)
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(IDLE)

    def go(self, title: str) -> None:
        self.page.locator('[data-testid="stSidebarNav"]').get_by_text(title, exact=True).click()
        self.page.get_by_role("heading", name=title, level=1).wait_for()

    def link_says(self, words: str) -> None:
        """Wait until the address holds `words`, which it may only after the page has settled."""
        expect(self.page).to_have_url(re.compile(re.escape(words)))

    def link_omits(self, words: str) -> None:
        """Wait until the address does not hold `words`."""
        expect(self.page).not_to_have_url(re.compile(re.escape(words)))

    def width(self) -> int:
        """How wide the page's content is; above that of the screen it scrolls sideways."""
        return int(self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth"))

    def fits_a_phone(self) -> bool:
        """Whether nothing scrolls sideways, in light and in dark."""
        widths = []
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.settle()
            widths.append(self.width())
        return max(widths) <= 375

    def press(self, key: str) -> None:
        self.page.locator(f".st-key-{key} button").first.click()

    def metrics(self) -> dict[str, str]:
        """The four cards of the training page: label → value."""
        texts = self.page.locator('[data-testid="stMetric"]').all_inner_texts()
        rows = [[part for part in text.split("\n") if part.strip()] for text in texts]
        return {row[0]: row[1] for row in rows}

    def step(self) -> int:
        return int(self.metrics().get("Step", "0").replace(",", ""))

    def wait_for_step(self, step: int) -> None:
        self.page.wait_for_function(
            """step => {
                const card = [...document.querySelectorAll('[data-testid="stMetric"]')]
                    .find(card => card.innerText.startsWith('Step'));
                const value = card && card.querySelector('[data-testid="stMetricValue"]').innerText;
                return value && Number(value.replace(',', '')) >= step;
            }""",
            arg=step,
        )

    def wait_until_scored(self) -> None:
        """Until a training that is paused or stopped has ended what it had in hand."""
        accuracy = self.page.locator('[data-testid="stMetricLabel"]').nth(1)
        expect(accuracy).to_have_text("Test accuracy")

    def _hear(self, message: ConsoleMessage) -> None:
        probe = "404" in message.text and _PROBE.search(message.location.get("url", ""))
        if message.type in ("error", "warning") and not probe:
            self.complaints.append(f"{message.text} ({message.location.get('url')})")


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    yield from _visit(browser, server, {"width": 1440, "height": 1000})


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Visitor]:
    """A visitor with a narrow screen."""
    yield from _visit(browser, server, {"width": 375, "height": 800})


def _visit(browser: Browser, server: Server, screen: ViewportSize) -> Iterator[Visitor]:
    context = browser.new_context(viewport=screen)
    person = Visitor(context.new_page(), server)
    yield person
    server.gate.open()
    context.close()
    assert not person.complaints, "\n".join(person.complaints)


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    return tmp_path
