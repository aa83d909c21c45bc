"""The page One noise, many images, headless."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.mnist import load_test_labels
from core.data.spec import MNIST
from core.statistics.rate import Rate
from tests.ui.conftest import open_page, text_of
from ui.views.one_noise.carried import half_misled
from ui.views.one_noise.fit import ALL_CLASSES, CURVE_SCALES, POOL_START, SAME_CLASS, images_to_fit
from ui.visitor.images import ChosenImage, encode_ink
from ui.visitor.state import ModelFile

FAST = {"one_steps": "40", "one_rate": "5e-3"}


def _open(app: AppTest, **query: str) -> AppTest:
    app.default_timeout = 300
    return open_page(app, "one_noise", **{**FAST, **query})


def _misled(app: AppTest) -> float:
    found = re.search(r"misleads ([\d.]+) % of other images", text_of(app))
    assert found is not None
    return float(found.group(1))


def test_every_control_moves(app: AppTest) -> None:
    page = _open(app)
    assert "A noise fitted to one image" in text_of(page)
    assert "target 5, scale 1" in text_of(page)
    assert "Fitted to test image 1." in text_of(page)
    before = _misled(page)
    page.slider(key="one_scale").set_value(3.0).run()
    assert _misled(page) > before
    page.slider(key="one_scale").set_value(0.0).run()
    assert _misled(page) == 0
    page.slider(key="one_scale").set_value(2.0).run()
    page.selectbox(key="one_target").select("7").run()
    assert "target 7, scale 2" in text_of(page)
    page.slider(key="one_images").set_value(3).run()
    assert "A noise fitted to 3 images" in text_of(page)
    page.segmented_control(key="one_from").set_value(ALL_CLASSES)
    page.slider(key="one_steps").set_value(30)
    page.selectbox(key="one_cost").select("cross-entropy").run()
    assert "cross-entropy, Adam 5e-3, 30 iterations" in text_of(page)
    page.toggle(key="one_zoom").set_value(True).run()
    assert "pixels lie beyond the colors" in text_of(page)
    page.segmented_control(key="one_hit").set_value("The target").run()
    assert not page.exception
    assert not page.error


def test_the_report_comes_with_its_claim(app: AppTest) -> None:
    page = _open(app, one_scale="2")
    page.button(key="one-as-reported").click().run()
    assert not page.exception
    assert page.number_input(key="image").value == 3
    assert (page.selectbox(key="one_target").value, page.slider(key="one_scale").value) == ("5", 1)
    text = text_of(page)
    assert "logit, Adam 5e-4, 400 iterations" in text
    assert "“in most cases misclassifies other classes as well” is **not confirmed**" in text
    assert "The noise set above, toward 5, fitted to one image, × 1, misleads **fewer" in text
    assert re.search(r"misread are, toward 4: .* of \d+; toward 5: .* of \d+\.", text)


def test_models_against_models(app: AppTest) -> None:
    page = _open(app, one_scale="2")
    assert "4 of 16 cells are measured" in text_of(page)
    page.multiselect(key="one_models-model-1").set_value(["model-2"]).run()
    assert "Fitted on Model 1, it misleads Model 2 in" in text_of(page)
    assert "2 of 4 cells are measured" in text_of(page)
    page.button(key="one-fit-others").click().run()
    assert "4 of 4 cells are measured" in text_of(page)
    page.slider(key="one_scale").set_value(3.0).run()
    assert "4 of 4 cells are measured" in text_of(page)
    page.slider(key="one_steps").set_value(30).run()
    assert "2 of 4 cells are measured" in text_of(page)
    page.multiselect(key="one_models-model-1").set_value([]).run()
    assert "No other model is chosen" in text_of(page)
    assert not page.exception


def test_an_own_digit_is_fitted(app: AppTest) -> None:
    from ui.visitor import compute

    ink = encode_ink(np.asarray(compute.dataset(MNIST).test.images[0]))
    page = _open(app, ink=ink, one_images="2")
    assert not page.exception
    assert "Fitted to your digit, 50" in text_of(page)
    assert "first 1,000 test images not fitted to" in text_of(page)


def test_fitted_images_are_not_scored(app: AppTest) -> None:
    assert "first 999 test images" in text_of(_open(app))


def test_too_much_work_is_one_sentence(app: AppTest) -> None:
    page = _open(app, one_images="100", one_steps="2000")
    assert not page.exception
    assert [error.value for error in page.error] == [
        "The noise takes 200,000 images × iterations, above 100,000: choose fewer images or "
        "iterations."
    ]


def test_a_model_that_reads_nothing_right_is_one_sentence(app: AppTest) -> None:
    """Every image is a 5 to it, so that toward 5 nobody is left to mislead."""
    from core.network.model import load_model, serialize_model, weights_digest
    from core.zoo import models as zoo

    model, card = load_model(zoo.path_of("model-1"))
    model.get_layer("logits").set_weights(
        [np.zeros((500, 10), np.float32), np.eye(10, dtype=np.float32)[5]]
    )
    card = replace(card, title="Only fives", version=weights_digest(model))
    data = serialize_model(model, card)
    app.session_state["_kept"] = {"edited-1": ModelFile("edited-1", data, card)}
    page = _open(app, model="edited-1")
    assert not page.exception
    assert not page.error
    assert "there is nothing to mislead" in " ".join(each.value for each in page.info)
    page.selectbox(key="one_target").select("4").run()
    assert not page.exception
    assert "A noise fitted to one image misleads" in text_of(page)
    assert "On this image the input gradient is exactly 0 in every pixel." in text_of(page)


@pytest.mark.parametrize(
    "query",
    [
        {"one_target": "12"},
        {"one_scale": "99"},
        {"one_scale": "nan"},
        {"one_images": "0"},
        {"one_from": "Nowhere"},
        {"one_steps": "1e9"},
        {"one_rate": "7"},
        {"one_cost": "hinge"},
        {"one_count": "7"},
        {"one_hit": "all"},
    ],
)
def test_edited_links_fall_back(app: AppTest, query: dict[str, str]) -> None:
    page = _open(app, **query)
    assert not page.exception
    assert not page.error
    assert "A noise fitted to" in text_of(page)


def test_the_chosen_come_first_then_images_that_are_not_scored() -> None:
    labels = load_test_labels()
    chosen = (ChosenImage(3), ChosenImage(7))
    same = images_to_fit(chosen, 0, 6, SAME_CLASS, 5)
    assert same[:2] == chosen
    rest = [int(image.number or 0) for image in same[2:]]
    assert len(set(rest)) == 4
    assert min(rest) >= POOL_START
    assert set(labels[rest]) == {0}
    every = images_to_fit(chosen[:1], 0, 100, ALL_CLASSES, 5)
    numbers = [int(image.number or 0) for image in every]
    assert len(set(numbers)) == 100
    assert sorted(set(labels[numbers[1:10]])) == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert images_to_fit(chosen, 0, 1, SAME_CLASS, 5) == chosen[:1]


def test_files_can_be_read_again(app: AppTest) -> None:
    from core.zoo import models as zoo
    from ui.views.one_noise.files import noise_archive, rates_table
    from ui.views.one_noise.fit import GAUSSIAN, NOISE, FitSettings, fit, scores

    settings = FitSettings((ChosenImage(3),), 5, learning_rate=5e-3, iterations=20)
    model = zoo.load_once("model-1")
    with np.load(io.BytesIO(noise_archive(settings, fit(model, settings), scale=2.0))) as archive:
        assert archive["noise"].shape == (28, 28)
        assert (archive["target"], archive["scale"]) == (5, 2.0)
    found = scores(model, model, settings, 2.0, 500)
    table = rates_table(found).set_index(["noise", "true", "outcome"])
    others = found[NOISE].misclassified(found[NOISE].others)
    row = table.loc[(NOISE, "others", "misread")]
    assert (row["count"], row["of"]) == (others.successes, others.total)
    assert table.loc[(GAUSSIAN, "5", "target"), "of"] == 0


@pytest.mark.parametrize(
    ("above", "words"),
    [
        ((2, 2.5, 3, 3.5, 4), "From 2 × on more than half are misled"),
        ((1, 1.5, 3), "At 1, 1.5 and 3 × more than half are misled"),
        ((), "At no scale up to 4 × is it clearly more than half: 52.0 %"),
    ],
)
def test_the_scales_that_mislead_half(above: tuple[float, ...], words: str) -> None:
    rates = [Rate(400 if scale in above else 260, 500) for scale in CURVE_SCALES]
    assert half_misled(rates) == words
