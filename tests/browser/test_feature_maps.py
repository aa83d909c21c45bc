"""The neuron microscope in a real browser: its arithmetic is the network's."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, WebSocket, expect

from core.arrays import to_float
from core.data.mnist import Dataset
from core.inspection.feature_maps import convolutions, feature_maps, seen_rows
from core.network.classifier import Classifier
from core.zoo import models as zoo
from tests.browser.conftest import Visitor
from tests.browser.server import Server

POSITIONS = [(0, 0), (-1, -1), (0, -1), (5, 6), (9, 4), (-1, 3)]


def _scope(visitor: Visitor) -> Locator:
    scope = visitor.page.locator(".microscope[data-drawn]")
    scope.wait_for()
    return scope


def _reading(scope: Locator) -> dict[str, str]:
    return scope.evaluate("element => ({...element.dataset})")


def _map(scope: Locator, layer: str, channel: int | str, side: int = 0) -> Locator:
    maps = scope.locator(f'.maps[data-layer="{layer}"]')
    return maps.locator(f'canvas[data-side="{side}"][data-channel="{channel}"]')


def _point(visitor: Visitor, canvas: Locator, row: int, column: int, side: int) -> None:
    box = canvas.bounding_box()
    assert box is not None
    visitor.page.mouse.move(
        box["x"] + (column + 0.5) * box["width"] / side,
        box["y"] + (row + 0.5) * box["height"] / side,
    )


@pytest.mark.parametrize("model", ["model-1", "model-2"])
@pytest.mark.parametrize("number", [0, 1])
def test_the_arithmetic_is_the_networks(
    visitor: Visitor, mnist: Dataset, model: str, number: int
) -> None:
    classifier = zoo.load(model)
    own = convolutions(classifier.model)[number]
    image = to_float(mnist.test.images[4:5])
    before = feature_maps(classifier, image, own.before)[0]
    after = feature_maps(classifier, image, own.after)[0]
    assert own.pooled is not None
    pooled = feature_maps(classifier, image, own.pooled)[0]
    sums = feature_maps(classifier, image, own.name)[0]
    visitor.page.set_viewport_size({"width": 1440, "height": 1400})
    visitor.open(f"/feature_maps?model={model}&image=4&layer={own.name}")
    scope = _scope(visitor)
    for channel in (0, 13, own.channels - 1):
        tile = _map(scope, own.name, channel)
        for at in POSITIONS:
            row, column = (int(place) % own.side for place in at)
            _point(visitor, tile, row, column, own.side)
            expect(scope).to_have_attribute("data-row", str(row))
            read = _reading(scope)
            assert (int(read["channel"]), int(read["column"])) == (channel, column)
            assert float(read["biased"]) == pytest.approx(sums[row, column, channel], abs=1e-4)
            assert float(read["before"]) == pytest.approx(before[row, column, channel], abs=1e-4)
            assert float(read["after"]) == pytest.approx(after[row, column, channel], abs=1e-4)
            window = pooled[row // 2, column // 2, channel]
            assert float(read["pooled"]) == pytest.approx(window, abs=1e-4)
            wins = after[row, column, channel] == window and window > 0
            assert read["wins"] == str(bool(wins)).lower()
            sees = seen_rows(classifier.model, own.after)
            assert read["field"] == ",".join(map(str, [*sees[row], *sees[column]]))
            written = f"{after[row, column, channel]:.2f}"
            expect(scope.locator(".equation strong")).to_have_text(written)


def _number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_the_parts_that_are_written_add_up(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 1440, "height": 1400})
    visitor.open("/feature_maps?layer=conv2&image=4")
    scope = _scope(visitor)
    _point(visitor, scope.locator("canvas.map"), 6, 6, 14)
    expect(scope).to_have_attribute("data-row", "6")
    total = 0.0
    for cell in scope.locator(".strip [data-input]").all():
        cell.click()
        added = re.search(r"adds (−?[\d.]+) to", scope.locator(".inputs-note").inner_text())
        assert added is not None
        total += _number(added.group(1))
        products = [_number(text) for text in scope.locator(".product span").all_inner_texts()]
        assert sum(products) == pytest.approx(_number(added.group(1)), abs=0.05)
    assert total == pytest.approx(float(_reading(scope)["sum"]), abs=0.05)


def test_arrow_keys_shift_and_escape(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 1440, "height": 1400})
    visitor.open("/feature_maps?image=4")
    scope, keys = _scope(visitor), visitor.page.keyboard
    scope.locator("canvas.map").focus()
    start = _reading(scope)
    keys.press("ArrowUp")
    keys.press("ArrowLeft")
    keys.press("ArrowLeft")
    read = _reading(scope)
    assert int(read["row"]) == int(start["row"]) - 1
    assert int(read["column"]) == int(start["column"]) - 2
    for _ in range(30):
        keys.press("ArrowRight")
    assert _reading(scope)["column"] == "27"
    keys.press("Shift+ArrowRight")
    assert int(_reading(scope)["channel"]) == int(start["channel"]) + 1
    # A click holds the pixel while the pointer wanders; Escape lets it go.
    canvas = scope.locator("canvas.map")
    _point(visitor, canvas, 10, 10, 28)
    visitor.page.mouse.down()
    visitor.page.mouse.up()
    _point(visitor, canvas, 20, 20, 28)
    assert _reading(scope)["row"] == "10"
    keys.press("Escape")
    _point(visitor, canvas, 21, 21, 28)
    assert _reading(scope)["row"] == "21"


def test_pooled_maps_lead_to_what_won(visitor: Visitor, mnist: Dataset) -> None:
    classifier = zoo.load("model-1")
    visitor.page.set_viewport_size({"width": 1440, "height": 1400})
    visitor.open("/feature_maps?image=4&stage=after+pooling")
    scope = _scope(visitor)
    pooled = feature_maps(classifier, to_float(mnist.test.images[4:5]), "pool1")[0]
    for row, column in ((0, 0), (6, 7), (13, 13)):
        tile = _map(scope, "conv1", 2)
        _point(visitor, tile, row, column, 14)
        scope.page.wait_for_timeout(50)
        read = _reading(scope)
        assert (int(read["row"]) // 2, int(read["column"]) // 2) == (row, column)
        assert float(read["after"]) == pytest.approx(pooled[row, column, 2], abs=1e-4)


def test_two_models_side_by_side(visitor: Visitor, mnist: Dataset) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 1440, "height": 1600})
    visitor.open("/feature_maps?image=4&layer=conv2&compare=Another+model")
    scope = _scope(visitor)
    page.get_by_text("Model 2 beside Model 1").first.wait_for()
    image = to_float(mnist.test.images[4:5])
    models = [zoo.load(name) for name in ("model-1", "model-2")]

    def values(classifier: Classifier) -> np.ndarray:
        return feature_maps(classifier, image, "conv2_relu")[0]

    for number, classifier in enumerate(models):
        canvas = _map(scope, "conv2", 9, number)
        _point(visitor, canvas, 7, 5, 14)
        expect(scope).to_have_attribute("data-side", str(number))
        assert float(_reading(scope)["after"]) == pytest.approx(
            values(classifier)[7, 5, 9], abs=1e-4
        )
    largest = max(values(classifier).max() for classifier in models)
    assert float(_reading(scope)["limit"]) == pytest.approx(largest, rel=1e-5)
    # Ranked by difference: the numbers under the tiles fall.
    page.locator(".st-key-sort input").first.click()
    page.get_by_role("option", name="Difference").click()
    visitor.link_says("Difference")
    visitor.settle()
    for layer in ("conv1", "conv2"):
        marks = scope.locator(f'.maps[data-layer="{layer}"] .mark').all_inner_texts()
        differences = [float(mark.split()[-1]) for mark in marks]
        assert differences == sorted(differences, reverse=True)
        assert len(differences) == 32


def test_an_edited_model_is_in_the_picker(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/feature_maps")
    _scope(visitor)
    channels = page.locator(".st-key-surgery-settings")
    for channel in ("11", "28"):
        channels.get_by_text(channel, exact=True).click()
    page.get_by_text("conv1 11, 28 × 0").wait_for()
    visitor.press("keep")
    page.get_by_text("is in the model picker").wait_for()
    page.locator(".st-key-model").scroll_into_view_if_needed()
    visitor.settle()
    page.locator(".st-key-model input").first.click()
    page.get_by_role("option", name=re.compile("Model 1, conv1 2 channels off")).click()
    visitor.settle()
    scope = _scope(visitor)
    tile = scope.locator('.maps[data-layer="conv1"] .tile[data-channel="11"]')
    expect(tile).to_have_attribute("data-state", "dead")
    visitor.go("Predictions")
    visitor.settle()
    expect(page.locator(".st-key-model input")).to_have_value(re.compile("^Model 1, conv1"))
    page.get_by_text("of the test images are read right").wait_for()


@pytest.mark.parametrize("query", ["", "?layer=conv2&model=model-2", "?compare=Another+image"])
def test_a_phone_shows_it_all_and_a_finger_reads_it(
    browser: Browser, server: Server, query: str
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800}, has_touch=True)
    person = Visitor(context.new_page(), server)
    person.open(f"/feature_maps{query}")
    scope = _scope(person)
    assert person.fits_a_phone()
    parts = scope.locator(".cells, .grid, .strip").all()
    room = scope.evaluate("element => element.clientWidth")
    assert all(part.evaluate("element => element.scrollWidth") <= room for part in parts)
    canvas = scope.locator("canvas.map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    person.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    side = 14 if "conv2" in query else 28
    expect(scope).to_have_attribute("data-row", str(side // 2))
    assert not person.complaints, person.complaints
    context.close()


def _hear_frames(visitor: Visitor) -> list[str]:
    """What goes over the page's websocket from its opening on; call before the page opens."""
    frames: list[str] = []

    def hear(socket: WebSocket) -> None:
        socket.on("framesent", lambda _: frames.append("sent"))
        socket.on("framereceived", lambda _: frames.append("received"))

    visitor.page.on("websocket", hear)
    return frames


def _expect_value(scope: Locator, maps: np.ndarray, row: int, column: int, channel: int) -> None:
    expect(scope).to_have_attribute("data-row", str(row))
    expect(scope).to_have_attribute("data-column", str(column))
    expect(scope).to_have_attribute("data-channel", str(channel))
    value = maps[row, column, channel]
    assert float(_reading(scope)["after"]) == pytest.approx(value, abs=1e-4)
    expect(scope.locator(".equation strong")).to_have_text(f"{value:.2f}")


def _maps(mnist: Dataset, layer: str) -> np.ndarray:
    return feature_maps(zoo.load("model-1"), to_float(mnist.test.images[4:5]), layer)[0]


def test_every_layer_is_read_with_nothing_asked_of_the_server(
    visitor: Visitor, mnist: Dataset
) -> None:
    frames = _hear_frames(visitor)
    maps = {layer: _maps(mnist, f"{layer}_relu") for layer in ("conv1", "conv2")}
    visitor.page.set_viewport_size({"width": 1440, "height": 1600})
    visitor.open("/feature_maps?image=4")
    scope = _scope(visitor)
    assert "sent" in frames
    scope.hover(position={"x": 2, "y": 2})
    frames.clear()
    for large in ("conv2", "conv1", "conv2"):
        scope.get_by_role("radio", name=large).click()
        expect(scope).to_have_attribute("data-layer", large)
        expect(scope.locator(".all .maps")).to_have_attribute("data-layer", large)
        for layer, side in (("conv1", 28), ("conv2", 14)):  # one of them large, one small
            for channel in (3, 21):
                _point(visitor, _map(scope, layer, channel), 6, 5, side)
                expect(scope).to_have_attribute("data-layer", layer)
                _expect_value(scope, maps[layer], 6, 5, channel)
        assert scope.locator(".tile.chosen").count() == 1
    visitor.page.wait_for_timeout(500)
    assert frames == []
    # Only when the visitor leaves does the link learn which layer is large.
    visitor.page.get_by_role("heading", name="Feature maps", level=1).hover()
    visitor.page.wait_for_url(re.compile("layer=conv2"))
    visitor.settle()
    expect(scope).to_have_attribute("data-layer", "conv2")
    assert scope.get_attribute("data-drawn") == "1"
    visitor.press("as-reported")
    expect(scope).to_have_attribute("data-layer", "conv1")
    expect(scope.locator(".all .maps")).to_have_attribute("data-layer", "conv1")
    visitor.link_omits("layer=")


def test_the_small_maps_hold_still_under_the_pointer(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 1440, "height": 1600})
    visitor.open("/feature_maps?image=4")
    scope = _scope(visitor)
    _point(visitor, _map(scope, "conv1", 3), 9, 9, 28)
    expect(scope).to_have_attribute("data-channel", "3")
    tile = _map(scope, "conv2", 8)
    before = tile.bounding_box()
    for row in range(14):
        _point(visitor, tile, row, 6, 14)
        expect(scope).to_have_attribute("data-row", str(row))
    assert tile.bounding_box() == before


def test_layers_are_switched_with_the_keyboard(visitor: Visitor, mnist: Dataset) -> None:
    frames = _hear_frames(visitor)
    visitor.page.set_viewport_size({"width": 1440, "height": 1600})
    visitor.open("/feature_maps?image=4")
    scope, keys = _scope(visitor), visitor.page.keyboard
    scope.get_by_role("radio", name="conv1").focus()
    frames.clear()
    keys.press("ArrowRight")
    expect(scope).to_have_attribute("data-layer", "conv2")
    expect(scope.get_by_role("radio", name="conv2")).to_be_focused()
    assert scope.get_by_role("radio", checked=True).inner_text() == "conv2"
    keys.press("Tab")  # the large maps
    keys.press("Shift+ArrowRight")
    keys.press("ArrowUp")
    read = _reading(scope)
    place = int(read["row"]), int(read["column"]), int(read["channel"])
    _expect_value(scope, _maps(mnist, "conv2_relu"), *place)
    small = scope.locator(".others .grid")
    small.focus()
    keys.press("ArrowDown")
    expect(scope).to_have_attribute("data-layer", "conv1")
    assert frames == []


def test_a_finger_reads_every_layer_on_a_phone(
    browser: Browser, server: Server, mnist: Dataset
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800}, has_touch=True)
    person = Visitor(context.new_page(), server)
    frames = _hear_frames(person)
    person.open("/feature_maps?image=4")
    scope = _scope(person)
    maps = {layer: _maps(mnist, f"{layer}_relu") for layer in ("conv1", "conv2")}
    frames.clear()
    scope.get_by_role("radio", name="conv2").tap()
    expect(scope).to_have_attribute("data-layer", "conv2")
    expect(scope.get_by_role("radio", name="conv2")).to_be_in_viewport()
    assert frames == []
    for layer, side in (("conv2", 14), ("conv1", 28)):
        canvas = _map(scope, layer, 12)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        step = box["width"] / side
        person.page.touchscreen.tap(box["x"] + 5.5 * step, box["y"] + 8.5 * step)
        expect(scope).to_have_attribute("data-layer", layer)
        _expect_value(scope, maps[layer], 8, 5, 12)
    assert person.width() <= 375
    assert not person.complaints, person.complaints
    context.close()


def test_kernels_too_large_to_send_are_fetched_by_a_click(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 1440, "height": 1800})
    visitor.open("/training?filters1=64&filters2=64&kernel=7&images=1000&epochs=1")
    visitor.gate.hold("Training", 0.01)
    visitor.press("train")
    visitor.wait_for_step(1)
    visitor.press("stop")
    page.locator(".st-key-stop").wait_for(state="detached")
    visitor.settle()
    page.locator(".st-key-model input").first.click()
    page.get_by_role("option", name=re.compile("^Run 1")).click()
    visitor.settle()
    visitor.go("Feature maps")
    visitor.settle()
    scope = _scope(visitor)
    scope.get_by_role("radio", name="conv2").click()
    expect(scope).to_have_attribute("data-layer", "conv2")
    expect(scope.locator(".all .marks")).to_contain_text("click a map to fetch its own")
    channel = "5" if _reading(scope)["channel"] != "5" else "6"
    _map(scope, "conv2", channel).click()
    expect(scope).to_have_attribute("data-channel", channel)
    _point(visitor, scope.locator("canvas.map"), 7, 7, 14)
    expect(scope).to_have_attribute("data-row", "7")
    level = scope.locator(".values").inner_text()
    assert level == f"{float(_reading(scope)['after']):.2f}"
