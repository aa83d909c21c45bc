"""The trajectory player in the browser, against the arrays that it gives away."""

import io
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, expect

from core.data.pictures import read_picture
from tests.browser.conftest import Visitor
from ui.figures import tiles
from ui.figures.palette import LIGHT

PAGE = "/adversarial"  # opens with "From noise": several classes, 200 iterations
Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def player(visitor: Visitor) -> Locator:
    visitor.open(PAGE)
    visitor.page.locator(".player[data-drawn]").wait_for()
    return visitor.page.locator(".player")


def _recorded(visitor: Visitor) -> Arrays:
    """The arrays of the trajectories on the page."""
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="NPZ").first.click()
    with np.load(download.value.path()) as file:
        return dict(file)


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def _canvas(player: Locator, name: str) -> NDArray[Any]:
    """The colors of a canvas: [28, 28, 3]."""
    pixels = player.locator(f"canvas.{name}").evaluate(
        """node => {
            const copy = document.createElement("canvas").getContext("2d")
            copy.drawImage(node, 0, 0)
            return [...copy.getImageData(0, 0, 28, 28).data]
        }"""
    )
    return np.array(pixels).reshape(28, 28, 4)[..., :3]


def _check_frame(player: Locator, arrays: Arrays, track: int, frame: int) -> None:
    """Everything that is shown belongs to this frame of this track."""
    expect(player).to_have_attribute("data-step", str(arrays[f"steps_{track}"][frame]))
    logits = arrays[f"logits_{track}"][frame]
    probabilities = arrays[f"probabilities_{track}"][frame]
    answer = int(logits.argmax())
    expect(player.locator(".finding")).to_contain_text(f"the network says {answer}")
    rows = player.locator(".class-bars li")
    shown = [_number(text) for text in rows.locator(".logit").all_inner_texts()]
    assert np.allclose(shown, logits, atol=0.051)
    values = [float(text or 0) for text in rows.locator(".value").all_inner_texts()]
    assert np.allclose(values, probabilities, atol=6e-4)
    expect(rows.nth(answer)).to_have_class("predicted")
    norms = re.search(
        r"L0 (\d+), L2 ([\d.]+), L∞ ([\d.]+)", player.locator(".distance").inner_text()
    )
    assert norms is not None
    measured = [float(arrays[f"{name}_{track}"][frame]) for name in ("L0", "L2", "Linf")]
    assert np.allclose([float(each) for each in norms.groups()], measured, rtol=0.01, atol=6e-3)
    term = re.search(r"logit (−?[\d.]+)", player.locator(".terms").inner_text())
    assert term is not None
    assert _number(term.group(1)) == pytest.approx(
        float(arrays[f"term_logit_{track}"][frame]), abs=0.051
    )
    image = arrays[f"images_{track}"][frame]
    change = image - arrays[f"images_{track}"][0]
    assert np.allclose(_canvas(player, "image"), tiles.ink(image, LIGHT).astype(int), atol=2)
    assert np.allclose(
        _canvas(player, "change"), tiles.signed(change, 1.0, LIGHT).astype(int), atol=4
    )


def test_one_slider_moves_everything_without_a_rerun(visitor: Visitor) -> None:
    page = visitor.page
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    visitor.open(PAGE)
    player = page.locator(".player")
    page.locator(".player[data-drawn]").wait_for()
    arrays = _recorded(visitor)
    visitor.settle()
    last = int(arrays["steps_0"][-1])
    expect(player).to_have_attribute("data-step", str(last))  # new ones show their result

    before = len(sent)
    slider = player.locator(".slider")
    for keys, frame in (
        (["Home"], 0),
        (["ArrowRight", "ArrowUp"], 2),
        (["Shift+ArrowRight"], 12),
        (["ArrowLeft"], 11),
        (["Shift+ArrowLeft", "Shift+ArrowLeft"], 0),
        (["End"], len(arrays["steps_0"]) - 1),
    ):
        for key in keys:
            slider.press(key)
        _check_frame(player, arrays, 0, frame)
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 8 + (box["width"] - 16) * 0.75, box["y"] + box["height"] / 2)
    frame = int(np.abs(arrays["steps_0"] - 0.75 * last).argmin())
    _check_frame(player, arrays, 0, frame)
    thumb = box["x"] + 8 + (box["width"] - 16) * float(arrays["steps_0"][frame]) / last
    cursor = player.locator(".cursor").bounding_box()
    assert cursor is not None
    assert cursor["x"] + cursor["width"] / 2 == pytest.approx(thumb, abs=1.5)

    player.locator(".tile").nth(1).click()
    expect(player).to_have_attribute("data-track", "1")
    _check_frame(player, arrays, 1, frame)
    answers = [int(arrays[f"logits_{track}"][frame].argmax()) for track in range(2)]
    for track, answer in enumerate(answers):
        expect(player.locator(".tile .answer").nth(track)).to_contain_text(f"{answer} · ")
    assert len(sent) == before

    changes = np.flatnonzero(np.diff(arrays["logits_1"].argmax(axis=1)))
    marks = player.locator(".flip span").all_inner_texts()
    assert re.findall(r"\d+$", marks[0]) == [str(arrays["steps_1"][changes[0] + 1])]

    page.locator("body").press("r")  # Streamlit's key: everything runs again, nothing is new
    visitor.settle()
    assert len(sent) > before
    expect(player).to_have_attribute("data-step", str(arrays["steps_1"][frame]))
    expect(player).to_have_attribute("data-track", "1")


def test_views_play_new_data_and_a_phone(visitor: Visitor, player: Locator) -> None:
    page = visitor.page
    for view, bands in (("Logit", 1), ("Loss", 1), ("Norms", 3), ("Probability", 1)):
        player.get_by_role("button", name=view, exact=True).click()
        expect(player.locator(".plots .row")).to_have_count(bands)
    last = player.get_attribute("data-step")
    page.emulate_media(reduced_motion="no-preference")
    player.locator(".speed").select_option("4")
    player.locator(".slider").press(" ")  # at the end: from the start again
    expect(player).to_have_class(re.compile("playing"))
    expect(player).not_to_have_class(re.compile("playing"))
    expect(player).to_have_attribute("data-step", str(last))
    expect(player.locator(".spoken")).to_contain_text(f"Iteration {last}")
    player.locator(".slider").press("Home")
    page.get_by_text("Cross-entropy", exact=True).first.click()
    expect(player).to_have_attribute("data-step", str(last))
    expect(player.locator(".terms")).to_contain_text("cross-entropy")

    page.set_viewport_size({"width": 375, "height": 800})
    player.locator("canvas.image").evaluate("node => node.scrollIntoView({block: 'start'})")
    expect(player.locator("canvas.image")).to_be_in_viewport(ratio=1)
    expect(player.locator(".slider")).to_be_in_viewport(ratio=1)  # under the thumb
    assert visitor.width() <= 375


def test_a_frame_is_taken_exactly(visitor: Visitor, player: Locator) -> None:
    page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    arrays = _recorded(visitor)
    slider = player.locator(".slider")
    slider.press("Home")
    slider.press("Shift+ArrowRight")
    exact = np.rint(arrays["images_0"][10] * 255)
    with page.expect_download() as download:
        player.locator(".small").click()
    said = read_picture(download.value.path().read_bytes())
    np.testing.assert_array_equal(said.exact, exact)
    assert said.about["model"] == "Model 1"
    assert said.about["attack"] == "From noise"
    assert said.about["iteration"] == "10"
    assert said.about["seed"] == "0"
    assert "rounded" not in said.about
    taken = np.asarray(Image.open(download.value.path()).convert("L"))
    assert np.array_equal(taken, exact)
    assert download.value.suggested_filename.endswith("-iteration-10-28.png")
    with page.expect_download() as download:
        player.locator(".large").click()
    assert read_picture(download.value.path().read_bytes()).about == said.about
    large = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert large.shape == (560, 560, 3)
    assert np.array_equal(large[::20, ::20], _canvas(player, "image"))
    player.locator(".copy").click()
    expect(player.locator(".copy")).to_have_text("Copied")
    copied = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read()
            const blob = await item.getType("image/png")
            return [...new Uint8Array(await blob.arrayBuffer())]
        }"""
    )
    picture = np.asarray(Image.open(io.BytesIO(bytes(copied))).convert("RGB"))
    assert np.array_equal(picture, large)

    # The last frame says what its 256 levels cost, on the page and in the file.
    slider.press("End")
    cost = player.locator(".cost").inner_text()
    assert cost.startswith("Its PNG, rounded to 256 levels, is read as a ")
    with page.expect_download() as download:
        player.locator(".small").click()
    assert read_picture(download.value.path().read_bytes()).about["rounded"] == cost
