"""Every page, headless: what it shows and what its controls do."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.mnist import Dataset
from core.network.architecture import MODEL_1, MODEL_2
from core.training.settings import TrainingSettings
from tests.ui.conftest import text_of
from ui.header.navigation import VIEWS
from ui.views.training import chosen
from ui.views.training import settings as training_settings
from ui.visitor import state


def _open(app: AppTest, page: str) -> AppTest:
    app.run()
    return app.switch_page(f"pages/{page}.py").run()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.file)
def test_shows_its_header_and_no_error(app: AppTest, view) -> None:
    app = _open(app, view.file)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert app.selectbox(key="model").options[:2] == ["Model 1 · 99.0 %", "Model 2 · 99.0 %"]
    assert app.number_input(key="image").value == 1


def test_overview_follows_model_and_image(app: AppTest) -> None:
    app.run()
    assert "Model 1 reads 2" in text_of(app)
    app.selectbox(key="model").select("model-2").run()
    app.number_input(key="image").set_value(0).run()
    assert not app.exception
    assert "Model 2 reads 7" in text_of(app)


def test_choices_travel_between_pages(app: AppTest) -> None:
    app.run()
    app.selectbox(key="model").select("model-2").run()
    app.number_input(key="image").set_value(42).run()
    app.switch_page("pages/layers.py").run()
    assert app.selectbox(key="model").value == "model-2"
    assert app.number_input(key="image").value == 42
    assert "801,334 parameters" in text_of(app)


@pytest.mark.parametrize(
    "query",
    [
        {"model": "model-9"},
        {"model": "../../etc/passwd"},
        {"image": "-5"},
        {"image": "99999999"},
        {"image": "two"},
        {"model": "run-3", "image": "1e9"},
    ],
)
def test_edited_links_fall_back(app: AppTest, query: dict[str, str]) -> None:
    app.query_params.update(query)
    app.run()
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="model").value == "model-1"
    assert app.number_input(key="image").value == 1


def test_links_carry_the_state(app: AppTest) -> None:
    app.query_params.update({"model": "model-2", "image": "7"})
    app.run()
    assert app.selectbox(key="model").value == "model-2"
    assert "Model 2 reads 9" in text_of(app)


def test_predictions_filter(app: AppTest) -> None:
    app = _open(app, "predictions")
    assert "99.0 % of the test images are read right" in text_of(app)
    app.segmented_control(key="show").set_value("Mistakes").run()
    assert "99 test images are misread" in text_of(app)
    app.pills(key="of").set_value(9).run()
    assert "22 9s are misread" in text_of(app)
    app.selectbox(key="order").select("Hardest first").run()
    app.slider(key="count").set_value(12).run()
    assert "first 12 of 22 shown" in text_of(app)
    app.button(key="as-reported").click().run()
    assert not app.exception
    assert "first 24 of 10,000 shown" in text_of(app)


def test_misread_images_go_to_the_tray(app: AppTest, mnist: Dataset) -> None:
    app = _open(app, "predictions")
    app.segmented_control(key="show").set_value("Mistakes").run()
    app.slider(key="count").set_value(12).run()
    app.button(key="misread-tray").click().run()
    assert not app.exception
    held = app.session_state[state.TRAY].images
    assert len(held) == 12
    for each in held:
        assert each.label == mnist.test.labels[each.original]
        assert np.array_equal(each.image, mnist.test.images[each.original])
    app.segmented_control(key="show").set_value("All").run()
    app.slider(key="count").set_value(12).run()
    assert not any(button.key == "misread-tray" for button in app.button)  # all are read right


def test_a_gallery_label_chooses_the_image(app: AppTest) -> None:
    app = _open(app, "predictions")
    app.button(key="pick-8").click().run()
    assert app.number_input(key="image").value == 8
    assert "Test image 8 is read as 5" in text_of(app)


def test_layers_show_e4(app: AppTest) -> None:
    app = _open(app, "layers")
    text = text_of(app)
    assert "799,078 parameters, 98% of them in dense1" in text
    assert "3 of the report's 6 counts differ" in text
    table = app.dataframe[0].value
    assert table.set_index("layer").loc["conv2", "parameters"] == 9_248


def test_design_changes_at_once(app: AppTest) -> None:
    app = _open(app, "training")
    assert training_settings.LEARNING_RATES[5] == 5e-4
    app.slider(key="filters1").set_value(16).run()
    app.slider(key="kernel").set_value(5).run()
    app.slider(key="blocks").set_value(3).run()
    app.toggle(key="bn").set_value(True).run()
    app.slider(key="dropout").set_value(0.25).run()
    app.slider(key="hidden").set_value(100).run()
    assert not app.exception
    table = app.dataframe[0].value.set_index("layer")
    assert table.loc["conv1", "parameters"] == 16 * 25 + 16
    assert table.loc["conv3", "output"] == "7 × 7 × 32"
    assert table.loc["dense1", "weights"] == 3 * 3 * 32 * 100
    assert "dense1_bn" in table.index
    assert "dense1_dropout" in table.index
    app.segmented_control(key="block").set_value("residual").run()
    app.segmented_control(key="pool").set_value("average").run()
    app.segmented_control(key="end").set_value("average").run()
    assert not app.exception
    table = app.dataframe[0].value.set_index("layer")
    assert table.loc["res2", "kind"] == "residual block"
    assert table.loc["pool1", "kind"] == "average pooling"
    assert table.loc["dense1", "weights"] == 32 * 100
    app.button(key="as-reported").click().run()
    assert app.segmented_control(key="_network").value == "Model 1"
    app.segmented_control(key="_network").set_value("Model 2").run()
    assert app.toggle(key="bn").value is True


def test_every_training_control_moves(app: AppTest) -> None:
    app = _open(app, "training")
    app.select_slider(key="lr").set_value(1e-3).run()
    app.slider(key="epochs").set_value(3).run()
    app.segmented_control(key="batch").set_value(128).run()
    app.selectbox(key="optimizer").select("sgd").run()
    app.slider(key="images").set_value(2_000).run()
    app.select_slider(key="decay").set_value(1e-3).run()
    app.slider(key="smoothing").set_value(0.1).run()
    app.slider(key="shift").set_value(2).run()
    app.slider(key="rotation").set_value(10.0).run()
    app.number_input(key="seed").set_value(5).run()
    assert not app.exception
    assert not app.error


def test_sliders_mean_the_report_by_default() -> None:
    assert chosen.settings() == TrainingSettings()
    assert chosen.architecture() == MODEL_1
    assert MODEL_1 != MODEL_2


def test_a_missing_data_file_is_one_sentence(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.data import mnist as data
    from ui.visitor import compute

    def broken() -> data.ByteArray:
        raise data.DataError("mnist.npz is missing: restore it from the repository.")

    monkeypatch.setattr(compute, "load_test_labels", broken)
    app.run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "mnist.npz is missing: restore it from the repository."
    ]


def test_pictures_are_exact(random: np.random.Generator) -> None:
    from ui.figures import tiles
    from ui.figures.palette import DARK, LIGHT

    image = random.random((28, 28))
    for palette in (LIGHT, DARK):
        picture = tiles.image(image, 56, palette)
        assert picture.shape == (112, 112, 3)
        assert (picture[::4, ::4] == picture[3::4, 3::4]).all()
