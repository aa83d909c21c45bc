"""Architecture → keras.Model, its table of layers, and its weights as safetensors files."""

import hashlib
import io
import json
import math
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
    `seed`; biases are zero. Layers are named conv1, conv1_bn, conv1_relu, pool1, …, flatten,
    dense1, dense1_bn, dense1_relu, dense1_dropout, …, logits.
    """
    seed = check_seed(seed)
    layers = keras.layers
    seeds = iter(np.random.SeedSequence(seed).generate_state(16))

    def glorot() -> keras.Initializer:
        return keras.initializers.GlorotUniform(seed=int(next(seeds)))

    def activate(x: Any, name: str) -> Any:
        if architecture.batch_normalization:
            x = layers.BatchNormalization(name=f"{name}_bn")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    x = inputs = keras.Input(architecture.input_shape, name="image")
    for number, block in enumerate(architecture.blocks, 1):
        x = layers.Conv2D(
            block.filters,
            block.kernel_size,
            strides=block.stride,
            padding="same",
            kernel_initializer=glorot(),
            name=f"conv{number}",
        )(x)
        x = activate(x, f"conv{number}")
        if block.pooling > 1:
            x = layers.MaxPooling2D(block.pooling, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number, units in enumerate(architecture.hidden_units, 1):
        x = layers.Dense(units, kernel_initializer=glorot(), name=f"dense{number}")(x)
        x = activate(x, f"dense{number}")
        if architecture.dropout:
            x = layers.Dropout(architecture.dropout, name=f"dense{number}_dropout")(x)
    logits = layers.Dense(architecture.classes, kernel_initializer=glorot(), name="logits")(x)
    return keras.Model(inputs, logits)


@dataclass(frozen=True)
class LayerInfo:
    """One row of the layer table.

    output_shape: without the batch axis. units: how many numbers the layer puts out.
    weights, biases: trained parameters (for batch normalization: scales and offsets).
    statistics: numbers kept but not trained (moving mean and variance).
    multiply_adds: for one image. receptive_field: side in pixels of what one output sees.
    """

    name: str
    kind: str
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

    The receptive field grows by (window − 1) × the spacing of neighboring outputs in the input,
    and the spacing by the stride (Araujo et al. 2019, doi:10.23915/distill.00021); it is cut at
    the whole image, and a dense layer sees all of it.
    """
    rows = []
    side = model.input_shape[1]
    field, spacing = 1, 1
    for layer in model.layers:
        window, stride = _window(layer)
        field, spacing = field + (window - 1) * spacing, spacing * stride
        if isinstance(layer, keras.layers.Dense | keras.layers.Flatten):
            field = side
        field = min(field, side)
        shape = tuple(int(side) for side in layer.output.shape[1:])
        rows.append(
            LayerInfo(
                name=layer.name,
                kind=type(layer).__name__,
                output_shape=shape,
                units=math.prod(shape),
                weights=_count(layer, "kernel", "gamma"),
                biases=_count(layer, "bias", "beta"),
                statistics=_count(layer, "moving_mean", "moving_variance"),
                multiply_adds=_multiply_adds(layer, shape),
                receptive_field=field,
            )
        )
    return rows


def _window(layer: keras.Layer) -> tuple[int, int]:
    if isinstance(layer, keras.layers.Conv2D):
        return layer.kernel_size[0], layer.strides[0]
    if isinstance(layer, keras.layers.MaxPooling2D):
        return layer.pool_size[0], layer.strides[0]
    return getattr(layer, "window", 1), 1  # a defense in front of the network says its own


def _count(layer: keras.Layer, *names: str) -> int:
    variables = (getattr(layer, name, None) for name in names)
    return sum(math.prod(variable.shape) for variable in variables if variable is not None)


def _multiply_adds(layer: keras.Layer, shape: tuple[int, ...]) -> int:
    if isinstance(layer, keras.layers.Conv2D):
        return int(math.prod(shape[:2]) * math.prod(layer.kernel.shape))
    if isinstance(layer, keras.layers.Dense):
        return int(math.prod(layer.kernel.shape))
    if isinstance(layer, keras.layers.BatchNormalization):
        return math.prod(shape)
    return 0


def named_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Every stored variable of the model under `layer/variable`, in the order of the layers."""
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in model.layers
        for variable in layer.weights
    }


def named_weights(model: keras.Model) -> Weights:
    """Copies of the arrays in `named_variables`."""
    return {name: variable.numpy().copy() for name, variable in named_variables(model).items()}


def assign_weights(model: keras.Model, weights: Weights) -> None:
    """Set every stored variable of the model; the inverse of `named_weights`."""
    for name, variable in named_variables(model).items():
        variable.assign(weights[name])


_DECISIVE = {  # by kind of layer: what of its configuration its answers follow from
    "InputLayer": (),
    "Conv2D": ("strides", "padding", "dilation_rate", "groups", "activation"),
    "BatchNormalization": ("axis", "epsilon"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "Flatten": (),
    "Dense": ("activation",),
    "Dropout": (),
}


def weights_digest(model: keras.Model, spec: DatasetSpec = MNIST) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of all that a model's answers follow from.

    Of its layers in order: name, kind, output shape, stride, window, padding, activation, epsilon;
    of its weights: name, type, shape and values; of its classes the names, where they are not
    MNIST's. Two models that answer differently differ in it.
    """
    weights = named_weights(model)
    described = {
        "layers": [_described(layer) for layer in model.layers],
        "weights": [[name, str(array.dtype), array.shape] for name, array in weights.items()],
    }
    if spec.classes != MNIST.classes:
        described["classes"] = list(spec.classes)
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=repr).encode())
    for array in weights.values():
        digest.update(b"\0" + array.tobytes())
    return digest.hexdigest()[:16]


def _described(layer: keras.Layer) -> dict[str, Any]:
    """A layer as plain values; of a kind that is not in the list, its whole configuration."""
    kind, config = type(layer).__name__, layer.get_config()
    decisive = {name: config[name] for name in _DECISIVE.get(kind, config)}
    return {"name": layer.name, "kind": kind, "shape": layer.output.shape, **decisive}


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
