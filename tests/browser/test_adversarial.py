"""The adversarial page in the browser: the presets of its views, scrubbed, and on a phone."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from core.data.mnist import Dataset
from tests.browser.conftest import Visitor

NOISE = "/adversarial"
SOURCE = "/adversarial?view=Toward+a+source"
STANDARD = "/adversarial?view=Standard+attacks"
SMALLEST = "/adversarial?view=Smallest+perturbation"


def _open(visitor: Visitor, path: str) -> Locator:
    """The page, and its player once it is drawn."""
    visitor.open(path)
    player = visitor.page.locator(".player[data-drawn]")
    player.wait_for()
    return player


def _scrub(player: Locator, answers: tuple[str, str]) -> None:
    """From the last frame to the first: the network's answer changes with it."""
    finding = player.locator(".finding")
    expect(finding).to_contain_text(f"the network says {answers[1]}")
    player.locator("input.slider").press("Home")
    expect(player).to_have_attribute("data-step", "0")
    expect(finding).to_contain_text(f"the network says {answers[0]}")


def test_from_noise_as_in_the_report(visitor: Visitor) -> None:
    page = visitor.page
    _open(visitor, f"{NOISE}?noise_steps=20&noise_mean=0.2&noise_show=4")
    page.get_by_text("which are not the report’s").wait_for()
    visitor.press("noise-as-reported")
    page.get_by_text("All ten starts become their class").wait_for()
    page.get_by_text("“The cost always falls” is confirmed").wait_for()
    visitor.settle()
    visitor.link_omits("noise_")  # the report's settings are the defaults
    player = page.locator(".player")
    expect(player.locator(".tiles button")).to_have_count(3)
    _scrub(player, ("3", "9"))
    expect(page.locator(".st-key-noise-luck-card")).to_contain_text("not measured yet")


def test_toward_a_source_as_in_the_report(visitor: Visitor) -> None:
    page = visitor.page
    _open(visitor, f"{SOURCE}&image=7&to_steps=20&to_beta=5")
    page.get_by_text("This 9 ").first.wait_for()
    visitor.press("to-as-reported")
    page.get_by_text("This 2 is read as 3, 6 and 8, L2 ").wait_for()
    page.get_by_text("“Classified as the target” is confirmed: 3 of 3 are.").wait_for()
    visitor.settle()
    expect(page.get_by_text("Test image 1 · a 2")).to_be_visible()
    visitor.link_omits("to_steps")
    _scrub(page.locator(".player"), ("2", "3"))


def test_settings_stay_while_the_views_change(visitor: Visitor) -> None:
    page = visitor.page
    _open(visitor, f"{SOURCE}&to_steps=20&image=7")
    page.locator(".st-key-to_start").get_by_text("Noise", exact=True).click()
    page.get_by_text("Noise moved toward this 9").wait_for()
    page.get_by_role("tab", name="From noise").click()
    page.get_by_text("starts become their class").wait_for()
    page.locator(".st-key-to_start").wait_for(state="detached")
    page.get_by_role("tab", name="Toward a source").click()
    page.get_by_text("Noise moved toward this 9").wait_for()
    visitor.settle()
    visitor.link_says("to_steps=20")
    visitor.link_says("to_start=Noise")
    visitor.go("Occlusion")
    expect(page.get_by_text("Test image 7 · a 9")).to_be_visible()


def test_a_drawn_digit_is_attacked(visitor: Visitor, mnist: Dataset) -> None:
    from ui.visitor.images import encode_ink

    ink = encode_ink(np.asarray(mnist.test.images[0]))
    player = _open(visitor, f"{SOURCE}&ink={ink}&to=3&to_steps=100&to_rate=0.01&to_beta=0.1")
    visitor.page.get_by_text(re.compile("Your digit is read as 3, L2 ")).wait_for()
    _scrub(player, ("7", "3"))


def test_the_repeats_can_be_stopped(visitor: Visitor) -> None:
    page = visitor.page
    _open(visitor, f"{SOURCE}&to_steps=100&to_rate=0.02")
    visitor.gate.hold("E8 on 200 images", 0.1)
    visitor.press("to_luck-measure")
    expect(page.locator(".st-key-job-panel")).to_contain_text("E8 on 200 images")
    page.get_by_text(re.compile(r"images reach their target")).wait_for()
    visitor.press("to_luck-stop")
    page.get_by_text(re.compile(r"Stopped after \d+ of 200")).wait_for()
    page.locator(".st-key-job-panel").wait_for(state="detached")


def test_a_standard_attack_with_its_defaults(visitor: Visitor) -> None:
    page = visitor.page
    _open(visitor, f"{STANDARD}&a_epsilon=0.02&a_pgd_iterations=20")
    page.get_by_text("PGD does not turn this 2 into another digit: it stays a 2").wait_for()
    visitor.press("a-defaults")
    page.get_by_text("PGD turns this 2 into a 1, p = ").wait_for()
    page.get_by_text(re.compile(r"noise of the same L2, 100 draws, changes .* of 100")).wait_for()
    visitor.settle()
    visitor.link_omits("a_")  # defaults leave the link
    _scrub(page.locator(".player"), ("2", "1"))
    visitor.press("a-each")
    # of the nine others the first 3 is misread as it is
    page.get_by_text(re.compile(r"of 8 reach the goal")).wait_for()
    expect(page.get_by_text("Test image 1 · a 2 + 9")).to_be_visible()


def test_a_drawn_digit_under_a_standard_attack(visitor: Visitor, mnist: Dataset) -> None:
    from ui.visitor.images import encode_ink

    ink = encode_ink(np.asarray(mnist.test.images[0]))
    player = _open(visitor, f"{STANDARD}&ink={ink}&a_attack=DeepFool&a_goal=Targeted")
    visitor.page.get_by_text("DeepFool turns your digit, read as a 7, into a 3, p = ").wait_for()
    _scrub(player, ("7", "3"))


def test_the_histogram_of_smallest_changes_can_be_stopped(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"{SMALLEST}&s_norm=L2&s_steps=5&s_images=500")
    page.get_by_text(re.compile(r"This 2 becomes a \d with L2 \d")).wait_for()
    page.locator(".st-key-result").get_by_test_id("stVegaLiteChart").wait_for()
    visitor.gate.hold("Smallest perturbations", 0.05)
    visitor.press("small_study-measure")
    page.get_by_text("Half of the images become another digit with L2").wait_for()
    visitor.press("small_study-stop")
    page.get_by_text(re.compile(r"Stopped after \d+ of 500")).wait_for()
    page.locator(".st-key-job-panel").wait_for(state="detached")
    visitor.press("s-defaults")
    page.get_by_text("PGD, 20 iterations, ε bisected in L∞").wait_for()
    page.get_by_text("The model or the settings above have changed since.").wait_for()
    visitor.settle()
    visitor.link_omits("s_")  # defaults leave the link


@pytest.mark.parametrize("path", [f"{STANDARD}&a_goal=Targeted&more=3", SMALLEST])
def test_standard_and_smallest_fit_a_phone(phone: Visitor, path: str) -> None:
    phone.open(path)
    phone.page.get_by_text("And other images?").wait_for()
    assert phone.fits_a_phone()


@pytest.mark.parametrize("path", [f"{NOISE}?noise_steps=20", f"{SOURCE}&to_steps=20"])
def test_it_fits_a_phone(phone: Visitor, path: str) -> None:
    _open(phone, path)
    phone.page.get_by_text("not measured yet").first.wait_for()
    assert phone.fits_a_phone()
