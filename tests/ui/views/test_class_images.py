"""The class images page, headless."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.data.mnist import Dataset
from core.inspection.class_images import ImageSettings
from core.inspection.responses import responses
from core.network.classifier import Classifier
from core.report.settings import E10
from tests.ui.conftest import open_page, text_of
from ui.views.class_images.page import told
from ui.views.class_images.wanted import CLASS, ImagesAsked, Start, Wanted


@pytest.fixture
def page(app: AppTest) -> AppTest:
    return _open(app, {})


def _open(app: AppTest, query: dict[str, str]) -> AppTest:
    app.default_timeout = 180  # hundreds of ascents on a page, on whatever machine tests it
    return open_page(app, "class_images", **query)


def _fine(app: AppTest) -> bool:
    return not app.exception and not app.error


def test_ten_digits_with_every_control(page: AppTest) -> None:
    assert "10 of 10 images are read as their class" in text_of(page)
    assert "from a zero image, L2 penalty λ 0.1, Adam 0.05, 200 iterations" in text_of(page)
    assert "10 of 10 excite their class more than any real image does" in text_of(page)
    assert "all ten classes, at the report’s settings" in text_of(page)
    assert "“The cost converges” is **confirmed**" in text_of(page)
    for title in ("L2 penalty λ", "total variation", "jitter", "blur"):
        assert f"**With {title} " in text_of(page)
        assert f"**Without {title}**" in text_of(page)
    page.slider(key="img_steps").set_value(10)
    page.select_slider(key="img_l2").set_value(0.3)
    page.select_slider(key="img_tv").set_value(0.02)
    page.slider(key="img_jitter").set_value(1)
    page.slider(key="img_blur").set_value(0.3)
    page.select_slider(key="img_rate").set_value(0.1)
    page.number_input(key="img_seed").set_value(4)
    page.selectbox(key="img_start").select("Image")
    page.segmented_control(key="img_way").set_value("Small").run()
    assert _fine(page)
    assert (
        "from test image 1, a 2, L2 penalty λ 0.3, total variation 0.02, jitter 1 px, blur 0.3 px, "
        "Adam 0.1, 10 iterations"
    ) in text_of(page)
    assert "excite their class less than any real image does" in text_of(page)
    assert "all ten classes, at the settings above" in text_of(page)
    page.button(key="img-as-reported").click().run()
    assert _fine(page)
    assert "from a zero image, L2 penalty λ 0.1, Adam 0.05, 200 iterations" in text_of(page)


def test_one_class_by_four_seeds(app: AppTest) -> None:
    page = _open(app, {"img_class": "3", "img_steps": "10"})
    assert _fine(page)
    assert "The logit of digit 3 goes from" in text_of(page)
    assert "Chance has no part in it" in text_of(page)
    page.selectbox(key="img_start").select("Noise").run()
    assert _fine(page)
    assert "by 4 seeds" in text_of(page)
    assert "Chance has no part in it" not in text_of(page)


def test_any_channel_of_any_layer(app: AppTest) -> None:
    page = _open(app, {"img_of": "Channel", "img_steps": "10"})
    assert _fine(page)
    assert page.selectbox(key="img_layer").value == "conv2"
    assert "of 32 images excite their channel of conv2" in text_of(page)
    assert "Which digits does conv2 channel 0 speak for?" in text_of(page)
    page.button(key="img-open-31").click().run()
    assert page.slider(key="img_channel").value == 31
    assert "The mean of conv2 channel 31 goes from" in text_of(page)
    assert page.selectbox(key="img_layer").options == [
        "conv1", "conv1_relu", "pool1", "conv2", "conv2_relu", "pool2",
    ]  # fmt: skip
    page.selectbox(key="img_layer").select("conv1").run()
    assert "Before its ReLU the mean of conv1 is a weighted sum" in text_of(page)
    page.slider(key="img_channel").set_value(0)
    page.selectbox(key="img_layer").select("conv2_relu").run()
    assert _fine(page)
    assert "Nothing moves: the gradient at the start is zero" in text_of(page)
    page.selectbox(key="model").select("model-2").run()
    assert _fine(page)
    assert "conv1_bn" in page.selectbox(key="img_layer").options


def test_any_unit_and_those_that_are_dead(
    app: AppTest, model_1: Classifier, mnist: Dataset
) -> None:
    silent = responses(model_1, to_float(mnist.test.images), "dense1").largest <= 0
    dead = int(np.flatnonzero(silent)[0])
    page = _open(
        app,
        {"img_of": "Unit", "img_layer": "dense1", "img_unit": str(dead), "img_steps": "10"},
    )
    assert _fine(page)
    assert f"dense1 unit {dead} is dead" in text_of(page)
    assert f"So are {int(silent.sum())} of its layer’s 500 in all" in text_of(page)
    page.number_input(key="img_unit").set_value(int(np.flatnonzero(~silent)[0])).run()
    assert "is dead" not in text_of(page)
    page.selectbox(key="img_layer").select("conv1").run()
    page.number_input(key="img_row").set_value(3)
    page.number_input(key="img_column").set_value(27)
    page.slider(key="img_channel").set_value(30).run()
    assert _fine(page)
    assert "The value of conv1 channel 30 at (3, 27) goes from" in text_of(page)
    page.selectbox(key="img_layer").select("pool2").run()
    assert _fine(page)
    assert "at (3, 3)" in text_of(page), "column 27 is none of pool2's, the middle is"


@pytest.mark.parametrize(
    "query",
    [
        {"img_of": "Neuron", "img_class": "11", "img_l2": "7", "img_start": "Ink"},
        {"img_way": "Up", "img_steps": "-3", "img_blur": "nan", "img_seed": "1e9"},
        {"img_of": "Class", "img_layer": "conv9", "img_channel": "99", "img_rate": "3"},
    ],
)
def test_edited_links_fall_back(app: AppTest, query: dict[str, str]) -> None:
    page = _open(app, query)
    assert _fine(page)
    assert "from a zero image, L2 penalty λ 0.1, Adam 0.05, 200 iterations" in text_of(page)


def test_what_is_refused_is_one_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.visitor import compute

    monkeypatch.setattr(compute, "MAX_INLINE_WORK", 50)
    page = _open(app, {"img_steps": "30"})
    assert not page.exception
    assert [error.value for error in page.error] == [
        "Making the images takes 300 images × iterations, above 50: choose fewer images or "
        "iterations."
    ]


def test_the_settings_file_says_what_the_report_says() -> None:
    asked = ImagesAsked(Wanted(CLASS, E10.classes), Start("zero"), ImageSettings())
    written = json.loads(json.dumps(told("model-1", asked)))
    assert written["experiment"] == "E10"
    assert {name: written[name] for name in E10.settings} == dict(E10.settings)
