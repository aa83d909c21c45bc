"""The page One noise, many images in the browser: the preset, the scale, a phone, own digits."""

import re

import numpy as np
from playwright.sync_api import expect

from core.data.mnist import Dataset
from tests.browser.conftest import Visitor

FAST = "one_steps=40&one_rate=5e-3"


def _misled(visitor: Visitor) -> float:
    """The share of other images that the noise misleads, in per cent."""
    words = visitor.page.locator(".st-key-result").get_by_text("A noise fitted to").inner_text()
    found = re.search(r"misleads ([\d.]+) % of other images", words)
    assert found is not None
    return float(found.group(1))


def test_as_in_the_report_and_the_scale_moves_the_rates(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"/one_noise?{FAST}&one_scale=2")
    page.locator(".st-key-settings").get_by_role("button", name="As in the report").click()
    result = page.locator(".st-key-result")
    expect(result).to_contain_text("target 5, scale 1")
    expect(result).to_contain_text("Test image 3")
    page.get_by_text(re.compile("other classes as well” is not confirmed")).wait_for()
    page.get_by_text("logit, Adam 5e-4, 400 iterations").first.wait_for()
    visitor.settle()
    plain = _misled(visitor)

    page.locator('.st-key-one_scale input[type="range"]').press("End")
    expect(result).to_contain_text("target 5, scale 4")
    visitor.settle()
    assert _misled(visitor) > plain + 20
    visitor.link_says("one_scale=4")

    # The gallery shows those that are misled, and the fitting can be scrubbed.
    page.get_by_text("→ 5").first.wait_for()
    slider = page.locator(".st-key-one-player input[type='range']").first
    slider.press("Home")
    page.get_by_text("Iteration 0: the network says 0").wait_for()

    page.set_viewport_size({"width": 375, "height": 800})
    page.get_by_text("cells are measured").wait_for()
    page.get_by_text("Does the report’s claim hold?").wait_for()
    page.locator(".st-key-one-player canvas").first.wait_for()
    assert visitor.fits_a_phone()


def test_an_own_digit_is_the_one_image(visitor: Visitor, mnist: Dataset) -> None:
    from ui.visitor.images import encode_ink

    page = visitor.page
    ink = encode_ink(np.asarray(mnist.test.images[0]))
    visitor.open(f"/one_noise?{FAST}&one_scale=2&ink={ink}")
    page.get_by_text("Fitted to your digit.").wait_for()
    page.get_by_text("of the first 500 test images").first.wait_for()
    visitor.settle()
