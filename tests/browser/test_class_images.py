"""The class images page in the browser: the report's preset, the player, a channel, a phone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor

_QUICK = "img_steps=20"


def test_the_reports_ten_digits_scrubbed(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"/class_images?img_l2=0.3&img_start=Noise&{_QUICK}")
    page.get_by_text("from noise N(0.5, 0.05²), L2 penalty λ 0.3").first.wait_for()
    visitor.press("img-as-reported")
    page.get_by_text("10 of 10 images are read as their class").wait_for()
    page.get_by_text("from a zero image, L2 penalty λ 0.1, Adam 0.05, 200 iterations").wait_for()
    visitor.link_omits("img_")  # defaults leave the link
    player = page.locator(".player")
    expect(player.locator(".tile")).to_have_count(10)
    expect(player.locator(".finding")).to_have_text("Iteration 200: the network says 0")
    player.locator(".tile").nth(7).click()
    expect(player.locator(".finding")).to_have_text("Iteration 200: the network says 7")
    player.get_by_role("button", name="Logit").click()
    player.locator(".slider").press("Home")
    expect(player.locator(".finding")).to_have_text(re.compile("^Iteration 0"))
    player.locator(".slider").press("End")
    expect(player.locator(".count")).to_have_text("200 of 200")
    page.get_by_text("Does the report’s claim hold?").wait_for()
    page.get_by_text("The cost converges").wait_for()
    page.set_viewport_size({"width": 375, "height": 800})
    assert visitor.fits_a_phone()


def test_a_channel_is_opened_from_all_of_its_layer(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open(f"/class_images?img_of=Channel&img_layer=conv1&img_start=Noise&{_QUICK}")
    page.get_by_text("images excite their channel of conv1").wait_for()
    expect(page.locator('[class*="st-key-img-multiple-"] img')).to_have_count(32)
    visitor.press("img-open-17")
    page.get_by_text("The mean of conv1 channel 17 goes from").wait_for()
    page.get_by_text("Which digits does conv1 channel 17 speak for?").wait_for()
    visitor.link_says("img_channel=17")
    expect(page.locator(".player .tile")).to_have_count(4)


def test_a_unit_fits_a_phone(phone: Visitor) -> None:
    phone.open(f"/class_images?img_of=Unit&img_layer=conv2&img_row=3&{_QUICK}")
    phone.page.locator(".st-key-claims").wait_for()
    assert phone.fits_a_phone()
