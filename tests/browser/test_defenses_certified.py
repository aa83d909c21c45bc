"""The view Certified in the browser: bounds, a job to its end, and a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/defenses?defense_view=Certified&cert_epsilon=0.01&smooth_copies=100&smooth_images=50"


def test_bounds_and_a_certified_accuracy(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(PATH)
    expect(page.locator(".st-key-result")).to_contain_text("At ε = 0.01 nothing is proven of this")
    page.locator('[data-testid="stVegaLiteChart"]').nth(4).wait_for()
    visitor.press("smooth_accuracy-measure")
    page.get_by_text("Certified right at all").wait_for()
    visitor.settle()
    expect(page.locator(".st-key-smooth-accuracy-card")).to_contain_text("50 test images")

    visitor.press("cert-model")
    page.wait_for_url(re.compile(r"[?&]model=certified\b"))
    expect(page.locator(".st-key-result")).to_contain_text("within ε = 0.01, whatever an attack")
    visitor.settle()
    expect(page.locator(".st-key-cert-model")).to_have_count(0)

    page.set_viewport_size({"width": 375, "height": 800})
    page.get_by_text("Share of the votes").wait_for()
    assert visitor.fits_a_phone()
