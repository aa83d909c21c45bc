from dataclasses import replace

import pytest

from core.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock


def test_survives_the_way_through_plain_values() -> None:
    own = Architecture((ConvBlock(8, 5, stride=2, pooling=1),), (40, 20), True, 0.3)
    for architecture in (MODEL_1, MODEL_2, own):
        assert Architecture.from_dict(architecture.to_dict()) == architecture


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": ()},
        {"blocks": (ConvBlock(),) * 7},
        {"hidden_units": (0,)},
        {"hidden_units": (5000,)},
        {"dropout": 0.95},
        {"dropout": float("nan")},
        {"classes": 1},
        {"blocks": (ConvBlock(pooling=4),) * 3},
        {"blocks": (ConvBlock(256, pooling=1),), "hidden_units": (4096,)},
        {"blocks": (ConvBlock(256, 11, pooling=1),) * 2},
    ],
)
def test_refuses_what_cannot_be_built(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        replace(MODEL_1, **change)


@pytest.mark.parametrize(
    "change",
    [{"filters": 0}, {"filters": 257}, {"kernel_size": 12}, {"stride": 5}, {"pooling": 0}],
)
def test_refuses_blocks_out_of_range(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="choose a value inside"):
        ConvBlock(**change)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"blocks": [{}], "hidden_units": ["many"], "batch_normalization": 0, "dropout": 0},
        {**MODEL_1.to_dict(), "blocks": [{"filters": 2.5}]},
        {**MODEL_1.to_dict(), "blocks": [{"kernels": 3}]},
        {**MODEL_1.to_dict(), "hidden_units": None},
    ],
)
def test_refuses_what_is_not_an_architecture(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="incomplete"):
        Architecture.from_dict(values)


@pytest.mark.parametrize(
    "architecture",
    [
        MODEL_1,
        Architecture((ConvBlock(8, 5, stride=2, pooling=1), ConvBlock(6, 3)), (40, 20)),
        Architecture((ConvBlock(5, 4, stride=3, pooling=2),), ()),
    ],
)
def test_size_is_that_of_the_built_model(architecture: Architecture) -> None:
    from core.model import build_model, layer_table

    rows = layer_table(build_model(architecture))
    built = sum(row.weights for row in rows), sum(row.multiply_adds for row in rows)
    assert architecture.size() == built
