"""The Keras layer of a residual block; at the top of a file, so that it can be sent by its name."""

import functools
from typing import Any

import numpy as np

from core.arrays import Tensor
from core.backend import keras
from core.network.stages.convolution import Conv2D
from core.network.stages.relu import ReLU


class ResidualSum(keras.layers.Layer):  # type: ignore[misc]
    """The sum of two convolutions and of the shortcut, before its ReLU."""

    def __init__(
        self, filters: int, kernel_size: int, stride: int, normalized: bool, seed: int = 0,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self._settings = dict(
            filters=filters, kernel_size=kernel_size, stride=stride,
            normalized=normalized, seed=seed,
        )  # fmt: skip
        seeds = np.random.SeedSequence(seed).generate_state(3).tolist()
        first, second = (
            Conv2D.layers(name, filters, kernel_size, step, normalized=normalized, seed=own)
            for name, step, own in zip(("first", "second"), (stride, 1), seeds, strict=False)
        )
        self.branch = [*first, ReLU.built("first"), *second]
        [self.past] = Conv2D.layers("shortcut", filters, 1, stride, normalized=False, seed=seeds[2])

    def build(self, input_shape: Any) -> None:
        """Make the variables."""
        self.past.build(input_shape)
        for layer in self.branch:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, maps: Tensor) -> Tensor:
        """Maps [n, h, w, channels] → [n, h / stride, w / stride, filters]."""
        return functools.reduce(lambda x, layer: layer(x), self.branch, maps) + self.past(maps)

    def get_config(self) -> dict[str, Any]:
        """What a copy is made from."""
        config: dict[str, Any] = super().get_config()
        return config | self._settings
