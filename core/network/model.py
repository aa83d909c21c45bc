"""Architecture → keras.Model, its table of layers, and its weights as safetensors files."""

import hashlib
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from core.backend import keras
from core.checks import check_seed
from core.data.sets import SETS
from core.data.spec import MNIST, DatasetSpec
from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock
from core.network.card import ModelCard
from core.network.first_look import check_answers
from core.network.model_file import MAX_FILE_BYTES, metadata_of, read_card, read_weights
from core.network.stages.batch_normalization import BatchNormalization
from core.network.stages.chain import reach
from core.network.stages.dense import Dense
from core.network.stages.passing import Dropout
from core.network.stages.relu import ReLU
from core.network.stages.stage import Stage
from core.network.stages.table import BLOCKS, ENDINGS, POOLINGS, stages_of

__all__ = [
    "MODEL_1",
    "MODEL_2",
    "Architecture",
    "ConvBlock",
    "LayerInfo",
    "build_model",
    "layer_table",
    "load_model",
    "save_model",
    "weights_digest",
]

Weights = dict[str, NDArray[np.float32]]


def build_model(architecture: Architecture, *, seed: int = 0) -> keras.Model:
    """An untrained functional model: images [n, side, side, channels] in [0, 1] to logits.

    Weights are Glorot uniform (Glorot & Bengio 2010), each layer with its own seed derived from
    `seed`; biases are zero. Layers are named conv1 (or res1), conv1_bn, conv1_relu, pool1, …,
    flatten, dense1, dense1_bn, dense1_relu, dense1_dropout, …, logits.
    """
    seed = check_seed(seed)
    seeds = iter(np.random.SeedSequence(seed).generate_state(16).tolist())
    x = inputs = keras.Input(architecture.input_shape, name="image")
    for layer in _layers(architecture, seeds):
        x = layer(x)
    return keras.Model(inputs, x)


def _layers(architecture: Architecture, seeds: Iterator[int]) -> Iterator[keras.Layer]:
    """New layers behind the image, one behind the other."""
    normalized, dropout = architecture.batch_normalization, architecture.dropout
    for number, block in enumerate(architecture.blocks, 1):
        kind = BLOCKS[block.kind]
        name, size = f"{kind.prefix}{number}", block.kernel_size
        yield from kind.layers(
            name, block.filters, size, block.stride, normalized=normalized, seed=next(seeds)
        )
        yield ReLU.built(name)
        if block.pooling > 1:
            yield POOLINGS[block.pooling_kind].built(f"pool{number}", block.pooling)
    yield ENDINGS[architecture.ending].built()
    for number, units in enumerate(architecture.hidden_units, 1):
        name = f"dense{number}"
        yield Dense.built(name, units, next(seeds))
        if normalized:
            yield BatchNormalization.built(name)
        yield ReLU.built(name)
        if dropout:
            yield Dropout.built(name, dropout)
    yield Dense.built("logits", architecture.classes, next(seeds))


@dataclass(frozen=True)
class LayerInfo:
    """One row of the layer table.

    kind: Keras's name. title: on screen. drawn: whether it shows in the drawing. shortcut: whether
    its input goes past it as well.
    output_shape: without the batch axis. units: how many numbers the layer puts out.
    weights, biases: trained parameters (for batch normalization: scales and offsets).
    statistics: numbers kept but not trained (moving mean and variance).
    multiply_adds: for one image. receptive_field: side in pixels of what one output sees.
    """

    name: str
    kind: str
    title: str
    drawn: bool
    shortcut: bool
    output_shape: tuple[int, ...]
    units: int
    weights: int
    biases: int
    statistics: int
    multiply_adds: int
    receptive_field: int

    @property
    def parameters(self) -> int:
        """All numbers that the layer stores."""
        return self.weights + self.biases + self.statistics


def layer_table(model: keras.Model) -> list[LayerInfo]:
    """One row per layer of `model`, in order, read from the layers themselves.

    The receptive field is cut at the whole image, all of which a dense layer sees.
    """
    stages = stages_of(model)
    return [_row(stages[: number + 1]) for number in range(len(stages))]


def _row(stages: Sequence[Stage]) -> LayerInfo:
    """Of the last of the layers up to one."""
    stage = stages[-1]
    shape = tuple(int(side) for side in stage.layer.output.shape[1:])
    return LayerInfo(
        name=stage.name,
        kind=type(stage.layer).__name__,
        title=stage.title or type(stage.layer).__name__,
        drawn=stage.drawn,
        shortcut=stage.shortcut,
        output_shape=shape,
        units=math.prod(shape),
        weights=stage.count("kernel", "gamma"),
        biases=stage.count("bias", "beta"),
        statistics=stage.count("moving_mean", "moving_variance"),
        multiply_adds=stage.multiply_adds(shape),
        receptive_field=_field(stages),
    )


def _field(stages: Sequence[Stage]) -> int:
    side = int(stages[0].layer.output.shape[1])
    return side if any(stage.sees_all for stage in stages) else min(reach(stages)[0], side)


def named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Every stored variable of the model under `layer/variable`, in the order of the layers."""
    return {
        f"{stage.name}/{name}": variable
        for stage in stages_of(model)
        for name, variable in stage.variables.items()
    }


def named_weights(model: keras.Model) -> Weights:
    """Copies of the arrays in `named_variables`."""
    return {name: variable.numpy().copy() for name, variable in named_variables(model).items()}


def assign_weights(model: keras.Model, weights: Weights) -> None:
    """Set every stored variable of the model; the inverse of `named_weights`."""
    for name, variable in named_variables(model).items():
        variable.assign(weights[name])


def weights_digest(model: keras.Model, spec: DatasetSpec = MNIST) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of all that a model's answers follow from.

    Of its layers in order: name, kind, output shape, stride, window, padding, activation, epsilon;
    of its weights: name, type, shape and values; of its classes the names, where they are not
    MNIST's. Two models that answer differently differ in it.
    """
    weights = named_weights(model)
    described = {
        "layers": [_described(stage) for stage in stages_of(model)],
        "weights": [[name, str(array.dtype), array.shape] for name, array in weights.items()],
    }
    if spec.classes != MNIST.classes:
        described["classes"] = list(spec.classes)
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=repr).encode())
    for array in weights.values():
        digest.update(b"\0" + array.tobytes())
    return digest.hexdigest()[:16]


def _described(stage: Stage) -> dict[str, Any]:
    """A layer as plain values; of a kind that nobody knows, its whole configuration."""
    layer, config = stage.layer, stage.layer.get_config()
    names = config if stage.decisive is None else stage.decisive
    described = {"name": stage.name, "kind": type(layer).__name__, "shape": layer.output.shape}
    return described | {name: config[name] for name in names}


def earlier_digest(model: keras.Model) -> str:
    """What stands as the digest in files that were saved before strides and windows were in it."""
    digest = hashlib.sha256()
    for layer in model.layers:
        digest.update(f"{layer.name} {type(layer).__name__} {layer.output.shape}".encode())
    for name, array in named_weights(model).items():
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def save_model(path: Path, model: keras.Model, card: ModelCard) -> None:
    """Write the weights as safetensors, with the card (and in it the architecture) as metadata."""
    path.write_bytes(serialize_model(model, card))


def serialize_model(model: keras.Model, card: ModelCard) -> bytes:
    """What `save_model` writes, as bytes."""
    return safetensors.numpy.save(named_weights(model), metadata=metadata_of(card))


def load_model(path: Path) -> tuple[keras.Model, ModelCard]:
    """The model and the card of a file that `save_model` wrote. Raises ValueError otherwise."""
    with path.open("rb") as file:
        return deserialize_model(file.read(MAX_FILE_BYTES + 1))


def deserialize_model(data: bytes) -> tuple[keras.Model, ModelCard]:
    """The inverse of `serialize_model`.

    Raises ValueError with one sentence if the bytes are not safetensors, are above 64 MB, carry
    no card, hold arrays that do not fit the card, or a network that does not answer every image
    with finite numbers. Nothing is unpickled.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"The file is above {MAX_FILE_BYTES / 1e6:.0f} MB: choose a smaller one.")
    card = read_card(io.BytesIO(data))
    _check_known(card.spec)
    model = build_model(card.architecture)
    shapes = {name: tuple(each.shape) for name, each in named_variables(model).items()}
    assign_weights(model, read_weights(data, shapes))
    version = weights_digest(model, card.spec)
    if card.version not in (version, earlier_digest(model)) or (
        card.parameters != model.count_params()
    ):
        raise ValueError("The card belongs to other weights: upload the file as it was saved.")
    check_answers(model)
    return model, replace(card, version=version, spec=SETS[card.spec.key].spec)


def _check_known(spec: DatasetSpec) -> None:
    """Raise ValueError unless it is a data set of `SETS`, of that shape and with those classes."""
    known = SETS[spec.key].spec if spec.key in SETS else None
    if known is None or (known.shape, known.classes) != (spec.shape, spec.classes):
        raise ValueError(
            f"The network reads {spec.name}, which this dashboard does not have, or has with other "
            "images or classes: upload weights that this dashboard saved."
        )
