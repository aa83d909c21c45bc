"""The feature maps page, headless: what it sends to the browser, its controls, and surgery."""

import io
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.arrays import to_float
from core.data.mnist import load_mnist
from core.inspection.feature_maps import active_shares, convolutions, feature_maps, kernels
from core.network.architecture import MODEL_1, Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import build_model, deserialize_model
from core.zoo import models as zoo
from tests.ui.conftest import open_page, text_of
from ui.components.microscope import mount as microscope
from ui.components.microscope.package import ShownLayer, Side, channel_states, pack
from ui.views.feature_maps import page
from ui.visitor import state

IMAGE = to_float(load_mnist().test.images[1:2])


def _open(app: AppTest, **query: str) -> AppTest:
    return open_page(app, "feature_maps", **query)


Arrays = dict[str, np.ndarray]


def _unpack(data: bytes) -> tuple[dict, dict[str, list[Arrays]]]:
    """The header, and by layer the arrays of each side; the images are under “”."""
    raw = zlib.decompress(data, wbits=-15)
    length = int.from_bytes(raw[:4], "little")
    head, offset = json.loads(raw[4 : 4 + length]), 4 + length

    def read(listed: list) -> Arrays:
        nonlocal offset
        arrays = {}
        for name, kind, shape in listed:
            count = int(np.prod(shape))
            arrays[name] = np.frombuffer(raw, kind, count, offset).reshape(shape)
            offset += arrays[name].nbytes
        return arrays

    sides = {"": [read(side["arrays"]) for side in head["sides"]]}
    for layer in head["layers"]:
        if "absent" in layer:
            continue
        sides[layer["name"]] = [read(side["arrays"]) for side in layer["sides"]]
        for side, arrays in list(zip(layer["sides"], sides[layer["name"]], strict=True))[
            : layer["networks"]
        ]:
            size, inputs = side["kernelSize"], side["inputs"]
            shape = [size, size, inputs, side["channels"] if layer["whole"] else 1]
            arrays |= read([["kernel", "float32", shape]])
    assert offset == len(raw)
    return head, sides


def _layers(classifier: Classifier, *others: Classifier) -> list[ShownLayer]:
    shares = active_shares(classifier, IMAGE)
    return [
        ShownLayer(
            tuple(
                Side("here", each, IMAGE, own, shares[own.name]) for each in (classifier, *others)
            ),
            "after ReLU",
            list(range(own.channels)),
        )
        for own in convolutions(classifier.model)
    ]


SETTINGS = {"shared": True, "turn": 0, "colors": {}}


def test_what_is_sent_is_what_the_network_has(model_1: Classifier) -> None:
    head, sides = _unpack(pack(_layers(model_1), SETTINGS, opened="conv1"))
    assert (sides[""][0]["image"] == IMAGE[0]).all()
    assert list(sides) == ["", "conv1", "conv2"]
    for own, layer in zip(convolutions(model_1.model), head["layers"], strict=True):
        (arrays,) = sides[own.name]
        maps = feature_maps(model_1, IMAGE, own.name)[0]
        assert layer["whole"]
        assert (arrays["source"] == model_1.activations(IMAGE, own.source)[0]).all()
        assert (arrays["kernel"] == kernels(model_1.model, own.name)).all()
        up, down = arrays["high"], -arrays["low"]
        levels = np.moveaxis(arrays["maps"].astype(float), 0, -1)
        shown = np.where(levels > 0, levels * up, levels * down) / 127
        assert np.abs(shown - maps).max() <= np.maximum(up, down).max() / 254 + 1e-6
        assert layer["channel"] == maps.max(axis=(0, 1)).argmax()


@pytest.mark.parametrize("number", [4, 8, 1234])
def test_all_layers_of_the_shipped_models_fit_into_one_message(
    model_1: Classifier, number: int
) -> None:
    model_2 = zoo.load("model-2")
    image = to_float(load_mnist().test.images[number : number + 1])
    for first, *others in ([model_1], [model_2], [model_1, model_2], [model_2, model_2]):
        layers = [
            replace(layer, sides=tuple(replace(side, image=image) for side in layer.sides))
            for layer in _layers(first, *others)
        ]
        data = pack(layers, SETTINGS, opened="conv1")
        head, sides = _unpack(data)
        assert len(data) <= 200_000
        assert all(layer["whole"] for layer in head["layers"])
        networks = len({first.version, *(other.version for other in others)})
        assert sum("kernel" in arrays for arrays in sides["conv2"]) == networks


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 7])
@pytest.mark.parametrize("pair", [False, True])
def test_nothing_designed_on_the_training_page_exceeds_the_budget(
    normalized: bool, kernel: int, pair: bool
) -> None:
    blocks = tuple(ConvBlock(64, kernel) for _ in range(3))
    widest = Architecture(blocks, (10,), normalized)
    networks = [Classifier(build_model(widest, seed=seed), name="widest") for seed in (0, 1)]
    layers = _layers(*networks[: 2 if pair else 1])
    data = pack(layers, SETTINGS, opened="conv3", asked={"conv2": 5})
    head, sides = _unpack(data)
    assert len(data) <= 200_000
    by_name = {layer["name"]: layer for layer in head["layers"]}
    assert by_name["conv2"]["channel"] == 5
    for name, layer in by_name.items():
        if "absent" not in layer:
            assert sides[name][0]["kernel"].shape[3] == (64 if layer["whole"] else 1)
    assert "conv1" not in by_name or pair or "absent" not in by_name["conv1"]


def test_what_does_not_fit_is_said_and_can_be_asked_for() -> None:
    blocks = tuple(ConvBlock(32, 1, pooling=1) for _ in range(6))
    deep = Classifier(build_model(Architecture(blocks, (10,))), name="deep")
    noise = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    layers = [
        replace(layer, sides=tuple(replace(side, image=noise) for side in layer.sides))
        for layer in _layers(deep)
    ]
    head, sides = _unpack(pack(layers, SETTINGS, opened="conv6"))
    assert "conv6" in sides
    absent = {layer["name"]: layer["absent"] for layer in head["layers"] if "absent" in layer}
    assert absent
    name, sentence = next(iter(absent.items()))
    assert sentence == f"{name} does not fit beside the others: its button above fetches it."
    _, sides = _unpack(pack(layers, SETTINGS, opened="conv6", asked={name: None}))
    assert name in sides


def test_a_layer_that_cannot_be_sent_is_named() -> None:
    blocks = (ConvBlock(256, 3, pooling=1), ConvBlock(8, 1))
    wide = Classifier(build_model(Architecture(blocks, (10,))), name="wide")
    noise = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    layers = [
        replace(layer, sides=tuple(replace(side, image=noise) for side in layer.sides))
        for layer in _layers(wide)
    ]
    with pytest.raises(ValueError, match=r"^conv2 and what it reads take \d+ kB compressed"):
        pack(layers[1:], SETTINGS, opened="conv2")


def test_what_the_browser_asks_for_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [["conv2", 5], ["conv1", None], ["conv3", "x"], "conv4", [1, 2], ["conv5"]]
    monkeypatch.setattr(microscope.st, "session_state", {"microscope": {"asked": said}})
    assert microscope.asked() == {"conv2": 5, "conv1": None}
    monkeypatch.setattr(microscope.st, "session_state", {"microscope": {"asked": 7}})
    assert microscope.asked() == {}


def test_states_of_channels() -> None:
    states = channel_states(np.array([0, 1, 0.5, 0.99]), np.array([-1, 1, 0, 2]))
    assert states == ["dead", "saturated", "silent", "saturated"]


@pytest.mark.parametrize("model", ["model-1", "model-2"])
def test_every_control_moves(app: AppTest, model: str) -> None:
    app = _open(app, model=model)
    assert "14 × 14 × 32 = 6,272 units" in text_of(app)
    for stage in ("before ReLU", "after pooling"):
        app.selectbox(key="stage").select(stage).run()
        app.segmented_control(key="sort").set_value("Response").run()
        app.toggle(key="one").set_value(False).run()
        assert not app.exception
    app.selectbox(key="compare").select("Another image").run()
    app.number_input(key="beside").set_value(7).run()
    assert "Test image 7 beside Test image 1" in text_of(app)
    app.selectbox(key="sort").select("Difference").run()
    assert not app.exception
    app.selectbox(key="compare").select("Another model").run()
    assert "conv1, after pooling: apart by" in text_of(app)
    assert "conv2, after pooling: apart by" in text_of(app)
    assert "need not correspond" in text_of(app)
    app.selectbox(key="compare").select("A checkpoint").run()
    assert "No run yet" in text_of(app)
    app.session_state["layer"] = "conv2"
    app.run()
    assert app.query_params["layer"] == "conv2"
    app.button(key="as-reported").click().run()
    assert app.session_state["layer"] == "conv1"
    assert "layer" not in app.query_params
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
    assert app.session_state["layer"] == "conv2"
    assert app.selectbox(key="stage").value == "before ReLU"
    assert "Test image 9 beside Test image 1" in text_of(app)


def test_an_edited_link_falls_back(app: AppTest) -> None:
    app.run()
    app.switch_page("pages/feature_maps.py")
    app.query_params.update(
        {"layer": "conv9", "stage": "x", "sort": "Difference", "beside": "-3", "compare": "?"}
    )
    app.run()
    assert not app.exception
    assert app.session_state["layer"] == "conv1"
    assert app.selectbox(key="stage").value == "after ReLU"
    assert app.segmented_control(key="sort").value == "Channel"


def test_checkpoints_are_laid_beside(app: AppTest) -> None:
    from core.training.runs import Run
    from core.training.settings import TrainingSettings

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
    assert "Run 1, untrained beside Model 1" in text_of(app)
    app.selectbox(key="_beside-step").select("Run 2, step 5").run()
    assert [each.value for each in app.info] == [
        "conv1: The maps are 28 × 28 × 32 here and 28 × 28 × 8 there: "
        "choose models whose maps have one shape.  \n"
        "Run 2, step 5 has no convolution to lay beside conv2."
    ]
    assert not app.exception


def test_surgery_keeps_a_model(app: AppTest) -> None:
    app = _open(app, model="model-2")
    assert app.button(key="keep").disabled
    channels = next(each for each in app.pills if each.label == "Channels")
    channels.set_value([3, 5, 7]).run()
    text = text_of(app)
    assert "conv1 3, 5, 7 × 0" in text
    assert "It costs " in text or "It gains " in text
    assert "images that tell them apart, p " in text
    next(each for each in app.slider if each.label == "Factor").set_value(0.5).run()
    assert "3, 5, 7 × 0.5" in text_of(app)
    app.button(key="draws").click().run()
    assert "of 5 random choices cost less than yours" in text_of(app)
    assert "(Holm, 5 comparisons)" in text_of(app)
    app.button(key="keep").click().run()
    assert not app.exception
    titles = app.selectbox(key="model").options
    assert titles[-1].startswith("Model 2, conv1 3 channels × 0.5 · ")
    app.selectbox(key="model").select("edited-1").run()
    assert not app.exception
    assert "Nothing is switched off yet" in text_of(app)
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
    assert f"You keep {state.MAX_KEPT} edited models, the most" in text_of(app)
    assert len(app.selectbox(key="model").options) == len(zoo.RECIPES) + state.MAX_KEPT


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
    assert "Also conv1: 3 × 0" in text_of(app)
    assert "conv1 3 × 0; conv2 5 × 0" in text_of(app)
    layer("conv1")
    assert next(e for e in app.pills if e.label == "Channels").value == [3]
    channels([])
    assert "· conv2 5 × 0" in text_of(app)
    layer("conv2")
    channels([])
    assert "Nothing is switched off yet" in text_of(app)
    assert not app.exception
