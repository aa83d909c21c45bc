"""What a data set is: refused in one sentence where it cannot be, kept through a file."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from core.arrays import to_float
from core.data import sets
from core.data.dataset import Dataset, Split
from core.data.mnist import load_mnist
from core.data.spec import MNIST, DatasetSpec
from core.fields import Fields
from core.network.architecture import MODEL_1, Architecture
from core.network.card import ModelCard
from core.network.classifier import Classifier
from core.network.model import build_model, deserialize_model, serialize_model, weights_digest
from core.statistics.rate import Rate

FRUIT = DatasetSpec("fruit", "Fruit", 8, 3, ("apple", "pear", "plum"), 40, 20, "Drawn here.")
ARCHITECTURE = Architecture((MODEL_1.blocks[0],), (), classes=3, input_shape=FRUIT.shape)


def test_mnist_is_what_its_file_holds() -> None:
    mnist = load_mnist()
    assert (len(mnist.train), len(mnist.test)) == (MNIST.training_images, MNIST.test_images)
    assert mnist.spec is MNIST is sets.source("mnist").spec
    assert (MNIST.shape, MNIST.byte_shape, MNIST.largest_l2) == ((28, 28, 1), (28, 28), 28)
    assert FRUIT.byte_shape == FRUIT.shape == (8, 8, 3)
    assert (MNIST.noun, FRUIT.noun) == ("digit", "image")


@pytest.mark.parametrize(
    "change",
    [
        {"key": "Own Set"},
        {"key": ""},
        {"name": "two\nlines"},
        {"side": 3},
        {"side": 8.0},
        {"channels": 2},
        {"classes": ("one",)},
        {"classes": ("same", "same")},
        {"classes": ("", "b")},
        {"training_images": 0},
        {"test_images": -1},
        {"source": ""},
        {"noun": "x" * 61},
    ],
)
def test_a_wrong_field_gets_one_sentence(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z][^\n]+\.$"):
        replace(FRUIT, **change)


def test_survives_the_way_through_a_file() -> None:
    record = json.loads(json.dumps(asdict(FRUIT)))
    assert DatasetSpec.of(Fields(record, "The record")) == FRUIT
    for key in record:
        with pytest.raises(ValueError, match=f"^The record's {key} is nothing, not a"):
            DatasetSpec.of(Fields({**record, key: None}, "The record"))


def test_images_and_classes_must_be_those_of_the_set() -> None:
    labels = np.zeros(2, np.uint8)
    right, gray = (Split(np.zeros((2, 8, 8, *c), np.uint8), labels) for c in ((3,), ()))
    assert Dataset(right, right, FRUIT).mean_image.shape == FRUIT.shape
    assert to_float(right.images).shape == (2, *FRUIT.shape)
    with pytest.raises(ValueError, match="The test images of Fruit are uint8"):
        Dataset(right, gray, FRUIT)
    with pytest.raises(ValueError, match="has the class 3, above 2"):
        Dataset(Split(right.images, labels + np.uint8(3)), right, FRUIT)
    with pytest.raises(ValueError, match="name the data set that it reads"):
        Classifier(build_model(ARCHITECTURE), name="fruit")


def test_a_card_without_a_set_is_of_mnist_and_names_are_in_the_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = build_model(ARCHITECTURE)
    card = ModelCard(
        name="fruit", title="Fruit", description="", architecture=ARCHITECTURE, settings={},
        steps=0, seconds=0.0, test=Rate(1, 3), parameters=model.count_params(),
        version=weights_digest(model, FRUIT), data_digest="", spec=FRUIT,
    )  # fmt: skip
    data = serialize_model(model, card)
    with pytest.raises(ValueError, match="reads Fruit, which this dashboard does not have"):
        deserialize_model(data)
    rows = {**sets.SETS, "fruit": sets.Source(FRUIT, load_mnist)}
    for name, row in rows.items():
        monkeypatch.setitem(sets.SETS, name, row)
    assert deserialize_model(data)[1] == card
    renamed = replace(FRUIT, classes=("apple", "pear", "quince"))
    with pytest.raises(ValueError, match="with other images or classes"):
        deserialize_model(serialize_model(model, replace(card, spec=renamed)))
    assert weights_digest(model, renamed) != card.version

    values = json.loads(card.to_json())
    with pytest.raises(ValueError, match=r"into 3 classes, not \[28, 28, 1\] into the 10 of MNIST"):
        ModelCard.from_json(json.dumps({k: v for k, v in values.items() if k != "spec"}))
    values["architecture"] = {
        k: v for k, v in MODEL_1.to_dict().items() if k not in ("classes", "input_shape")
    } | {"classes": 10}
    old = {k: v for k, v in values.items() if k != "spec"}
    read = ModelCard.from_json(json.dumps(old))
    assert (read.spec, read.architecture) == (MNIST, MODEL_1)
