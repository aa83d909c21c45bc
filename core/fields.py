"""Fields of a record that came in a file: each is what it must be, or one sentence says so."""

import math
import re
from collections.abc import Iterator
from typing import Any

from core.checks import short
from core.plain import one_line

_ADVICE = "upload the file as it was saved"
_PLAIN_DEPTH, _PLAIN_ITEMS, _PLAIN_TEXT = 3, 1_000, 200


class Fields:
    """The record `values`, called `name` in sentences; ValueError if it is none.

    Every method returns the field `key` as the type that it names, in its range, and raises
    ValueError with one sentence that says the field, what it holds and what it must be.
    """

    def __init__(self, values: object, name: str) -> None:
        self._name = name
        if not isinstance(values, dict):
            raise ValueError(f"{name} is {_shown(values)}, not a record of fields: {_ADVICE}.")
        self._values: dict[str, Any] = values

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, limit: int, *, least: int = 0) -> str:
        """One line of at most `limit` characters; what is longer is cut."""
        value = self._value(key)
        line = one_line(value, limit) if isinstance(value, str) else None
        if line is None or len(line) < least:
            raise self._wrong(key, "a text that can be shown" if least else "a text")
        return line

    def digits(self, key: str, limit: int) -> str:
        """At most `limit` hexadecimal digits."""
        value = self._value(key)
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{0,{limit}}}", value):
            raise self._wrong(key, f"a text of at most {limit:,} hexadecimal digits")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._value(key)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(key, f"a whole number from {low:,} to {high:,}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """A finite number from `low` to `high`."""
        value = self._value(key)
        if type(value) not in (int, float) or not low <= value <= high:  # NaN is in no range
            raise self._wrong(key, f"a number from {low:,g} to {high:,g}")
        return float(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._value(key)
        if type(value) is not bool:
            raise self._wrong(key, "true or false")
        return value

    def record(self, key: str) -> "Fields":
        """A record of its own."""
        return Fields(self._value(key), f"{self._name}'s {key}")

    def items(self, key: str, limit: int) -> list[Any]:
        """A list of at most `limit` items."""
        value = self._value(key)
        if not isinstance(value, list | tuple) or len(value) > limit:
            raise self._wrong(key, f"a list of at most {limit:,}")
        return list(value)

    def wholes(self, key: str, limit: int, low: int, high: int) -> tuple[int, ...]:
        """A list of at most `limit` whole numbers from `low` to `high`."""
        values = self.items(key, limit)
        if not all(type(value) is int and low <= value <= high for value in values):
            raise self._wrong(key, f"a list of whole numbers from {low:,} to {high:,}")
        return tuple(values)

    def texts(self, key: str, limit: int, length: int) -> tuple[str, ...]:
        """A list of at most `limit` texts, each on one line of at most `length` characters."""
        values = self.items(key, limit)
        if not all(isinstance(value, str) and one_line(value, length) for value in values):
            raise self._wrong(key, "a list of texts that can be shown")
        return tuple(one_line(value, length) for value in values)

    def numbers(self, key: str, limit: int, low: float, high: float) -> tuple[float, ...]:
        """A list of at most `limit` finite numbers from `low` to `high`."""
        values = self.items(key, limit)
        if not all(type(value) in (int, float) and low <= value <= high for value in values):
            raise self._wrong(key, f"a list of numbers from {low:,g} to {high:,g}")
        return tuple(map(float, values))

    def records(self, key: str, limit: int) -> "Iterator[Fields]":
        """A list of at most `limit` records."""
        for number, value in enumerate(self.items(key, limit), 1):
            yield Fields(value, f"{self._name}'s {key}, item {number},")

    def plain(self, key: str) -> dict[str, Any]:
        """A record of plain values: texts, finite numbers, and short lists of such."""
        value = self._value(key)
        if not isinstance(value, dict) or not _is_plain(value, _PLAIN_DEPTH):
            raise self._wrong(
                key, "a record of at most a thousand short texts, finite numbers and lists of such"
            )
        return value

    def _value(self, key: str) -> Any:
        if key not in self._values:
            raise ValueError(f"{self._name} has no {key}: {_ADVICE}.")
        return self._values[key]

    def _wrong(self, key: str, expected: str) -> ValueError:
        held = _shown(self._values[key])
        return ValueError(f"{self._name}'s {key} is {held}, not {expected}: {_ADVICE}.")


def _is_plain(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return one_line(value, _PLAIN_TEXT) == value
    if isinstance(value, int | float):
        return abs(value) <= 2**63 and math.isfinite(value)
    if isinstance(value, dict):
        return _is_plain([*value, *value.values()], depth)
    if isinstance(value, list | tuple):
        return (
            depth > 0
            and len(value) <= _PLAIN_ITEMS
            and all(_is_plain(each, depth - 1) for each in value)
        )
    return value is None


def _shown(value: object) -> str:
    """What a field holds, in few characters."""
    if isinstance(value, str):
        return f"“{one_line(value, 40)}”" if value else "empty"
    if isinstance(value, dict | list):
        kind = "record" if isinstance(value, dict) else "list"
        return f"a {kind} of {len(value):,}"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return short(value) if isinstance(value, int) else str(value)
