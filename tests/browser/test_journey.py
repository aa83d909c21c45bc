"""As a new user would: train, watch, leave, return, stop, rewind, compare, pick, share."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visitor
from tests.browser.server import Server


def test_the_first_picture_is_there_before_tensorflow(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path / "log.txt") as server:
        context = browser.new_context()
        person = Visitor(context.new_page(), server)
        person.page.goto(server.url)
        person.page.get_by_alt_text("Test image 1, a 2").wait_for()
        person.page.get_by_text("Model 1 reads 2").wait_for()
        expect(person.page.locator('[data-testid="stTable"]')).to_contain_text("Model 2")
        person.settle()
        assert not person.complaints
        context.close()


def test_train_watch_leave_return_stop_rewind_compare_and_pick(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/")
    visitor.go("Training")
    visitor.settle()

    # Train with the report's preset, and watch the curves.
    page.locator(".st-key-settings").get_by_role("button", name="As in the report").click()
    visitor.gate.hold("run 1", 0.01)
    visitor.press("train")
    visitor.wait_for_step(94)
    page.locator('[data-testid="stVegaLiteChart"]').nth(3).wait_for()
    expect(page.locator('[data-testid="stMetric"]').first).to_contain_text("of 9,380")
    loss = float(visitor.metrics()["Training loss"])
    assert loss < 1.5

    # Leave to another page: the job panel follows; return: it went on.
    visitor.go("Layers")
    card = page.locator(".st-key-job-panel")
    expect(card).to_contain_text("Training Model 1 · run 1")
    expect(card).to_contain_text(re.compile(r"epoch \d+ of 10"))
    visitor.gate.hold("run 1", 0.015)
    visitor.go("Training")
    visitor.wait_for_step(141)

    # Pause holds it, a new learning rate takes effect when it goes on.
    visitor.press("pause")
    page.locator(".st-key-resume").wait_for()
    visitor.wait_until_scored()
    held = visitor.step()
    visitor.gate.hold("run 1", 0.025)
    page.wait_for_timeout(1_500)
    assert visitor.step() == held
    page.locator('.st-key-run-controls input[type="range"]').press("ArrowRight")
    visitor.settle()
    visitor.press("resume")
    visitor.wait_for_step(held + 10)
    expect(page.locator('[data-testid="stMetric"]').nth(2)).to_contain_text("learning rate 1e-3")

    # One more epoch, then stop: the run stays, and stands still.
    visitor.press("one-more")
    expect(page.locator('[data-testid="stMetric"]').first).to_contain_text("of 10,318")
    visitor.press("stop")
    page.locator(".st-key-stop").wait_for(state="detached")
    visitor.wait_until_scored()
    visitor.settle()
    stopped = visitor.step()
    page.wait_for_timeout(1_500)
    assert visitor.step() == stopped

    # Rewind to the untrained network.
    slider = page.locator('[class*="st-key-checkpoint-"] input[type="range"]')
    slider.press("Home")
    page.get_by_text("right, untrained").wait_for()
    untrained = page.get_by_text("right, untrained").inner_text()
    assert float(re.match(r"[\d.]+", untrained).group()) < 30  # type: ignore[union-attr]
    slider.press("End")
    page.get_by_text(f"right, step {stopped:,}").wait_for()

    # Take the untrained network to all pages.
    slider.press("Home")
    page.get_by_text("right, untrained").wait_for()
    visitor.settle()
    visitor.press("keep-checkpoint")
    expect(page.locator(".st-key-model input")).to_have_value(re.compile("untrained"))
    visitor.settle()

    # Model 2, overlaid on Model 1.
    page.locator(".st-key-settings").get_by_role("button", name="As in the report").click()
    visitor.settle()
    page.locator(".st-key-settings").get_by_text("Model 2", exact=True).click()
    visitor.settle()
    visitor.gate.hold("run 2", 0.03)  # behind its first score on test images
    visitor.press("train")
    page.get_by_text("Run 2 · Model 2", exact=False).first.wait_for()
    page.get_by_text(re.compile("At step .* run 2 has .* run 1")).wait_for()
    page.get_by_text("Seconds", exact=True).click()
    visitor.press("stop")
    page.locator(".st-key-stop").wait_for(state="detached")
    visitor.settle()

    # The new model is in the picker of every page.
    page.locator(".st-key-model input").first.click()
    page.get_by_role("option", name=re.compile("Run 1 · Model 1 · step")).click()
    visitor.settle()
    visitor.go("Predictions")
    visitor.settle()
    expect(page.locator(".st-key-model input")).to_have_value(re.compile("^Run 1"))
    page.get_by_text("What it confuses").wait_for()
    visitor.link_says("model=run-1")


def test_a_deep_link_opens_on_a_fresh_server(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path / "log.txt") as server:
        context = browser.new_context()
        person = Visitor(context.new_page(), server)
        person.open("/predictions?model=model-2&image=8&show=Mistakes&order=Hardest+first")
        page = person.page
        page.get_by_role("heading", name="Predictions", level=1).wait_for()
        expect(page.locator('[data-testid="stSidebarNav"]')).to_contain_text("Overview")
        expect(page.locator(".st-key-model input")).to_have_value(re.compile("^Model 2"))
        page.get_by_text("Test image 8 · a 5").wait_for()
        page.get_by_text("test images are misread").wait_for()
        page.reload()
        person.settle()
        page.get_by_text("test images are misread").wait_for()
        expect(page.locator(".st-key-model input")).to_have_value(re.compile("^Model 2"))
        assert not person.complaints, person.complaints
        context.close()


def test_a_cell_of_the_matrix_selects_its_images(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 1440, "height": 1600})
    visitor.open("/predictions")
    chart = page.locator('[data-testid="stVegaLiteChart"]').first
    chart.scroll_into_view_if_needed()
    box = chart.locator("canvas, svg").first.bounding_box()
    assert box is not None
    left, top, right = 51, 57, 4  # the axes' labels take these pixels of the chart
    column, row = (box["width"] - left - right) / 10, (box["height"] - top) / 10
    page.mouse.click(box["x"] + left + 4.5 * column, box["y"] + top + 9.5 * row)
    page.get_by_text("test images of a 9 are read as 4").wait_for()
    page.get_by_role("button", name="Show all again").click()
    page.get_by_text("of the test images are read right").wait_for()


def test_two_visitors_train_at_once(browser: Browser, server: Server) -> None:
    """Two of them in processes of their own; a third waits for a place."""
    contexts = [browser.new_context() for _ in range(3)]
    first, second, third = people = [Visitor(each.new_page(), server) for each in contexts]
    server.gate.hold("Training", 0.005)
    for person in people:
        person.open("/training?epochs=10")
        person.press("train")
        if person is not third:
            person.wait_for_step(20)
    third.page.get_by_text("it is number 1 in the queue, its turn comes in about").wait_for()
    first.press("stop")
    third.wait_for_step(20)
    for person in (second, third):
        person.press("stop")
        person.page.locator(".st-key-stop").wait_for(state="detached")
    server.gate.open()
    for person, context in zip(people, contexts, strict=True):
        assert not person.complaints, person.complaints
        context.close()


def test_infinity_is_explained(visitor: Visitor) -> None:
    visitor.open("/training?images=2000&lr=10&optimizer=SGD&decay=1")
    visitor.press("train")
    message = visitor.page.get_by_text("The loss became infinite at step")
    message.wait_for()
    assert "lower the learning rate" in message.inner_text()


def test_weights_come_back(visitor: Visitor, downloads: Path) -> None:
    page = visitor.page
    visitor.open("/training?images=1000&epochs=1")
    visitor.gate.hold("Training", 0.5)
    visitor.press("train")
    page.locator(".st-key-stop").wait_for()
    visitor.gate.open()
    page.locator(".st-key-stop").wait_for(state="detached")
    visitor.settle()
    with page.expect_download() as pending:
        page.locator(".st-key-weights button").first.click()
    path = downloads / pending.value.suggested_filename
    pending.value.save_as(path)
    assert path.suffix == ".safetensors"
    page.get_by_role("button", name="Upload weights").click()
    uploader = page.locator('.st-key-weights-file input[type="file"]')
    uploader.set_input_files(path)
    page.get_by_text("is in the model picker").wait_for()
    bad = downloads / "bad.safetensors"
    bad.write_bytes(b"\x80\x04not weights")
    uploader.set_input_files(bad)  # the page may still be drawn anew: the uploader stays
    page.get_by_text("This is a Python pickle").wait_for()


@pytest.mark.parametrize("path", ["/", "/training", "/predictions", "/layers", "/occlusion"])
def test_nothing_scrolls_sideways_on_a_phone(phone: Visitor, path: str) -> None:
    phone.open(path)
    assert phone.fits_a_phone()
