"""Filters in the browser: a chain, what it does, and the defended model on another page."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_the_reports_filters_go_to_another_page(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/defenses?defense_view=Filters")
    page.get_by_text("Gaussian blur 1: ").first.wait_for()
    visitor.press("filters-report")
    visitor.settle()
    page.get_by_text("Gaussian blur 1 + Threshold 0.5: ").first.wait_for()
    visitor.link_says("filters=blur-1%2Bthreshold-0.5")
    expect(page.locator(".st-key-result [data-testid=stImage]")).to_have_count(12)
    visitor.press("filters-use")
    visitor.settle()
    visitor.link_says("model=model-1~blur-1%2Bthreshold-0.5")
    visitor.go("Predictions")
    picker = page.locator(".st-key-model input")
    expect(picker).to_have_value("Model 1, Gaussian blur 1 + Threshold 0.5 · defended")
    page.set_viewport_size({"width": 375, "height": 800})
    visitor.open("/defenses?defense_view=Filters&filters=noise-0.25")
    page.get_by_text("Random noise 0.25: ").first.wait_for()
    assert visitor.width() <= 375
