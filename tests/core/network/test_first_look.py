"""Finite weights whose answers are not: refused before they are admitted."""

from collections.abc import Callable

import numpy as np
import pytest

from core.network.architecture import Architecture, ConvBlock
from core.network.first_look import check_answers
from core.network.model import Weights, assign_weights, build_model, named_weights
from core.zoo import models as zoo

SMALL = Architecture((ConvBlock(2), ConvBlock(3, stride=2)), (7,), batch_normalization=True)


def _with(**changes: Callable[[np.ndarray], np.ndarray]) -> Weights:
    """The weights of a network in which those whose name ends so are changed."""
    weights = named_weights(build_model(SMALL))
    for name in weights:
        for ending, change in changes.items():
            if name.endswith(ending):
                weights[name] = change(weights[name]).astype(np.float32)
    return weights


def _full(value: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: np.full_like(array, value)


def _first_pair(array: np.ndarray) -> np.ndarray:
    """Two huge weights of opposite sign, which cancel on every blank image."""
    array[1, 0, 0, 0], array[1, 1, 0, 0] = 3e38, -3e38
    return array


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kernel": _full(3e38)}, "can overflow"),
        ({"kernel": _full(-3e38)}, "can overflow"),
        ({"conv1/kernel": _first_pair, "gamma": _full(1e5)}, "can overflow"),
        ({"bias": _full(3e38), "gamma": _full(1e30)}, "can overflow"),
        ({"moving_mean": _full(-3e38), "gamma": _full(9)}, "can overflow"),
        ({"kernel": _full(1e6)}, "go beyond 1e\\+12"),
        ({"logits/bias": _full(1e20)}, "logits go beyond"),
        ({"moving_variance": _full(-0.5)}, "conv1_bn/moving_variance hold a negative variance"),
        ({"moving_variance": _full(-1e-4)}, "negative variance"),
    ],
)
def test_refused_in_one_sentence(
    changes: dict[str, Callable[[np.ndarray], np.ndarray]], said: str
) -> None:
    model = build_model(SMALL)
    assign_weights(model, _with(**changes))
    with pytest.raises(ValueError, match=said) as caught:
        check_answers(model)
    assert str(caught.value).endswith(": upload a model that learned.")


def test_what_learned_is_admitted_and_left_as_it_is() -> None:
    model = zoo.load("model-2").model
    before = named_weights(model)
    check_answers(model)
    assert all(np.array_equal(before[name], w) for name, w in named_weights(model).items())


def test_sure_and_deep_networks_are_admitted() -> None:
    weights = named_weights(sure := build_model(SMALL))
    weights["logits/kernel"] *= 1_000
    assign_weights(sure, weights)
    check_answers(sure)
    deep = tuple(ConvBlock(16, stride=2 if n < 2 else 1, pooling=1) for n in range(6))
    model = build_model(Architecture(deep, (100,) * 4, batch_normalization=True))
    weights = named_weights(model)
    assign_weights(model, {n: w * 0.01 if "variance" in n else w for n, w in weights.items()})
    check_answers(model)
