import math

import pytest

from core.statistics.rate import Rate
from ui import text


def test_rates_are_written_with_count_and_interval() -> None:
    assert text.full_rate(Rate(161, 200)) == "80.5 % [74.5, 85.4] · 161 of 200"
    assert text.percent(Rate(199, 200)) == "99.5 %"
    assert text.percent(Rate(50, 60)) == "83 %"


@pytest.mark.parametrize(
    ("value", "written"), [(5e-4, "5e-4"), (2e-5, "2e-5"), (0.02, "0.02"), (1.0, "1"), (0.0, "0")]
)
def test_learning_rates(value: float, written: str) -> None:
    assert text.learning_rate(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(40, "40 s"), (300, "5 min"), (5400, "1 h 30 min"), (math.nan, "not measured")],
)
def test_durations(seconds: float, written: str) -> None:
    assert text.duration(seconds) == written


def test_signs() -> None:
    assert [text.signed(value) for value in (0.917, -0.17, 0.004, -0.004)] == [
        "+0.92",
        "−0.17",
        "0.00",
        "0.00",
    ]
    assert text.number(-12.25, 1) == "−12.2"


def test_epochs() -> None:
    assert text.epochs({"epochs": 10}) == "10 epochs"
    assert text.epochs({"epochs": 56, "members": 2}) == "2 × 56 epochs"


@pytest.mark.parametrize("plain", ["Model 1, Median 5.5", "16-32 of 3 × 3: 9 + 2 (a) & b!", ""])
def test_plain_names_stay_as_they_are(plain: str) -> None:
    assert text.literal(plain) == plain


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("![x](http://a.b/c.png)", ("![", "](", "http:/")),
        ("**a** __b__ ~~c~~ `d` $e$", ("**", "__", "~~", "`d`", "$e$")),
        (":red[a] :material/bolt: :smile:", (":red[", ":material/", ":smile")),
        ("<b>a</b> &amp; &#33; a->b -- c", ("<b", "&amp", "&#", "->b", "--")),
        ("www.a.b me@a.b WWW.a.b", ("www.", "@a", "WWW.")),
        ("# a", ("# a",)),
    ],
)
def test_what_means_something_to_markdown_is_taken_apart(
    words: str, parts: tuple[str, ...]
) -> None:
    literal = text.literal(words)
    assert not [part for part in parts if part in literal and f"\\{part}" not in literal]
    assert literal.replace("\u2060", "").replace("\\", "") == words


@pytest.mark.parametrize("words", ["- a", "+ a", "= a", "1. a", "12) a"])
def test_a_name_begins_no_list(words: str) -> None:
    assert text.literal(words) == f"\u2060{words}"
