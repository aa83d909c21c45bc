"""Accuracy against ε in the browser: the chart grows, and its cursor stands under the thumb."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/defenses?defense_view=Accuracy+against+ε&curve_images=50&curve_radii=9&curve_iterations=5"


def test_the_cursor_meets_the_thumb(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(PATH)
    visitor.press("curve-start")
    page.locator(".st-key-curve-csv").wait_for()
    visitor.settle()
    result = page.locator(".st-key-curve-result")
    expect(result).to_contain_text("At ε = 0.3 (L∞)")
    slider = result.locator("input[type=range]")
    for keys, value in ((0, "0.3"), (2, "0.45")):
        for _ in range(keys):
            slider.press("ArrowRight")
        expect(result).to_contain_text(f"At ε = {value} (L∞)")
        visitor.settle()
        rule = result.locator("g.mark-rule line").last.bounding_box()
        thumb = slider.bounding_box()  # the hidden input begins in the middle of the thumb
        assert rule
        assert thumb
        assert abs(rule["x"] - thumb["x"]) <= 4
    page.set_viewport_size({"width": 375, "height": 800})
    visitor.settle()
    assert visitor.width() <= 375
