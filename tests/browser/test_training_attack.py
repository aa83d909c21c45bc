"""As a person would: train against an attack; collect, retrain, and attack again."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

SMALL = "blocks=1&filters1=4&hidden=20&images=2000&epochs=1"


def test_train_with_attacks_live(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"/training?{SMALL}&at=FGSM&at_step=1.25&at_eps=0.1")
    visitor.press("train")
    page.get_by_text(re.compile(r"Run 1 reads .* under PGD-10 at ε = 0\.1")).wait_for()
    page.get_by_text("Accuracy under PGD-10, ε = 0.1, 200 test images").wait_for()
    page.get_by_text("Run 1: one step beside ten").wait_for()
    page.locator('[data-testid="stVegaLiteChart"]').nth(5).wait_for()
    metric = page.locator('[data-testid="stMetric"]').filter(has_text="Under attack")
    expect(metric).to_contain_text("n = 200")
    page.set_viewport_size({"width": 375, "height": 800})
    visitor.settle()
    assert visitor.width() <= 375


def test_collect_retrain_and_attack_again(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/adversarial?view=Standard+attacks")
    page.locator(".st-key-a-take-tray button").first.click()
    page.get_by_text("1 image added: the tray holds 1 image").wait_for()
    visitor.settle()
    visitor.go("Training")
    visitor.settle()
    page.get_by_text("1 of at most 200 images").wait_for()
    page.get_by_text("+ 1 × 20 images", exact=False).wait_for()
    page.locator(".st-key-settings").get_by_role("button", name="More").click()
    page.locator('.st-key-images input[type="range"]').press("Home")
    page.get_by_text("1,000 + 1 × 20 images", exact=False).wait_for()
    page.keyboard.press("Escape")
    visitor.settle()
    visitor.press("tray-train")
    page.get_by_text(re.compile("It reads .* of the tray after")).wait_for()
    page.get_by_text("run 1, Model 1 + 1 of the tray", exact=False).first.wait_for()
    visitor.settle()
    visitor.press("fool-again")
    page.get_by_role("heading", name="Adversarial", level=1).wait_for()
    expect(page.locator(".st-key-model input")).to_have_value(re.compile("^Run 1"))
