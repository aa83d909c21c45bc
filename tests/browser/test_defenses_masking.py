"""The masking checks in the browser: a planted mask, stopped as soon as it is heard."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/defenses?defense_view=Is+it+masked%3F&mask_images=50&mask_queries=100"


def test_a_planted_mask_fires_and_its_evidence_is_drawn(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"{PATH}&mask_subject=Planted")
    visitor.gate.hold("masked?", 0.25)
    visitor.press("mask-start")
    expect(page.locator(".st-key-job-panel")).to_contain_text("masked?")
    page.locator(".st-key-mask-surface canvas, .st-key-mask-surface svg").first.wait_for()
    visitor.press("mask-stop")
    page.locator(".st-key-mask-npz").wait_for()
    visitor.settle()
    result = page.locator(".st-key-mask-result")
    expect(result).to_contain_text("do not trust what a gradient attack says of it")
    expect(page.locator(".st-key-mask-zero")).to_contain_text("Gradients are exactly zero: yes")
    page.set_viewport_size({"width": 375, "height": 800})
    visitor.settle()
    assert visitor.width() <= 375
