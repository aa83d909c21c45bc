"""The attribution page in the browser: it follows the class, measures, and fits a phone."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor


def _source(page: Page, alt: str) -> str:
    return page.get_by_alt_text(alt).first.get_attribute("src") or ""


def _choose_class(visitor: Visitor, label: int) -> None:
    visitor.page.locator(".st-key-class input").first.click()
    visitor.page.get_by_role("option", name=re.compile(f"^{label} · p")).click()
    visitor.settle()


def test_the_class_changes_the_maps_and_travels(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/")
    visitor.open("/attribution?image=8")
    page.get_by_text("Does the map tell the truth?").wait_for()
    expect(page.get_by_text("Test image 8 · a 5")).to_be_visible()
    first = _source(page, "SmoothGrad for class 5")
    assert first.startswith("data:image/png")
    _choose_class(visitor, 6)
    visitor.link_says("class=6")
    page.get_by_text("the logit of 6").wait_for()
    assert _source(page, "SmoothGrad for class 6") != first
    visitor.go("Occlusion")
    visitor.settle()
    expect(page.locator(".st-key-class input").first).to_have_value(re.compile("^6"))


def test_a_slider_moves_one_map_and_no_other(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/attribution?image=7")
    smooth, gradient = (
        _source(page, "SmoothGrad for class 9"),
        _source(page, "Gradient for class 9"),
    )
    slider = page.locator('.st-key-sg_noise input[type="range"]')
    slider.press("End")
    visitor.settle()
    page.get_by_text("with noise 0.50").wait_for()
    visitor.link_says("sg_noise=0.5")
    assert _source(page, "SmoothGrad for class 9") != smooth
    assert _source(page, "Gradient for class 9") == gradient


def test_the_study_shows_its_progress_and_stops(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/attribution?ig_steps=4&sg_samples=1")
    visitor.gate.hold("Fidelity of the maps", 0.05)
    visitor.press("fidelity-measure")
    expect(page.locator(".st-key-job-panel")).to_contain_text("Fidelity of the maps")
    page.get_by_text("10 of 200 test images").wait_for()
    page.get_by_text(re.compile("tie for first|comes first")).wait_for()
    visitor.press("fidelity-stop")
    page.get_by_text(re.compile(r"Stopped after \d+ of 200 test images")).wait_for()
    page.locator(".st-key-job-panel").wait_for(state="detached")


def test_it_fits_a_phone(phone: Visitor) -> None:
    phone.open("/attribution?image=25&more=1,2,3")
    phone.page.get_by_text("Blank: the weighted maps").wait_for()
    assert phone.fits_a_phone()
