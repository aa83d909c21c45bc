"""The view Generative in the browser: the projection scrubbed, a defense broken, latent sliders."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

PATH = "/defenses?defense_view=Generative&gen_steps=20&gen_starts=2"


def test_a_person_watches_the_projection_and_breaks_the_autoencoder(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(PATH)
    page.locator(".st-key-gen-path").get_by_text("statically attacked, 20 iterations").wait_for()
    slider = page.locator(".st-key-gen-player input[type='range']").first
    slider.press("Home")
    page.get_by_text(re.compile("Iteration 0: the network says")).wait_for()
    visitor.settle()

    visitor.press("gen-adaptive")
    result = page.locator(".st-key-gen-result")
    expect(result).to_contain_text("gets through the autoencoder")
    expect(result).to_contain_text("Adaptive: attacked through the defense")

    card = page.locator(".st-key-gen-latent")
    expect(card).to_contain_text("The generator draws")
    before = card.locator("img").first.get_attribute("src")
    page.locator('.st-key-gen_z1 input[type="range"]').press("End")
    visitor.settle()
    expect(card.locator("img").first).not_to_have_attribute("src", before or "")
    visitor.link_says("gen_z1=3")

    page.set_viewport_size({"width": 375, "height": 800})
    page.locator(".st-key-gen-player canvas").first.wait_for()
    page.locator(".st-key-gen-samples").get_by_text("sure of").wait_for()
    assert visitor.fits_a_phone()
