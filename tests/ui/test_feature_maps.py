"""The feature maps page, headless: what it sends to the browser, its controls, and surgery."""

import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.architecture import MODEL_1, Architecture, ConvBlock
from core.classifier import Classifier
from core.data import load_mnist, to_float
from core.feature_maps import active_shares, convolutions, feature_maps, kernels
from core.model import build_model, deserialize_model
from ui import feature_maps as page
from ui import microscope, state
from ui.microscope import Side

IMAGE = to_float(load_mnist().test.images[1:2])


def _text(app: AppTest) -> str:
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption])


def _open(app: AppTest, **query: str) -> AppTest:
    app.query_params.update(query)
    app.run()
    return app.switch_page("pages/feature_maps.py").run()


def _unpack(data: bytes) -> tuple[dict, list[dict[str, np.ndarray]]]:
    raw = zlib.decompress(data)
    length = int.from_bytes(raw[:4], "little")
    head, offset, sides = json.loads(raw[4 : 4 + length]), 4 + length, []
    for header in head["sides"]:
        arrays = {}
        for name, kind, shape in header["arrays"]:
            count = int(np.prod(shape))
            arrays[name] = np.frombuffer(raw, kind, count, offset).reshape(shape)
            offset += arrays[name].nbytes
        sides.append(arrays)
    assert offset == len(raw)
    return head, sides


def _side(classifier: Classifier, number: int) -> Side:
    own = convolutions(classifier.model)[number]
    active = active_shares(classifier, IMAGE)[own.name]
    return Side("here", classifier, IMAGE, own, active)


SETTINGS = {"stage": "after ReLU", "order": [0], "shared": True, "notes": []}


def test_what_is_sent_is_what_the_network_has(model_1: Classifier) -> None:
    side = _side(model_1, 1)
    head, (arrays,) = _unpack(microscope.pack([side], SETTINGS))
    maps = feature_maps(model_1, IMAGE, "conv2")[0]
    assert head["whole"]
    assert (arrays["source"] == model_1.activations(IMAGE, "pool1")[0]).all()
    assert (arrays["kernel"] == kernels(model_1.model, "conv2")).all()
    up, down = arrays["high"], -arrays["low"]
    levels = np.moveaxis(arrays["maps"].astype(float), 0, -1)
    shown = np.where(levels > 0, levels * up, levels * down) / 127
    assert np.abs(shown - maps).max() <= np.maximum(up, down).max() / 254 + 1e-6
    assert head["channel"] == maps.max(axis=(0, 1)).argmax()


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 7])
@pytest.mark.parametrize("pair", [False, True])
def test_nothing_designed_on_the_training_page_exceeds_the_budget(
    normalized: bool, kernel: int, pair: bool
) -> None:
    blocks = tuple(ConvBlock(64, kernel) for _ in range(3))
    widest = Architecture(blocks, (10,), normalized)
    classifier = Classifier(build_model(widest), name="widest")
    for number in range(3):
        sides = [_side(classifier, number)] * (2 if pair else 1)
        data = microscope.pack(sides, SETTINGS)
        head, arrays = _unpack(data)
        assert len(data) <= 200_000
        sent = arrays[0]["kernel"].shape[3]
        assert sent == (64 if head["whole"] else 1)


def test_states_of_channels() -> None:
    states = microscope.channel_states(np.array([0, 1, 0.5, 0.99]), np.array([-1, 1, 0, 2]))
    assert states == ["dead", "saturated", "silent", "saturated"]


@pytest.mark.parametrize("model", ["model-1", "model-2"])
def test_every_control_moves(app: AppTest, model: str) -> None:
    app = _open(app, model=model)
    assert "conv2, after ReLU" in _text(app)
    app.segmented_control(key="layer").set_value("conv2").run()
    assert "conv1, after ReLU" in _text(app)
    for stage in ("before ReLU", "after pooling"):
        app.selectbox(key="stage").select(stage).run()
        app.segmented_control(key="sort").set_value("Response").run()
        app.toggle(key="one").set_value(False).run()
        assert not app.exception
    app.selectbox(key="compare").select("Another image").run()
    app.number_input(key="beside").set_value(7).run()
    assert "Test image 7 beside Test image 1" in _text(app)
    app.selectbox(key="sort").select("Difference").run()
    assert not app.exception
    app.selectbox(key="compare").select("Another model").run()
    assert "conv2, after pooling: apart by" in _text(app)
    assert "need not correspond" in _text(app)
    app.selectbox(key="compare").select("A checkpoint").run()
    assert "No run yet" in _text(app)
    app.button(key="as-reported").click().run()
    assert app.segmented_control(key="layer").value == "conv1"
    assert app.selectbox(key="compare").value == "Nothing"
    assert not app.exception
    assert not app.error


def test_a_link_carries_the_settings(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/feature_maps.py")
    app.query_params.update(
        {"layer": "conv2", "stage": "before ReLU", "compare": "Another image", "beside": "9"}
    )
    app.run()
    assert app.segmented_control(key="layer").value == "conv2"
    assert app.selectbox(key="stage").value == "before ReLU"
    assert "Test image 9 beside Test image 1" in _text(app)


def test_an_edited_link_falls_back(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/feature_maps.py")
    app.query_params.update(
        {"layer": "conv9", "stage": "x", "sort": "Difference", "beside": "-3", "compare": "?"}
    )
    app.run()
    assert not app.exception
    assert app.segmented_control(key="layer").value == "conv1"
    assert app.selectbox(key="stage").value == "after ReLU"
    assert app.segmented_control(key="sort").value == "Channel"


def test_another_layer_is_opened_from_below(app: AppTest) -> None:
    app = _open(app)
    app.button(key="open-conv2").click().run()
    assert app.segmented_control(key="layer").value == "conv2"


def test_checkpoints_are_laid_beside(app: AppTest) -> None:
    from core.runs import Run
    from core.settings import TrainingSettings

    settings = TrainingSettings(epochs=1, training_images=320)
    data = load_mnist()
    plain, short = (
        Run(each, settings, data, number=number)
        for number, each in ((1, MODEL_1), (2, replace(MODEL_1, blocks=(ConvBlock(8),))))
    )
    for run in (plain, short):
        list(run.work())
    app = _open(app)
    app.session_state["_runs"] = [plain, short]
    app.selectbox(key="compare").select("A checkpoint").run()
    assert "Run 1, untrained beside Model 1" in _text(app)
    app.selectbox(key="_beside-step").select("Run 2, step 5").run()
    assert [each.value for each in app.info] == [
        "The maps are 28 × 28 × 32 here and 28 × 28 × 8 there: "
        "choose models whose maps have one shape."
    ]
    app.segmented_control(key="layer").set_value("conv2").run()
    assert "none to lay beside conv2" in app.info[0].value
    assert not app.exception


def test_surgery_keeps_a_model(app: AppTest) -> None:
    app = _open(app, model="model-2")
    assert app.button(key="keep").disabled
    channels = next(each for each in app.pills if each.label == "Channels")
    channels.set_value([3, 5, 7]).run()
    text = _text(app)
    assert "conv1 3, 5, 7 × 0" in text
    assert "It costs " in text or "It gains " in text
    next(each for each in app.slider if each.label == "Factor").set_value(0.5).run()
    assert "3, 5, 7 × 0.5" in _text(app)
    app.button(key="draws").click().run()
    assert "of 5 random choices cost less than yours" in _text(app)
    app.button(key="keep").click().run()
    assert not app.exception
    titles = app.selectbox(key="model").options
    assert titles[-1].startswith("Model 2, conv1 3 channels × 0.5 · ")
    app.selectbox(key="model").select("edited-1").run()
    assert not app.exception
    assert "Nothing is switched off yet" in _text(app)
    kept = app.session_state["_kept"]["edited-1"]
    model, card = deserialize_model(kept.data)
    assert card.test.total == 10_000
    assert model.get_layer("conv1_bn").gamma.shape == (32,)


def test_only_so_many_are_kept(app: AppTest) -> None:
    app = _open(app)
    next(each for each in app.pills if each.label == "Channels").set_value([1]).run()
    for _ in range(state.MAX_KEPT):
        app.button(key="keep").click().run()
    assert app.button(key="keep").disabled
    assert f"You keep {state.MAX_KEPT} edited models, the most" in _text(app)
    assert len(app.selectbox(key="model").options) == 2 + state.MAX_KEPT


def test_downloads_hold_everything(model_1: Classifier) -> None:
    maps = np.load(io.BytesIO(page.all_maps(model_1, IMAGE)))
    assert set(maps.files) == {
        f"{layer}/{stage}"
        for layer in ("conv1", "conv2")
        for stage in ("before ReLU", "after ReLU", "after pooling")
    }
    assert maps["conv2/after pooling"].shape == (7, 7, 32)
    weights = np.load(io.BytesIO(page.all_kernels(model_1)))
    assert (weights["conv1/kernel"] == kernels(model_1.model, "conv1")).all()


def test_edits_of_several_layers_hold_together(app: AppTest) -> None:
    app = _open(app)

    def channels(values: list[int]) -> None:
        next(e for e in app.pills if e.label == "Channels").set_value(values).run()

    def layer(name: str) -> None:
        control = next(e for e in app.segmented_control if "_surgery-layer" in str(e.key))
        control.set_value(name).run()

    channels([3])
    layer("conv2")
    channels([5])
    assert "Also conv1: 3 × 0" in _text(app)
    assert "conv1 3 × 0; conv2 5 × 0" in _text(app)
    layer("conv1")
    assert next(e for e in app.pills if e.label == "Channels").value == [3]
    channels([])
    assert "· conv2 5 × 0" in _text(app)
    layer("conv2")
    channels([])
    assert "Nothing is switched off yet" in _text(app)
    assert not app.exception
