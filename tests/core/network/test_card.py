"""A card is checked field by field: what a file says of itself is not believed."""

import json
from typing import Any

import pytest

from core.network.card import ModelCard
from core.zoo import models as zoo


@pytest.fixture
def values() -> dict[str, Any]:
    card = json.loads(zoo.read_card(zoo.path_of("robust")).to_json())
    point = {"step": 1.0, "seconds": 0.5, "loss": 2.3, "accuracy": 0.1}
    return {**card, "curve": [point]}


def _changed(values: dict[str, Any], path: str, value: object) -> str:
    changed = json.loads(json.dumps(values))
    *before, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place = changed
    for key in before:
        place = place[key]
    place[last] = value
    return json.dumps(changed)


def test_what_is_right_is_kept(values: dict[str, Any]) -> None:
    assert json.loads(ModelCard.from_json(json.dumps(values)).to_json()) == values


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("test.total", 0, "The card's test's total is 0, not a whole number from 1 to"),
        ("test.successes", -1, "successes is -1, not a whole number from 0 to 10,000"),
        ("test.successes", 10_001, "successes is 10001, not a whole number from 0 to 10,000"),
        ("test.successes", 9.5, "successes is 9.5, not a whole"),
        ("test.successes", True, "successes is true, not a whole"),
        ("test", [1, 2], "The card's test is a list of 2, not a record"),
        ("steps", -5, "The card's steps is -5, not a whole number from 0 to 1,000,000,000"),
        ("steps", 10**300, "steps is a number of more than 30 digits, not a whole number"),
        ("steps", "abc", "The card's steps is “abc”, not a whole number"),
        ("steps", None, "The card's steps is nothing, not a whole number"),
        ("seconds", float("nan"), "The card's seconds is nan, not a number from 0"),
        ("seconds", float("inf"), "The card's seconds is inf, not a number from 0"),
        ("seconds", "1", "The card's seconds is “1”, not a number"),
        ("title", "", "The card's title is empty, not a text that can be shown"),
        ("title", " \u202e\x00\ud800 ", "The card's title is .*, not a text that can be shown"),
        ("title", 7, "The card's title is 7, not a text"),
        ("name", "", "The card's name is empty"),
        ("description", {}, "The card's description is a record of 0, not a text"),
        ("parameters", 1e3, "The card's parameters is 1000.0, not a whole number"),
        ("settings", [], "The card's settings is a list of 0, not a record"),
        ("settings", {"a": "x" * 201}, "The card's settings is a record of 1, not a record of at"),
        ("settings", {"a": float("nan")}, "The card's settings is"),
        ("settings", {"a": [[[[1]]]]}, "The card's settings is"),
        ("settings", {str(n): n for n in range(1001)}, "The card's settings is a record of 1,001"),
        ("settings", {"a\nb": 1}, "The card's settings is"),
        ("curve", [{}] * 10_001, "The card's curve is a list of 10,001, not a list of at most"),
        ("curve.0.accuracy", 1.5, "curve, item 1,'s accuracy is 1.5, not a number from 0 to 1"),
        ("curve.0.loss", float("nan"), "loss is nan, not a number"),
        ("curve.0", 3, "item 1, is 3, not a record"),
        ("robustness", "none", "The card's robustness is “none”, not a list"),
        ("robustness.0.epsilon", -1, "epsilon is -1, not a number from 0 to 28"),
        ("robustness.0.standing.total", 0, "total is 0"),
        ("robustness.0.attack", "", "attack is empty"),
        ("alarms", [{}] * 101, "a list of 101, not a list of at most 100"),
        ("alarms.0.verdict", None, "verdict is nothing, not a text"),
        ("architecture.dropout", "abc", "dropout is “abc”, not a number from 0 to 0.9"),
        ("architecture", None, "The card's architecture is nothing"),
    ],
)
def test_a_wrong_field_is_named(
    values: dict[str, Any], path: str, value: object, said: str
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        ModelCard.from_json(_changed(values, path, value))
    sentence = str(caught.value)
    assert sentence.endswith("upload the file as it was saved.")
    assert sentence.isprintable()
    assert len(sentence) < 250


@pytest.mark.parametrize(
    "text", ["", "{", "3", "null", "[" * 100_000, '"text"', '{"steps": ' + "9" * 5_000 + "}"]
)
def test_what_is_no_card_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The (model's )?card (cannot be read|is )"):
        ModelCard.from_json(text)


def test_every_missing_field_is_named(values: dict[str, Any]) -> None:
    for key in values.keys() - {"curve", "robustness", "alarms", "spec"}:
        rest = {name: value for name, value in values.items() if name != key}
        with pytest.raises(ValueError, match=f"^The card has no {key}: upload"):
            ModelCard.from_json(json.dumps(rest))


def test_texts_come_on_one_bounded_line(values: dict[str, Any]) -> None:
    hostile = {
        "title": "a\u202eb\x00c\ud800d\u2028e\u200bf\tg" + "z" * 10_000,
        "description": "e" + "\u0301" * 500 + "\n\n# x",
    }
    card = ModelCard.from_json(json.dumps(values | hostile))
    assert card.title == "a b c d e f g" + "z" * 46 + "…"
    assert card.description == "é\u0301\u0301 # x"
    assert (card.title + card.description).isprintable()
