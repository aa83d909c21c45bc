"""Defense × attack in the browser: stopped midway, a cell's images, and on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/defenses?grid_images=50&grid_steps=10&grid_queries=100"
CLEAN = 5  # the last of six columns
CHEAP = 0.03  # of the work: all clean cells, and those with noise


def test_a_stopped_grid_keeps_its_cells_and_opens_them(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(PATH)
    visitor.gate.hold("rows of defenses", CHEAP)
    page.locator(".st-key-grid-start button >> visible=true").first.click()
    page.get_by_text(re.compile(r"^[1-9]\d* of \d\d cells")).wait_for()
    visitor.press("grid-stop")
    stopped = page.get_by_text(re.compile(r"Stopped after [1-9]\d* of \d\d cells; they stay"))
    stopped.wait_for()
    visitor.settle()
    match = re.search(r"of (\d+) cells", stopped.inner_text())
    assert match
    plan = int(match[1])
    cells = page.locator("[class*=st-key-grid-matrix] g.mark-rect").last.locator("path")
    expect(cells).to_have_count(plan + _transfers_left_out(plan))
    cells.nth(CLEAN).click()
    words = page.get_by_text(re.compile(r"^No defense, clean: \d+ of 50 right"))
    words.wait_for()
    page.set_viewport_size({"width": 375, "height": 800})
    visitor.settle()
    assert visitor.width() <= 375


def _transfers_left_out(plan: int) -> int:
    """A cell that is not planned, because its row is the source of transfers, is drawn empty."""
    return -plan % 6
