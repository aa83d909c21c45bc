from dataclasses import replace

import pytest

from core.network.architecture import MODEL_1, MODEL_2, Architecture, ConvBlock


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
    ("values", "part"),
    [
        ([], "is a list of 0, not a record"),
        ({}, "has no blocks"),
        ({**MODEL_1.to_dict(), "hidden_units": ["many"]}, "a list of whole numbers from 1 to"),
        ({**MODEL_1.to_dict(), "hidden_units": None}, "hidden_units is nothing, not a list"),
        ({**MODEL_1.to_dict(), "blocks": [{"filters": 2.5}]}, "filters is 2.5, not a whole number"),
        ({**MODEL_1.to_dict(), "blocks": [{"kernels": 3}]}, "blocks, item 1, has no filters"),
        ({**MODEL_1.to_dict(), "blocks": [{}] * 7}, "a list of 7, not a list of at most 6"),
        ({**MODEL_1.to_dict(), "batch_normalization": "no"}, "is “no”, not true or false"),
        ({**MODEL_1.to_dict(), "dropout": "abc"}, "dropout is “abc”, not a number from 0 to 0.9"),
        ({**MODEL_1.to_dict(), "dropout": float("nan")}, "dropout is nan, not a number"),
    ],
)
def test_refuses_what_is_not_an_architecture(values: object, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        Architecture.from_dict(values)


@pytest.mark.parametrize(
    "architecture",
    [
        MODEL_1,
        Architecture((ConvBlock(8, 5, stride=2, pooling=1), ConvBlock(6, 3)), (40, 20)),
        Architecture((ConvBlock(5, 4, stride=3, pooling=2),), ()),
        Architecture((ConvBlock(5, kind="residual"), ConvBlock(4, 5, 2, 1, "residual"))),
        Architecture((ConvBlock(5, pooling_kind="average"),), (20,), ending="average"),
    ],
)
def test_size_is_that_of_the_built_model(architecture: Architecture) -> None:
    from core.network.model import build_model, layer_table

    rows = layer_table(build_model(architecture))
    built = sum(row.weights for row in rows), sum(row.multiply_adds for row in rows)
    assert architecture.size() == built
