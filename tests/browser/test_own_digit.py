"""Drawing and uploading a digit, with mouse, finger and keyboard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, FloatRect, Locator, expect

from core.data.mnist import load_mnist
from tests.browser.conftest import Visitor
from tests.browser.server import Server
from tests.photographs import on_phone, photograph, saved

Point = tuple[float, float]
ONE: list[Point] = [(0.3, 0.15), (0.28, 0.85)]
SEVEN: list[Point] = [(0.12, 0.2), (0.5, 0.2), (0.3, 0.8)]
RING: list[Point] = [
    (0.6 + 0.22 * float(np.sin(turn)), 0.5 - 0.33 * float(np.cos(turn)))
    for turn in np.linspace(0, 2 * np.pi, 25)
]


class Pad:
    """The dialog with the pad, under a hand."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        self.dialog = self.page.get_by_role("dialog")
        self.canvas = self.dialog.get_by_label("Draw one digit here")
        self.canvas.wait_for()
        self.settle = visitor.settle
        self.settle()

    @property
    def finding(self) -> Locator:
        return self.dialog.locator(".finding")

    def expect(self, finding: str) -> None:
        """Wait for it; the model may still be loading."""
        expect(self.finding).to_contain_text(finding)

    def button(self, name: str) -> Locator:
        return self.dialog.get_by_role("button", name=name)

    def point(self, at: Point) -> Point:
        box = self.canvas.bounding_box()
        assert box is not None
        return box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"]

    def stroke(self, points: Sequence[Point]) -> None:
        self.page.mouse.move(*self.point(points[0]))
        self.page.mouse.down()
        for at in points[1:]:
            self.page.mouse.move(*self.point(at), steps=6)
        self.page.mouse.up()

    def ink(self) -> int:
        """How many of the pad's pixels are inked."""
        count = self.canvas.evaluate(
            """canvas => {
                const copy = new OffscreenCanvas(canvas.width, canvas.height)
                const context = copy.getContext("2d", { willReadFrequently: true })
                context.drawImage(canvas, 0, 0)
                return context.getImageData(0, 0, canvas.width, canvas.height)
                    .data.filter((value, at) => at % 4 === 3 && value > 127).length
            }"""
        )
        return int(count)


def _bars(dialog: Locator) -> list[float]:
    widths = dialog.locator(".bar").evaluate_all("bars => bars.map(bar => bar.style.width)")
    return [float(width.removesuffix("%")) / 100 for width in widths]


def _open(visitor: Visitor) -> Pad:
    visitor.open("/")
    visitor.press("overview-draw")
    return Pad(visitor)


def test_draw_undo_erase_and_use_a_digit(visitor: Visitor) -> None:
    pad = _open(visitor)
    pad.expect("Nothing drawn yet")
    expect(pad.button("Use this digit")).to_be_disabled()

    pad.stroke(SEVEN)
    pad.expect("Model 1 reads 7")
    expect(pad.dialog.locator(".predicted .label")).to_have_text("7")
    bars = _bars(pad.dialog)
    assert len(bars) == 10
    assert np.argmax(bars) == 7
    assert sum(bars) == pytest.approx(1, abs=1e-3)
    expect(pad.dialog.locator("figcaption b")).to_have_text(["Crop", "20 × 20", "28 × 28"])

    # Undo takes back a stroke, eraser and clear take away ink.
    seven = pad.ink()
    pad.stroke(RING)
    assert pad.ink() > seven
    pad.button("Undo").click()
    assert pad.ink() == seven
    pad.expect("Model 1 reads 7")
    pad.button("Eraser").click()
    expect(pad.button("Eraser")).to_have_attribute("aria-pressed", "true")
    pad.dialog.get_by_label("Brush size").fill("48")
    pad.stroke([(0.05, 0.2), (0.32, 0.2)])
    assert 0 < pad.ink() < 0.9 * seven
    pad.button("Eraser").click()
    pad.button("Clear").click()
    assert pad.ink() == 0
    pad.expect("Nothing drawn yet")
    expect(pad.button("Undo")).to_have_attribute("aria-disabled", "true")

    # Another digit; it goes to all pages.
    pad.dialog.get_by_label("Brush size").fill("24")
    pad.stroke(RING)
    pad.expect("Model 1 reads 0")
    pad.settle()
    pad.button("Use this digit").click()
    pad.dialog.wait_for(state="detached")
    page = visitor.page
    page.get_by_text("Your digit · no label").wait_for()
    page.get_by_text("your own digit").wait_for()
    visitor.settle()
    visitor.link_says("ink=")
    visitor.go("Predictions")
    page.get_by_text("Your digit · no label").wait_for()


def test_without_centering_a_small_digit_is_misread(visitor: Visitor) -> None:
    pad = _open(visitor)
    pad.dialog.get_by_label("Brush size").fill("8")
    pad.stroke([(0.05 + 0.3 * x, 0.7 + 0.3 * y) for x, y in RING])
    pad.expect("Model 1 reads 0")
    pad.settle()
    pad.dialog.get_by_text("Center it as MNIST does").click()
    expect(pad.dialog.locator("figcaption b")).to_have_text(["28 × 28"])
    expect(pad.finding).not_to_contain_text("reads 0")


def test_the_bars_follow_a_stroke_before_it_ends(visitor: Visitor) -> None:
    pad = _open(visitor)
    pad.page.mouse.move(*pad.point(ONE[0]))
    pad.page.mouse.down()
    pad.page.mouse.move(*pad.point(ONE[1]), steps=10)
    pad.expect("Model 1 reads 1")
    pad.page.mouse.up()


def test_the_buttons_work_by_keyboard(visitor: Visitor) -> None:
    pad = _open(visitor)
    pad.stroke(ONE)
    pad.expect("Model 1 reads 1")
    pad.button("Eraser").focus()
    pad.page.keyboard.press("Tab")
    pad.page.keyboard.press("Enter")  # undo
    assert pad.ink() == 0
    pad.expect("Nothing drawn yet")
    pad.page.keyboard.press("Escape")
    pad.dialog.wait_for(state="detached")
    visitor.settle()
    visitor.press("overview-draw")
    assert Pad(visitor).ink() == 0


def _centers(box: FloatRect, points: Sequence[Point]) -> list[dict[str, float]]:
    return [
        {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points
    ]


def test_a_finger_draws_on_a_phone(browser: Browser, server: Server) -> None:
    context = browser.new_context(
        viewport={"width": 375, "height": 800},
        has_touch=True,
        is_mobile=True,
        color_scheme="dark",
    )
    person = Visitor(context.new_page(), server)
    pad = _open(person)
    box = pad.canvas.bounding_box()
    assert box is not None
    touch = context.new_cdp_session(person.page)
    first, *others = _centers(box, [*SEVEN[:1], (0.3, 0.2), *SEVEN[1:2], (0.4, 0.5), SEVEN[2]])
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [first]})
    for at in others:
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    pad.expect("Model 1 reads 7")
    for part in (pad.dialog, person.page.locator("[data-testid=stMain]"), pad.canvas):
        assert part.evaluate("part => part.scrollWidth <= 375")
    assert pad.dialog.evaluate("part => part.scrollWidth <= part.clientWidth")
    assert not person.complaints, person.complaints
    context.close()


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_photograph_is_read(visitor: Visitor, tmp_path: Path, kind: str) -> None:
    test = load_mnist().test
    index = {"jpg": 0, "png": 61}[kind]
    picture = test.images[index]
    data = on_phone(picture) if kind == "jpg" else saved(photograph(picture, bright_ink=True))
    path = tmp_path / f"digit.{kind}"
    path.write_bytes(data)
    page = visitor.page
    visitor.open("/predictions")
    page.locator("[class*=st-key-image-popover] button").first.click()
    visitor.press("upload-photo")
    dialog = page.get_by_role("dialog")
    dialog.locator('input[type="file"]').set_input_files(path)
    expect(dialog.locator(".finding")).to_contain_text(f"Model 1 reads {test.labels[index]}")
    expect(dialog.locator("figcaption b")).to_have_text(["Crop", "20 × 20", "28 × 28"])
    dialog.get_by_alt_text("The photograph, with a box around each digit").wait_for()

    bad = tmp_path / f"bad.{kind}"
    bad.write_bytes(data[: len(data) // 3])
    dialog.locator('input[type="file"]').set_input_files(bad)
    dialog.get_by_text("The picture is damaged or cut off: save it again.").wait_for()
    expect(dialog.get_by_role("button", name="Use this digit")).to_have_count(0)

    dialog.locator('input[type="file"]').set_input_files(path)
    dialog.get_by_role("button", name="Use this digit").click()
    page.get_by_text("Your digit · no label").wait_for()
    visitor.settle()
    visitor.link_says("ink=")
