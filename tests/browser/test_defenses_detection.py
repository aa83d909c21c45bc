"""The view Detection in the browser: a measurement begun, looked at, stopped, then on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/defenses?defense_view=Detection&detect_images=50"
THIRD = 0.5  # of five attacks, each as much: PGD is done by then, in whichever order they end


def test_what_is_measured_stays_when_it_is_stopped(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(PATH)
    visitor.gate.hold("Detection", THIRD)
    visitor.press("detection-measure")
    page.get_by_text(re.compile("of PGD’s images are found")).wait_for()
    page.locator(".st-key-detection-stop button").first.click()
    page.get_by_text(re.compile(r"Stopped after \d+ of 300")).wait_for()
    visitor.settle()
    page.locator('[data-testid="stVegaLiteChart"]').nth(1).wait_for()
    expect(page.locator(".st-key-result")).to_contain_text("False positives at this threshold")
    page.set_viewport_size({"width": 375, "height": 800})
    assert visitor.fits_a_phone()
