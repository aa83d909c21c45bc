"""The scoreboard in the browser: started, cancelled midway, a cell opened, and on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/adversarial?view=Scoreboard"
LONG = f"{PATH}&score_images=1%2C000"
QUICK = f"{PATH}&score_attack=FGSM&score_images=50"
ONE, READ = 1, 8  # a cell that FGSM fills


def _start(visitor: Visitor, path: str) -> None:
    visitor.open(path)
    visitor.page.locator(".st-key-score-start button >> visible=true").first.click()


def test_a_cancelled_run_stays_with_its_count(visitor: Visitor) -> None:
    page = visitor.page
    visitor.gate.hold("PGD on 1,000 images", 0.05)
    _start(visitor, LONG)
    expect(page.locator(".st-key-job-panel")).to_contain_text("PGD on 1,000 images")
    page.get_by_text("the first 50 test images").wait_for()
    visitor.press("score-stop")
    # and what the other workers had done by then
    stopped = page.get_by_text(re.compile(r"Stopped after \d+ of 1,000 images"))
    stopped.wait_for()
    visitor.settle()
    expect(page.get_by_text(re.compile(r"the first \d+ test images")).first).to_be_visible()
    page.get_by_role("tab", name="From noise").click()
    page.get_by_text("starts become their class").wait_for()
    page.get_by_role("tab", name="Scoreboard").click()
    expect(stopped).to_be_visible()
    expect(page.locator(".st-key-score-compare")).to_contain_text("One run so far")


def test_a_cell_opens_its_images(visitor: Visitor) -> None:
    page = visitor.page
    _start(visitor, QUICK)
    page.locator(".st-key-score-npz").wait_for()
    visitor.settle()
    cells = page.locator("[class*=st-key-score-matrix] g.mark-rect").last.locator("path")
    expect(cells).to_have_count(100)
    cells.nth(10 * ONE + READ).click()
    words = page.get_by_text(re.compile(r"^1 read as 8: (\d+) of \1 at the goal"))
    words.wait_for()
    visitor.press("score-all")
    page.get_by_text(re.compile(r"^All classes: \d+ of 49 at the goal")).wait_for()
    expect(words).to_have_count(0)

    page.set_viewport_size({"width": 375, "height": 800})
    assert visitor.fits_a_phone()
