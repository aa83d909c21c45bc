"""Adversarial training and the tray on their page, headless."""

import io
import time
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.data.spec import MNIST
from core.report.settings import E13
from core.training.settings import TrainingSettings
from tests.ui.conftest import text_of
from ui.visitor import compute


def _training(app: AppTest) -> AppTest:
    app.run()
    return app.switch_page("pages/training.py").run()


def _chosen(app: AppTest) -> TrainingSettings:
    """What a press of Train would train."""
    return app.session_state["_runs"][-1].settings


def _finish(app: AppTest) -> None:
    job = app.session_state["_runs"][-1].job
    deadline = time.monotonic() + 300
    while not job.ended:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert job.error == ""


def _small(app: AppTest) -> None:
    """A network and an epoch that take seconds."""
    app.slider(key="blocks").set_value(1)
    app.slider(key="filters1").set_value(4)
    app.slider(key="hidden").set_value(10)
    app.slider(key="epochs").set_value(1)
    app.slider(key="images").set_value(1_000).run()


def test_train_against_an_attack_and_see_it_measured(app: AppTest) -> None:
    app = _training(app)
    _small(app)
    app.segmented_control(key="at").set_value("FGSM").run()
    assert app.slider(key="at_step").value == 1.25
    assert app.slider(key="at_steps").disabled
    app.slider(key="at_eps").set_value(0.1).run()
    app.slider(key="at_clean").set_value(50).run()
    app.button(key="train").click().run()
    assert not app.exception
    assert not app.error
    settings = _chosen(app)
    assert (settings.attack, settings.attack_epsilon, settings.attack_step) == ("fgsm", 0.1, 1.25)
    assert settings.clean_share == 0.5
    _finish(app)
    app.run()
    metrics = {each.label: each for each in app.metric}
    assert "n = 200" in metrics["Under attack"].delta
    assert "under PGD-10 at ε = 0.1" in text_of(app)
    assert "Accuracy under PGD-10, ε = 0.1, 200 test images" in text_of(app)
    assert not app.exception


def _attacked_without_gradients() -> None:
    from dataclasses import replace

    from core.data.mnist import load_mnist
    from core.network.architecture import MODEL_1
    from core.statistics.rate import Rate
    from core.training.loop import Progress, Score
    from core.training.runs import Run
    from core.training.settings import TrainingSettings
    from ui.views.training.result import _under_attack

    settings = replace(TrainingSettings(), robust_scores=True)
    half = Rate(100, 200)
    run = Run(MODEL_1, settings, load_mnist(), number=3)
    for step, flat in ((0, 0), (10, 7)):
        score = Score(half, 0.1, robust=half, single_step=half, flat=Rate(flat, 200))
        run.history.append(Progress(step, 10, 0.0, 0.0, 1e-3, 0.5, 0.9, {"conv1": 1.0}, test=score))
    _under_attack(run, [run], "Steps")


def test_scores_under_attack_say_where_there_is_no_gradient() -> None:
    app = AppTest.from_function(_attacked_without_gradients, default_timeout=60).run()
    assert not app.exception
    said = [each.value for each in app.markdown if "input gradient is exactly 0" in each.value]
    assert len(said) == 1
    assert "Run 3 · Model 1, step 10: on 7 of 200 images" in said[0]


def test_presets_and_links_know_the_attack(app: AppTest) -> None:
    app.query_params.update({"at": "PGD", "at_eps": "0.2", "at_steps": "3"})
    app = _training(app)
    assert app.segmented_control(key="at").value == "PGD"
    assert app.slider(key="at_eps").value == 0.2
    assert app.slider(key="at_steps").value == 3
    app.button(key="as-e13").click().run()
    assert app.slider(key="at_eps").value == E13.settings["epsilon"]
    assert app.slider(key="epochs").value == E13.settings["epochs"]
    app.button(key="as-reported").click().run()
    assert app.segmented_control(key="at").value == "Off"
    assert not app.exception


def test_without_an_attack_its_sliders_change_nothing(app: AppTest) -> None:
    app = _training(app)
    _small(app)
    app.slider(key="at_eps").set_value(0.1).run()
    app.button(key="train").click().run()
    assert _chosen(app).to_dict().keys() == TrainingSettings().to_dict().keys()
    _finish(app)
    app.toggle(key="at_scores").set_value(True).run()
    app.button(key="train").click().run()
    assert _chosen(app) == replace(
        _chosen(app), attack="off", robust_scores=True, attack_epsilon=0.1
    )
    _finish(app)


@pytest.mark.parametrize("page", ["adversarial", "class_images"])
def test_images_reach_the_tray(app: AppTest, page: str) -> None:
    app.query_params.update({"img_steps": "20"})  # enough to make something
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    buttons = [each for each in app.button if each.label == "To the tray"]
    assert buttons
    assert not app.exception
    pills = [each for each in app.pills if str(each.key).endswith("-tray-label")]
    if pills:  # made from nothing: nobody has written a label down
        assert buttons[0].disabled
        pills[0].set_value("3").run()
    next(each for each in app.button if each.label == "To the tray").click().run()
    assert not app.exception
    held = app.session_state["_tray"]
    assert len(held) >= 1
    assert held.originals == (set() if pills else {app.number_input(key="image").value})


def test_the_tray_is_shown_emptied_and_trained_on(app: AppTest) -> None:
    from core.training.tray import Tray
    from ui.views.training.tray_panel import archive

    app.run()
    tray = Tray()
    test = compute.dataset(MNIST).test
    tray.add(to_float(test.images[-35:]), test.labels[-35:].tolist(), "here", range(9_965, 10_000))
    app.session_state["_tray"] = tray
    app.switch_page("pages/training.py").run()
    assert "35 of at most 200 images" in text_of(app)
    app.button(key="tray-remove-0").click().run()
    assert len(tray) == 34
    with np.load(io.BytesIO(archive(tray))) as file:
        assert file["images"].shape == (34, 28, 28)
        assert file["sources"].tolist() == ["here"] * 34
    app.slider(key="images").set_value(1_000)
    app.slider(key="tray_times").set_value(2).run()
    assert "1,000 + 34 × 2 images" in text_of(app)
    app.button(key="tray-train").click().run()
    assert not app.exception
    assert not app.error
    _finish(app)
    app.run()
    text = text_of(app)
    assert not app.exception
    assert "Model 1 + 34 of the tray" in text
    assert "of the tray after" in text
    assert "the last 2,000 test images that none of these was made from" in text
    assert len(app.dataframe[-1].value) == 1
    assert app.session_state["_runs"][-1].originals == set(range(9_966, 10_000))
    app.button(key="fool-again").click().run()
    assert app.selectbox(key="model").value == "run-1"
    assert app.title[0].value == "Adversarial"
    tray.clear()
    tray.add(to_float(test.images[:1]), [7], "here", [0])
    app.switch_page("pages/training.py").run()
    app.button(key="tray-train").click().run()
    _finish(app)
    assert app.session_state["_runs"][-1].originals == {0, *range(9_966, 10_000)}  # of both


def test_a_defended_model_does_not_train(app: AppTest) -> None:
    from core.training.tray import Tray

    app.run()
    tray = Tray()
    tray.add(to_float(compute.dataset(MNIST).test.images[:1]), [7], "here")
    app.session_state["_tray"] = tray
    app.query_params.update({"model": "model-1~blur-1"})
    app.switch_page("pages/training.py").run()
    if app.selectbox(key="model").value == "model-1~blur-1":
        app.button(key="tray-train").click().run()
        assert "stands behind a defense" in app.error[0].value
    assert not app.exception
