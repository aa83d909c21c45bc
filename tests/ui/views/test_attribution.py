"""The attribution page, headless: every control, the blank case, the study and its job."""

import io
import threading
from collections.abc import Generator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import FloatArray, IntArray, to_float
from core.catalog import Dial
from core.data.mnist import Dataset
from core.inspection.attribution import Attribution, gradient, integrated_gradients
from core.inspection.catalog import METHODS, Method
from core.jobs import Job
from core.network.classifier import Classifier
from tests.gate import Gate
from tests.ui.conftest import run_while_live, text_of
from ui.views.attribution import maps as attribution_maps
from ui.views.attribution import page as attribution
from ui.views.attribution import study as attribution_study
from ui.views.attribution.maps import defaults
from ui.visitor import session
from ui.visitor.choice import Choice
from ui.visitor.images import ChosenImage


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.run()
    return app.switch_page("pages/attribution.py").run()


def test_five_maps_with_the_gap_of_completeness(
    page: AppTest, model_1: Classifier, mnist: Dataset
) -> None:
    text = text_of(page)
    for name in METHODS:
        assert f"**{name}**" in text
    image = to_float(mnist.test.images[1:2])
    gap = integrated_gradients(model_1, image, np.array([2])).completeness_gap
    assert gap is not None
    written = f"{gap[0]:+.3f}".replace("-", "−")
    assert f"Completeness gap **{written}** with 64 steps" in text
    assert "Mean of the signed gradients of 50 copies with noise 0.15" in text
    assert "Does the map tell the truth?" in text
    assert "Rank correlation with the map" in text


def test_every_control_moves(page: AppTest) -> None:
    page.selectbox(key="class").select("7").run()
    assert "the logit of 7" in text_of(page)
    page.selectbox(key="baseline").select("blurred").run()
    assert "From the blurred baseline" in text_of(page)
    page.slider(key="ig_steps").set_value(8).run()
    assert "with 8 steps" in text_of(page)
    page.slider(key="sg_noise").set_value(0.4).run()
    page.slider(key="sg_samples").set_value(3).run()
    assert "3 copies with noise 0.40" in text_of(page)
    for name in METHODS:
        page.selectbox(key="map").select(name).run()
        assert f"on this image {name}" in text_of(page)
        assert not page.exception
    page.button(key="defaults").click().run()
    assert page.slider(key="ig_steps").value == 64
    assert page.selectbox(key="baseline").value == "black"
    assert page.selectbox(key="class").value == "7"
    assert not page.exception
    assert not page.error


def test_scales_stay_while_images_change(page: AppTest) -> None:
    def scales(app: AppTest) -> list[str]:
        return [c.value for c in app.caption if c.value.startswith(("+", "−")) and len(c.value) < 8]

    before = scales(page)
    assert len(before) == 2 * len(METHODS)
    assert before[0] == f"−{before[1][1:]}"
    page.number_input(key="image").set_value(25).run()
    page.selectbox(key="class").select("3").run()
    page.slider(key="sg_noise").set_value(0.0).run()
    assert scales(page) == before


def test_a_blank_grad_cam_is_explained(page: AppTest) -> None:
    page.number_input(key="image").set_value(25).run()
    page.selectbox(key="map").select("Grad-CAM").run()
    assert "Blank: the weighted maps of conv2_relu are nowhere positive for 0" in text_of(page)
    assert "not measured: a map is blank" in text_of(page)
    page.toggle(key="signed_cam").set_value(True).run()
    assert "both signs are kept" in text_of(page)
    assert "not measured: a map is blank" not in text_of(page)
    assert not page.exception


def test_images_beside_are_shown_for_the_chosen_map(page: AppTest) -> None:
    assert "Integrated gradients for" not in text_of(page)
    page.text_input(key="more").set_value("5, 9, 12").run()
    text = text_of(page)
    assert "Integrated gradients for 4 images" in text
    assert "each for its predicted class" in text
    page.selectbox(key="class").select("4").run()
    assert "class 4; one scale" in text_of(page)


def test_the_study_runs_and_ranks(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution_study, "TOTAL", 20)
    page.slider(key="ig_steps").set_value(4).run()
    page.slider(key="sg_samples").set_value(2).run()
    assert "not measured yet" in text_of(page)
    assert page.get("download_button")[1].proto.disabled
    page.button(key="fidelity-measure").click().run()
    text = text_of(run_while_live(page, "fidelity-stop"))
    assert "first" in text
    assert (
        "the first 20 test images, each for its predicted class; baseline black, steps from "
        in text
    )
    table = page.dataframe[0].value
    assert len(table) == len(METHODS) + 2
    assert set(table["map"]) >= {"The image itself (control)", "A random map (control)"}
    assert table["rank"].iloc[0].startswith("1")
    assert table["map"].iloc[-1] == "A random map (control)"
    assert not page.get("download_button")[1].proto.disabled
    page.slider(key="ig_steps").set_value(8).run()
    assert "have changed since" in text_of(page)


def test_the_file_holds_image_settings_and_maps(model_1: Classifier, mnist: Dataset) -> None:
    choice, settings = Choice("model-1", ChosenImage(7)), {**defaults(), "ig_steps": 5}
    maps = {
        name: attribution_maps.attribution(name, model_1, choice.image, 9, settings)
        for name in METHODS
    }
    with np.load(io.BytesIO(attribution._archive(choice, 9, settings, maps))) as archive:
        assert (archive["image"] == mnist.test.images[7]).all()
        assert archive["explained_class"] == 9
        assert archive["ig_steps"] == 5
        assert archive["baseline"] == "black"
        assert (archive["smooth_grad"] == maps["SmoothGrad"].values[0]).all()
        assert archive["completeness_gap"] == maps["Integrated gradients"].completeness_gap


def without_its_mean(
    classifier: Classifier, images: FloatArray, classes: IntArray, *, share: float = 0.5
) -> Attribution:
    """An attribution that no list knows: the gradient less a share of its mean."""
    values = gradient(classifier, images, classes).values
    return Attribution(values - np.float32(share) * values.mean(axis=(1, 2), keepdims=True))


def test_a_new_attribution_is_one_entry(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, model_1: Classifier
) -> None:
    """Its settings had to be entered in nine places, and the file ended in a KeyError."""
    new = Method(
        name="Above the mean",
        run=without_its_mean,
        summary="The gradient less its mean.",
        purpose="For a test.",
        source="Nobody",
        dials={"share": Dial("Share of the mean", 0.0, 1.0, 0.1, free=True)},
        looks=lambda: 1,
        unit="logit per test",
        says="Less {share:g} of the mean.",
    )
    monkeypatch.setitem(METHODS, new.name, new)
    monkeypatch.setattr(attribution_study, "TOTAL", 10)
    app.query_params.update({"ig_steps": "4", "sg_samples": "1", "without_its_mean_share": "0.2"})
    app.query_params["map"] = new.name
    app.run()
    page = app.switch_page("pages/attribution.py").run()
    text = text_of(page)
    assert "**Above the mean** :gray[· logit per test]" in text
    assert "Less 0.2 of the mean." in text
    assert "on this image Above the mean" in text
    page.button(key="fidelity-measure").click().run()
    assert "share of the mean 0.2" in text_of(run_while_live(page, "fidelity-stop"))
    assert set(page.dataframe[0].value["map"]) > METHODS.keys()
    assert not page.exception
    choice, settings = Choice("model-1", ChosenImage(1)), {**defaults(), "ig_steps": 4}
    maps = {
        name: attribution_maps.attribution(name, model_1, choice.image, 2, settings)
        for name in METHODS
    }
    with np.load(io.BytesIO(attribution._archive(choice, 2, settings, maps))) as archive:
        assert (archive["without_its_mean"] == maps[new.name].values[0]).all()
        assert archive["without_its_mean_share"] == 0.5


def test_a_study_can_be_stopped(page: AppTest, gate: Gate) -> None:
    gate.hold("Fidelity", 0)
    page.button(key="fidelity-measure").click().run()
    page.button(key="fidelity-stop").click().run()
    assert "Stopped after" in text_of(run_while_live(page, "fidelity-stop"))


def test_another_job_of_the_visitor_is_one_sentence(page: AppTest) -> None:
    finish = threading.Event()

    def wait() -> Generator[float]:
        while not finish.wait(0.01):
            yield 0.5

    session.manager().submit(Job(page.session_state["_owner"], "Training Model 1", wait))
    page.button(key="fidelity-measure").click().run()
    finish.set()
    assert not page.exception
    assert len(page.error) == 1
    assert page.error[0].value.startswith("“Training Model 1” is still ")
    assert all(button.key != "fidelity-stop" for button in page.button)
