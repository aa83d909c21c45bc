"""Robust models in the browser: their cards, one taken to the header, and on a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_a_robust_model_is_looked_into(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/defenses?defense_view=Robust+models")
    card = page.locator(".st-key-robust-certified")
    expect(card).to_contain_text(re.compile(r"Certified: 9\d\.\d % stay in the worst case"))
    expect(card).to_contain_text("python -m core.zoo certified")
    expect(page.locator(".st-key-robust-robust")).to_contain_text("overstates it by")
    page.locator('[data-testid="stVegaLiteChart"]').nth(1).wait_for()
    visitor.press("robust-choose-certified")
    expect(page.locator(".st-key-model input")).to_have_value(re.compile("^Certified"))
    expect(card).to_contain_text("On this page already")
    page.set_viewport_size({"width": 375, "height": 800})
    assert visitor.fits_a_phone()
