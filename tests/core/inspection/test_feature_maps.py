"""Closed forms with hand-made kernels, a slow NumPy convolution, and what depends on what."""

from dataclasses import replace

import numpy as np
import pytest

from core.arrays import FloatArray, to_float
from core.data.mnist import Dataset
from core.inspection.feature_maps import (
    active_shares,
    channel_arithmetic,
    compare_layers,
    compare_maps,
    convolutions,
    feature_maps,
    is_dead,
    is_saturated,
    kernels,
    seen_rows,
    single_taps,
    under_kernel,
)
from core.network.architecture import MODEL_2, Architecture, ConvBlock
from core.network.classifier import Classifier
from core.network.model import build_model, named_variables
from core.network.stages.reach import padding_before

STRIDED = Architecture(
    (ConvBlock(3, 5, stride=2, pooling=1), ConvBlock(4, 3, stride=3, pooling=2), ConvBlock(2, 1)),
    (),
)
RESIDUAL = Architecture(
    (
        ConvBlock(3, 3, 2, 1, "residual"),
        ConvBlock(4, 2, 1, 2, "residual", "average"),
        ConvBlock(2, 3, 2, 1, "residual"),
    ),
    (),
)


def _classifier(architecture: Architecture, random: np.random.Generator) -> Classifier:
    """Random weights everywhere, the statistics of batch normalization included."""
    model = build_model(architecture)
    for name, variable in named_variables(model).items():
        values = random.normal(0, 0.5, variable.shape)
        variable.assign(np.abs(values) + 0.1 if "variance" in name else values)
    return Classifier(model, name="random")


def test_a_hand_made_kernel_finds_its_edge(random: np.random.Generator) -> None:
    """+1 left and −1 right of the center: a vertical edge where ink stands left of paper."""
    classifier = Classifier(build_model(Architecture((ConvBlock(2, 3),), ())), name="edge")
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[1, 0, 0, 0], kernel[1, 2, 0, 0] = 1, -1
    kernel[1, 0, 0, 1], kernel[1, 2, 0, 1] = -1, 1
    named_variables(classifier.model)["conv1/kernel"].assign(kernel)
    named_variables(classifier.model)["conv1/bias"].assign([0.0, 0.25])
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[:, :, 10:20] = 1
    own = convolutions(classifier.model)[0]
    before = feature_maps(classifier, image, own.stages["before ReLU"])[0]
    after = feature_maps(classifier, image, own.stages["after ReLU"])[0]
    pooled = feature_maps(classifier, image, own.stages["after pooling"])[0]
    expected = np.zeros(28)
    expected[[9, 10]], expected[[19, 20]] = -1, 1
    assert before[5, :, 0] == pytest.approx(expected)
    assert before[5, :, 1] == pytest.approx(0.25 - expected)
    assert after == pytest.approx(np.maximum(before, 0))
    assert pooled[3, :, 0] == pytest.approx(np.maximum(expected, 0).reshape(14, 2).max(axis=1))


def _convolve(maps: FloatArray, kernel: FloatArray, bias: FloatArray, stride: int) -> FloatArray:
    side, size = maps.shape[0], kernel.shape[0]
    above = padding_before(side, size, stride)
    padded = np.pad(maps.astype(float), ((above, size), (above, size), (0, 0)))
    steps = range(0, side, stride)
    return np.array(
        [
            [
                np.einsum("yxi,yxio->o", padded[y : y + size, x : x + size], kernel) + bias
                for x in steps
            ]
            for y in steps
        ]
    )


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("architecture", [STRIDED, RESIDUAL])
def test_every_convolution_is_the_oracles(
    architecture: Architecture, normalized: bool, random: np.random.Generator
) -> None:
    classifier = _classifier(replace(architecture, batch_normalization=normalized), random)
    image = random.random((1, 28, 28, 1), np.float32)
    for each in convolutions(classifier.model):
        source, added = under_kernel(classifier, image, each)
        arithmetic = channel_arithmetic(classifier.model, each)
        kernel = kernels(classifier.model, each.name)
        sums = _convolve(source[0], kernel, arithmetic.bias, each.stride)
        before = arithmetic.scale * sums + arithmetic.shift + (0 if added is None else added[0])
        assert each.shortcut == (added is not None) == (architecture is RESIDUAL)
        assert each.normalized == normalized
        assert feature_maps(classifier, image, each.before)[0] == pytest.approx(before, abs=1e-4)


def test_convolutions_are_read_from_the_layers(model_1: Classifier) -> None:
    first, second = convolutions(model_1.model)
    assert (first.name, first.source, first.before, first.after, first.pooled) == (
        "conv1", "image", "conv1", "conv1_relu", "pool1",
    )  # fmt: skip
    assert (second.source, second.input_channels, second.channels, second.side) == (
        "pool1", 32, 32, 14,
    )  # fmt: skip
    normalized = convolutions(build_model(MODEL_2))[0]
    assert (normalized.before, normalized.normalized) == ("conv1_bn", True)
    strided = convolutions(build_model(STRIDED))
    assert [each.stride for each in strided] == [2, 3, 1]
    assert [each.pooled for each in strided] == [None, "pool2", "pool3"]
    assert list(strided[0].stages) == ["before ReLU", "after ReLU"]


@pytest.mark.parametrize(
    ("side", "window", "stride", "before"),
    [(28, 3, 1, 1), (28, 5, 1, 2), (28, 3, 2, 0), (28, 5, 2, 1), (7, 3, 2, 1), (28, 1, 4, 0)],
)
def test_padding_is_tensorflows(side: int, window: int, stride: int, before: int) -> None:
    assert padding_before(side, window, stride) == before


@pytest.mark.parametrize("architecture", [Architecture(), STRIDED, RESIDUAL])
def test_a_position_depends_on_its_receptive_field_and_on_nothing_else(
    architecture: Architecture, random: np.random.Generator
) -> None:
    """All kernels positive, so that every pixel seen must show."""
    model = build_model(architecture)
    for variable in named_variables(model).values():
        variable.assign(0.1 + random.random(variable.shape))
    classifier = Classifier(model, name="positive")
    dots = np.zeros((784, 28, 28, 1), np.float32)
    dots.reshape(784, 784)[np.arange(784), np.arange(784)] = 1
    blank = np.zeros((1, 28, 28, 1), np.float32)
    for each in convolutions(model):
        moved = feature_maps(classifier, dots, each.after) - feature_maps(
            classifier, blank, each.after
        )
        last = moved.shape[1] - 1
        for row, column in ((0, 0), (last // 2, last), (last, last // 3)):
            seen = (np.abs(moved[:, row, column]).max(axis=1) > 1e-6).reshape(28, 28)
            sees = seen_rows(model, each.after)
            (top, bottom), (left, right) = sees[row], sees[column]
            expected = np.zeros((28, 28), bool)
            expected[top : bottom + 1, left : right + 1] = True
            # Pooling passes on one value only: a dot that loses its window does not show.
            assert not (seen & ~expected).any()
            assert list(seen.any(axis=1).nonzero()[0][[0, -1]]) == [top, bottom]
            assert list(seen.any(axis=0).nonzero()[0][[0, -1]]) == [left, right]


def test_receptive_fields_of_model_1(model_1: Classifier) -> None:
    assert seen_rows(model_1.model, "conv1")[[0, 5, 27]].tolist() == [[0, 1], [4, 6], [26, 27]]
    assert seen_rows(model_1.model, "conv2_relu")[5].tolist() == [7, 14]
    assert seen_rows(model_1.model, "pool2").shape == (7, 2)


def test_dead_and_saturated_channels(mnist: Dataset) -> None:
    """A bias alone decides where the kernel is zero: never, always, and by the image between."""
    model = build_model(Architecture((ConvBlock(3, 1),), ()))
    named_variables(model)["conv1/kernel"].assign(np.array([0.0, 0.0, 1.0]).reshape(1, 1, 1, 3))
    named_variables(model)["conv1/bias"].assign([-1.0, 1.0, 0.0])
    images = to_float(mnist.test.images[:600])
    share = active_shares(Classifier(model, name="x"), images)["conv1"]
    assert share == pytest.approx([0, 1, (images > 0).mean()])
    assert is_dead(share).tolist() == [True, False, False]
    assert is_saturated(share).tolist() == [False, True, False]


def test_comparison_in_closed_form() -> None:
    a = np.zeros((1, 2, 2), np.float32)
    a[0, :, 0] = 3, 4
    b = a.copy()
    b[0, :, 1] = 0, 5
    comparison = compare_maps(a, b)
    assert comparison.distance == pytest.approx(1)
    assert comparison.cosine == pytest.approx(1 / np.sqrt(2))
    assert comparison.by_channel == pytest.approx([0, 5])
    assert comparison.ranked.tolist() == [1, 0]
    same, nothing = compare_maps(a, a), compare_maps(np.zeros_like(a), a)
    assert (same.distance, same.cosine) == (0, pytest.approx(1))
    assert nothing.distance == np.inf
    assert np.isnan(nothing.cosine)
    assert compare_maps(np.zeros_like(a), np.zeros_like(a)).distance == 0
    with pytest.raises(ValueError, match="1 × 2 × 2 here and 1 × 1 × 2 there"):
        compare_maps(a, a[:, :1])


def test_layers_are_compared_in_order(model_1: Classifier, mnist: Dataset) -> None:
    images = to_float(mnist.test.images[:2])
    same = compare_layers(model_1, model_1, images[:1], images[:1])
    assert list(same) == ["conv1_relu", "conv2_relu", "dense1_relu", "logits"]
    assert all(each.distance == 0 for each in same.values())
    other = Classifier(build_model(Architecture((ConvBlock(8), ConvBlock(32)))), name="x")
    apart = compare_layers(model_1, other, images[:1], images[1:])
    assert list(apart) == ["conv2_relu", "dense1_relu", "logits"]
    assert all(each.distance > 0.1 for each in apart.values())


def test_refuses_layers_without_maps(model_1: Classifier) -> None:
    image = np.zeros((1, 28, 28, 1), np.float32)
    with pytest.raises(ValueError, match="dense1 puts out 500 numbers and no maps"):
        feature_maps(model_1, image, "dense1")


def test_a_threshold_is_a_kernel_with_one_weight_above_all_others() -> None:
    weights = np.zeros((3, 3, 1, 4), np.float32)
    weights[1, 1, 0, 0] = -2
    weights[0, :, 0, 1] = 1
    weights[..., 0, 2] = 0.1
    weights[2, 2, 0, 2] = 1
    assert list(single_taps(weights)) == [True, False, True, False]
