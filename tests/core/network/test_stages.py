"""The kinds of layer that Model 1 does not have, each against Keras, formulas and samples."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.arrays import to_float
from core.attacks.goals import Untargeted
from core.attacks.gradient import pgd
from core.backend import keras, tf
from core.certification.interval_bounds import interval_bounds, margin_bounds
from core.data.mnist import Dataset
from core.inspection.feature_maps import convolutions
from core.inspection.occlusion import occlude
from core.inspection.responses import hidden_layers
from core.network.architecture import MODEL_1, Architecture, ConvBlock
from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.model import (
    build_model,
    layer_table,
    load_model,
    named_variables,
    named_weights,
    save_model,
    weights_digest,
)
from core.network.stages.stage import Stage
from core.network.stages.table import BLOCKS, ENDINGS, POOLINGS, stage_of, stages_of
from core.statistics.rate import Rate
from core.training.runs import architecture_title
from core.training.trainer import Trainer, TrainingState

AVERAGES = Architecture(
    (ConvBlock(12, 3, 1, 3, pooling_kind="average"), ConvBlock(16, 4)), (30,), ending="average"
)
RESIDUAL = Architecture(
    (ConvBlock(4), ConvBlock(5, 3, 2, 2, "residual", "average"), ConvBlock(6, 2, 1, 1, "residual")),
    (9,),
    batch_normalization=True,
)
BOTH = [pytest.param(AVERAGES, id="averages"), pytest.param(RESIDUAL, id="residual")]


def random_classifier(architecture: Architecture, seed: int = 0) -> Classifier:
    model, random = build_model(architecture), np.random.default_rng(seed)
    for name, variable in named_variables(model).items():
        values = random.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(values) + 0.2 if "variance" in name else values)
    return Classifier(model, name="random")


def test_every_kind_is_in_the_table_once() -> None:
    built = {type(stage) for each in (AVERAGES, RESIDUAL) for stage in stages_of(build_model(each))}
    assert Stage not in built
    assert {BLOCKS["residual"], POOLINGS["average"], ENDINGS["average"]} <= built
    assert type(stage_of(keras.layers.LeakyReLU())) is Stage


@pytest.mark.parametrize("window", [2, 3])
def test_average_pooling_has_tensorflows_values_and_gradient(window: int, random) -> None:
    maps = tf.constant(random.normal(size=(2, 7, 7, 3)).astype(np.float32))
    layer = keras.layers.AveragePooling2D(window)
    layer(maps)
    found = []
    for pool in (stage_of(layer).forward(), layer):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            pooled = pool(maps)
            total = tf.reduce_sum(pooled**2)
        found.append((pooled.numpy(), tape.gradient(total, maps).numpy()))
    for ours, theirs in zip(*found, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_a_residual_block_is_two_convolutions_and_a_shortcut(random) -> None:
    classifier = random_classifier(replace(RESIDUAL, batch_normalization=False))
    image = random.random((1, 28, 28, 1), np.float32)
    weights = {name: tf.constant(w) for name, w in named_weights(classifier.model).items()}
    x = classifier.activations(image, "pool1")

    def convolve(maps, name: str, stride: int):
        kernel, bias = weights[f"res2/{name}/kernel"], weights[f"res2/{name}/bias"]
        return tf.nn.conv2d(maps, kernel, stride, "SAME") + bias

    within = tf.nn.relu(convolve(x, "first", 2))
    expected = convolve(within, "second", 1) + convolve(x, "shortcut", 2)
    assert classifier.activations(image, "res2") == pytest.approx(expected.numpy(), abs=1e-4)


@pytest.mark.parametrize("architecture", BOTH)
def test_no_sample_leaves_the_bounds(architecture: Architecture, random) -> None:
    """Corners of the ε-cube and points within it, at every layer; at ε = 0 nothing is left."""
    classifier, epsilon = random_classifier(architecture), 0.05
    image = random.random((1, 28, 28, 1), np.float32)
    moves = random.uniform(-epsilon, epsilon, (120, 28, 28, 1))
    moves[:60] = epsilon * np.sign(moves[:60])
    near = np.clip(image + moves, 0, 1).astype(np.float32)
    bounds, point = (interval_bounds(classifier, image, each) for each in (epsilon, 0.0))
    assert list(bounds) == classifier.layer_names
    for name, (low, high) in bounds.items():
        values = classifier.activations(near, name)
        slack = 1e-4 * max(1.0, float(np.abs(values).max()))
        assert (values >= low - slack).all(), name
        assert (values <= high + slack).all(), name
        exact = classifier.activations(image, name)
        assert point[name].lower == pytest.approx(exact, abs=slack), name
        assert point[name].upper == pytest.approx(exact, abs=slack), name
    logits, label = classifier.logits(near), classifier.predict(image)
    margins = margin_bounds(classifier, image, label, epsilon)[0]
    assert (logits[:, label] - logits >= margins - 1e-3).all()


@pytest.mark.parametrize("architecture", BOTH)
def test_it_learns_is_attacked_looked_at_and_saved(
    architecture: Architecture, mnist: Dataset, tmp_path: Path
) -> None:
    trainer, state = Trainer(architecture), TrainingState.untrained(architecture, seed=0)
    images = mnist.train.images[: 40 * 64].reshape(40, 64, 28, 28)
    options = dict.fromkeys(("weight_decay", "label_smoothing", "shift", "rotation"), 0.0)
    trainer.seat(state)
    labels = mnist.train.labels[: 40 * 64].reshape(40, 64)
    results = trainer.run(images, labels, optimizer="adam", seed=0, learning_rate=1e-2, **options)
    assert trainer.traces == 1
    assert results.losses[-5:].mean() < 0.9 * results.losses[:5].mean()
    assert results.gradient_norms.shape == (40, len(trainer.layer_names))
    weights = trainer.weights()

    model = build_model(architecture)
    for name, variable in named_variables(model).items():
        variable.assign(weights[name])
    classifier = Classifier(model, name="trained")
    digits, true = to_float(mnist.test.images[:4]), mnist.test.labels[:4].astype(np.int64)
    result = pgd(classifier, digits, Untargeted(true), epsilon=0.2, iterations=5)
    right = classifier.logits(digits)[np.arange(4), true]
    now = classifier.logits(result.adversarial)[np.arange(4), true]
    assert (now <= right).all()  # what is misread already is left alone
    assert (now < right).any()
    assert occlude(classifier, digits, true, block=14, stride=14).logit_drop.shape == (4, 2, 2)

    card = ModelCard(
        "a", "A", "", architecture, {"epochs": 1}, 0, 0.0, Rate(1, 2), model.count_params(),
        weights_digest(model), "d",
    )  # fmt: skip
    save_model(tmp_path / "a.safetensors", model, card)
    loaded, read = load_model(tmp_path / "a.safetensors")
    assert read == card
    assert loaded(digits).numpy() == pytest.approx(model(digits).numpy(), abs=1e-5)


def test_what_earlier_cards_do_not_name_is_model_1() -> None:
    values = json.loads(json.dumps(MODEL_1.to_dict()))
    del values["ending"]
    for block in values["blocks"]:
        del block["kind"], block["pooling_kind"]
    assert Architecture.from_dict(values) == MODEL_1
    assert Architecture.from_dict(RESIDUAL.to_dict()) == RESIDUAL
    values["ending"] = "pyramid"
    with pytest.raises(ValueError, match=r"ending of the maps .*pyramid.*flatten"):
        Architecture.from_dict(values)


def test_a_title_names_what_is_unusual() -> None:
    assert architecture_title(MODEL_1) == "Model 1"
    own = "4-5-6 of 3 × 3, residual block, average pooling, 9 hidden, BN"
    assert architecture_title(RESIDUAL) == own
    assert "global average pooling" in architecture_title(AVERAGES)


def test_the_table_the_drawing_and_the_microscope_know_them() -> None:
    model = build_model(RESIDUAL)
    rows = {row.name: row for row in layer_table(model)}
    block = rows["res2"]
    assert (block.title, block.drawn, block.shortcut) == ("residual block", True, True)
    assert block.weights == 9 * 4 * 5 + 9 * 5 * 5 + 4 * 5 + 2 * 5  # with both normalizations' γ
    assert block.multiply_adds == 7 * 7 * (9 * 4 * 5 + 9 * 5 * 5 + 4 * 5 + 2 * 5)
    assert block.receptive_field == 4 + 2 * 2 + 2 * 4
    assert sum(row.parameters for row in rows.values()) == model.count_params()
    _, second, third = convolutions(model)
    assert (second.name, second.pooled, second.averages) == ("res2", "pool2", True)
    assert second.shortcut
    assert (third.kernel_size, third.stride, third.pooled) == (2, 1, None)
    found = {layer.name: layer for layer in hidden_layers(build_model(AVERAGES))}
    assert found["pool1"].rectified
    assert found["average"].shape == (16,)
    assert not found["pool1"].linear
