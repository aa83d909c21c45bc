"""A network as plain values, as it travels to another process: its layers and its weights."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from core.backend import keras
from core.data.spec import DatasetSpec
from core.network.model import weights_digest
from core.work.parcels import Shared


@dataclass(frozen=True, eq=False)
class PlainNetwork(Shared):
    """Layers one behind the other, each as its class and Keras's configuration of it.

    digest: of all its answers follow from. input_shape: of one image. weights: of all layers, in
    Keras's order.
    """

    digest: str
    input_shape: tuple[int, ...]
    layers: tuple[tuple[type[Any], dict[str, Any]], ...]
    weights: tuple[NDArray[Any], ...]

    @classmethod
    def of(cls, model: keras.Model, spec: DatasetSpec) -> "PlainNetwork":
        """What a model that reads images of `spec` is made of, as it is now."""
        return cls(
            weights_digest(model, spec),
            tuple(model.input_shape[1:]),
            tuple((type(layer), layer.get_config()) for layer in model.layers[1:]),
            tuple(model.get_weights()),
        )

    def built(self) -> keras.Model:
        """A new model that gives the same numbers to the last bit."""
        x = inputs = keras.Input(self.input_shape, name="image")
        for kind, configuration in self.layers:
            x = kind.from_config(configuration)(x)
        model = keras.Model(inputs, x)
        model.set_weights(self.weights)
        return model
