import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.card import ModelCard
from core.network.model import (
    build_model,
    deserialize_model,
    layer_table,
    load_model,
    named_weights,
    save_model,
    serialize_model,
    weights_digest,
)
from core.statistics.rate import Rate
from core.zoo import models as zoo


@pytest.fixture
def card() -> ModelCard:
    architecture = Architecture((ConvBlock(2), ConvBlock(3)), (7,), True)
    model = build_model(architecture)
    version, parameters = weights_digest(model), model.count_params()
    return ModelCard(
        "a", "A", "", architecture, {"epochs": 1}, 0, 0.0, Rate(1, 2), parameters, version, "d"
    )


def test_model_1_has_the_layers_and_counts_of_the_report() -> None:
    rows = {row.name: row for row in layer_table(build_model(MODEL_1))}
    outputs = {name: rows[name].output_shape for name in ("conv1", "pool1", "conv2", "pool2")}
    assert outputs == {
        "conv1": (28, 28, 32),
        "pool1": (14, 14, 32),
        "conv2": (14, 14, 32),
        "pool2": (7, 7, 32),
    }
    assert rows["flatten"].units == 1568
    parameters = [rows[name].parameters for name in ("conv1", "conv2", "dense1", "logits")]
    assert parameters == [320, 9_248, 784_500, 5_010]
    assert sum(row.parameters for row in rows.values()) == 799_078
    assert rows["conv2"].multiply_adds == 14 * 14 * 32 * 9 * 32
    assert [rows[name].receptive_field for name in ("conv1", "pool1", "conv2", "pool2")] == [
        3, 4, 8, 10,
    ]  # fmt: skip
    assert rows["logits"].receptive_field == 28


def test_model_2_adds_batch_normalization_only() -> None:
    rows = layer_table(build_model(MODEL_2))
    added = [row for row in rows if row.kind == "BatchNormalization"]
    assert [row.name for row in added] == ["conv1_bn", "conv2_bn", "dense1_bn"]
    assert sum(row.parameters for row in rows) == 799_078 + 4 * (32 + 32 + 500)
    assert sum(row.statistics for row in rows) == 2 * (32 + 32 + 500)


@pytest.mark.parametrize("architecture", [MODEL_1, MODEL_2])
def test_table_counts_what_keras_counts(architecture: Architecture) -> None:
    model = build_model(architecture)
    assert sum(row.parameters for row in layer_table(model)) == model.count_params()


def test_receptive_field_is_what_changes_an_output() -> None:
    """The oracle: which input pixels move the middle output of the last convolution."""
    architecture = Architecture((ConvBlock(4, 3), ConvBlock(4, 5, stride=2, pooling=1)), ())
    model = build_model(architecture)
    row = next(row for row in layer_table(model) if row.name == "conv2")
    from core.network.classifier import Classifier

    classifier = Classifier(model, name="x")
    base = np.full((1, 28, 28, 1), 0.5, np.float32)
    images = np.repeat(base, 28, axis=0)
    for column in range(28):
        images[column, :, column] = 1.0
    reference = classifier.activations(base, "conv2")[0, 3, 3]
    moved = np.abs(classifier.activations(images, "conv2")[:, 3, 3] - reference).max(axis=1) > 0
    # A maximum hides what is below it, so the pixels found lie within the field.
    columns = np.flatnonzero(moved)
    assert columns.max() - columns.min() + 1 <= row.receptive_field
    assert row.receptive_field == (3 + 1) + (5 - 1) * 2


def test_same_seed_same_weights() -> None:
    assert weights_digest(build_model(MODEL_1, seed=3)) == weights_digest(
        build_model(MODEL_1, seed=3)
    )
    assert weights_digest(build_model(MODEL_1, seed=3)) != weights_digest(
        build_model(MODEL_1, seed=4)
    )
    model = named_weights(build_model(MODEL_1))
    limit = np.sqrt(6 / (9 * 32 + 9 * 32))
    assert np.abs(model["conv2/kernel"]).max() == pytest.approx(limit, rel=0.01)
    assert not model["conv2/bias"].any()


def test_a_file_gives_back_model_and_card(tmp_path: Path, card: ModelCard) -> None:
    model = build_model(card.architecture)
    save_model(tmp_path / "a.safetensors", model, card)
    loaded, read = load_model(tmp_path / "a.safetensors")
    assert read == card
    assert weights_digest(loaded) == weights_digest(model)
    assert zoo.read_card(tmp_path / "a.safetensors") == card


def test_a_card_that_was_changed_is_told(card: ModelCard) -> None:
    data = serialize_model(build_model(card.architecture), card)
    assert data.count(rb"\"total\": 2") == 1
    changed = data.replace(rb"\"total\": 2", rb"\"total\": 3")
    with pytest.raises(ValueError, match="The card has changed since it was saved: upload"):
        deserialize_model(changed)


def test_hostile_files_get_one_sentence(card: ModelCard) -> None:
    model = build_model(card.architecture)
    good = serialize_model(model, card)
    weights = named_weights(model)
    metadata = {"card": card.to_json()}

    def packed(changed: dict[str, np.ndarray], **other: str) -> bytes:
        return safetensors.numpy.save(changed, metadata={**metadata, **other})

    other = replace(card, architecture=replace(card.architecture, hidden_units=(8,)))
    five = replace(card, architecture=replace(card.architecture, classes=5))
    large = json.loads(card.to_json())
    large["architecture"]["blocks"] = [
        {"filters": 256, "kernel_size": 3, "stride": 1, "pooling": 1}
    ]
    large["architecture"]["hidden_units"] = [4096]
    huge = json.dumps(large)
    broken = json.loads(card.to_json())
    del broken["architecture"]["blocks"]
    cases = {
        b"": "not a safetensors file",
        b"PK\x03\x04 a zip": "This is a zip archive, not a safetensors file",
        b"\x80\x04\x95pickle": "a Python pickle, .* not a safetensors file",
        good[:-100]: "cut off, with",
        good[:50]: "cut off within its header",
        b"\xff" * 100: "not a safetensors file .no header",
        bytes(64_000_001): "above 64 MB",
        safetensors.numpy.save(weights): "names no architecture",
        safetensors.numpy.save({"module.conv1.weight": np.zeros(3, np.float16)}): "it holds "
        "float16 by names such as module.conv1.weight, not float32 by names such as conv1/kernel",
        packed(weights, card="{"): "cannot be read",
        packed(weights, card="[]"): "is a list of 0, not a record",
        packed(weights, card=json.dumps(broken)): "The architecture has no blocks",
        packed(weights, card=other.to_json()): "do not fit",
        packed({k: v for k, v in weights.items() if k != "logits/bias"}): "do not fit",
        packed({**weights, "extra": np.zeros(3, np.float32)}): "do not fit",
        packed({**weights, "logits/bias": np.zeros(10)}): "logits/bias is stored as float64",
        packed({**weights, "logits/bias": np.zeros(9, np.float32)}): r"is \[9\], not \[10\]",
        packed({f"module.{k}": v for k, v in weights.items()}): "conv1/bias is missing, and it "
        "holds module.conv1/bias",
        packed({**weights, "logits/bias": np.ones(10, np.float32)}): "belongs to other weights",
        packed(
            weights, card=card.to_json().replace('"steps": 0', '"steps": Infinity')
        ): "whole number",
        packed(weights, card="[" * 100_000): "cannot be read",
        packed(weights, card=five.to_json()): "5 classes",
        packed(weights, card=huge): "make it smaller",
        packed({**weights, "logits/bias": np.full(10, np.nan, np.float32)}): "not all finite",
    }
    for data, part in cases.items():
        with pytest.raises(ValueError, match=part) as caught:
            deserialize_model(data)
        assert "\n" not in str(caught.value)
