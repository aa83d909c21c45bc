"""The occlusion page in the browser: sliders, and the block under the hand."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from core.arrays import to_float
from core.data.mnist import Dataset
from core.network.classifier import Classifier
from tests.browser.conftest import Visitor

BLOCK = 6


def _canvas(visitor: Visitor, name: str) -> Locator:
    canvas = visitor.page.locator(f"canvas.{name}")
    canvas.wait_for()
    return canvas


def _point(canvas: Locator, y: float, x: float, units: int = 28) -> tuple[float, float]:
    box = canvas.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * x / units, box["y"] + box["height"] * y / units


def _probability(classifier: Classifier, dataset: Dataset, top: int, left: int) -> float:
    image = to_float(dataset.test.images[7:8])
    image[0, top : top + BLOCK, left : left + BLOCK] = 0
    return float(classifier.probabilities(image)[0, 9])


def test_the_block_follows_the_hand(visitor: Visitor, model_1: Classifier, mnist: Dataset) -> None:
    page = visitor.page
    visitor.open("/occlusion?image=7&block=6&stride=2")
    digit = _canvas(visitor, "hand")
    root, where = page.locator(".occluder"), page.locator(".occluder .where")
    digit.scroll_into_view_if_needed()

    page.mouse.move(*_point(digit, 14, 14))
    page.mouse.down()
    for top, left in ((3, 4), (9, 12), (20, 20)):
        page.mouse.move(*_point(digit, top + BLOCK / 2 + 0.1, left + BLOCK / 2 + 0.1))
        expect(root).to_have_attribute("data-top", str(top))
        expect(root).to_have_attribute("data-left", str(left))
        shown = re.search(r"p\(9\) = (\d\.\d+)", where.inner_text())
        assert shown is not None
        expected = _probability(model_1, mnist, top, left)
        assert float(shown.group(1)) == pytest.approx(expected, abs=6e-4)
    page.mouse.up()
    page.mouse.move(*_point(digit, 5, 5))
    expect(root).to_have_attribute("data-top", "20")  # let go: it stays

    digit.press("ArrowUp")
    digit.press("ArrowLeft")
    expect(root).to_have_attribute("data-top", "19")
    expect(root).to_have_attribute("data-left", "19")

    page.mouse.click(*_point(_canvas(visitor, "map"), 3.5, 6.5, units=12))
    expect(root).to_have_attribute("data-top", "6")
    expect(root).to_have_attribute("data-left", "12")
    expect(root).to_have_attribute("data-predicted", "4")


def test_block_and_stride_move_the_map(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/occlusion?image=7")
    page.get_by_text("25 forward passes, one batch").wait_for()
    page.locator('.st-key-block input[type="range"]').press("ArrowLeft")
    page.locator('.st-key-stride input[type="range"]').press("Home")
    page.get_by_text("324 forward passes, 6 batches").wait_for()
    visitor.link_says("block=11")
    page.get_by_text("Mean by pixel").click()
    page.get_by_text("over the blocks that hide a pixel").first.wait_for()
    page.get_by_text("Logit", exact=True).click()
    page.get_by_text("Mean change of the logit of 9").wait_for()
    page.locator(".st-key-class input").first.click()
    page.get_by_role("option", name=re.compile("^4 ")).click()
    page.get_by_text("Mean change of the logit of 4").wait_for()
    page.locator(".st-key-fill input").first.click()
    page.get_by_role("option", name="noise").click()
    visitor.settle()
    page.get_by_role("button", name="As in the report").click()
    page.get_by_text("25 forward passes, one batch").wait_for()
    page.get_by_text("Change of p(4) by block position").wait_for()


def test_the_finger_moves_the_block_on_a_phone(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 375, "height": 800})
    visitor.open("/occlusion?image=7&block=6&stride=2")
    digit = _canvas(visitor, "hand")
    digit.scroll_into_view_if_needed()
    x, y = _point(digit, 10, 10)
    for kind in ("pointerdown", "pointerup"):
        digit.dispatch_event(kind, {"clientX": x, "clientY": y, "pointerId": 1, "isPrimary": True})
    expect(page.locator(".occluder")).to_have_attribute("data-top", "7")
    assert visitor.width() <= 375


def test_an_own_digit_is_explained(visitor: Visitor, mnist: Dataset) -> None:
    from ui.visitor.images import encode_ink

    ink = encode_ink(np.asarray(mnist.test.images[0]))
    visitor.open(f"/occlusion?ink={ink}")
    visitor.page.get_by_text("Your digit · no label").wait_for()
    visitor.page.get_by_text("p(7) goes from").wait_for()
