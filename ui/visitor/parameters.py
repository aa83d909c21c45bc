"""What a parameter of the link may say: how its texts are read, and what it takes, in words.

A link says the same number in many ways (5, +5, 5.0, 5e0); all are read. Nothing else is guessed:
no words for numbers, no digits of other scripts, no separators.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ui.text import literal

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_LONGEST = 40  # characters of what is shown of a text, and the most that a number may have
_SENTENCE = 200  # characters of one that may repeat what the link says
_NOISE = 1e-9  # steps of 0.05 add up to 0.30000000000000004
_LISTED = 10

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What is taken of a parameter's texts: as the link writes it, None for the default.

    exact: whether nothing of what was said is lost. why: a sentence if there is more to say than
    what the parameter takes; Markdown.
    """

    taken: Texts | None
    exact: bool
    why: str = ""


LOST = Reading(None, exact=False)


class Parameter(Protocol):
    """What one parameter takes."""

    @property
    def takes(self) -> str:
        """A phrase behind “It takes”."""

    def read(self, texts: Texts) -> Reading:
        """What of a link's texts, one for each time that the parameter is in it, is taken."""


@dataclass(frozen=True)
class Number:
    """Numbers from `low` to `high`; `step` is the distance of those that a slider takes."""

    low: float
    high: float
    step: float
    whole: bool

    @property
    def takes(self) -> str:
        """“whole numbers from 1 to 14”, “numbers from 0 to 0.5 in steps of 0.01”."""
        kind = "whole numbers" if self.whole else "numbers"
        steps = "" if self.whole and self.step == 1 else f" in steps of {self.step:g}"
        return f"{kind} from {plain(self.low)} to {plain(self.high)}{steps}"

    def read(self, texts: Texts) -> Reading:
        """A number between two steps goes to the nearer one, which is no exact reading."""
        value = number_of(_one(texts))
        if value is None or not self.low <= value <= self.high:
            return LOST
        if self.whole and value != int(value):
            return LOST
        return Reading((self.text(value),), abs(self.nearest(value) - value) <= _NOISE)

    def nearest(self, value: float) -> float:
        """The nearest number that the slider takes."""
        last = math.floor((self.high - self.low) / self.step + _NOISE)
        count = min(max(round((value - self.low) / self.step), 0), last)
        return round(self.low + count * self.step, 10)

    def text(self, value: float) -> str:
        """A number as the link writes it."""
        nearest = self.nearest(value)
        return str(int(nearest)) if nearest == int(nearest) else str(nearest)


@dataclass(frozen=True)
class OneOf:
    """One of several texts, or `optional` none."""

    options: Sequence[str]
    optional: bool = False

    @property
    def takes(self) -> str:
        """“All, Mistakes”."""
        return _some(self.options)

    def read(self, texts: Texts) -> Reading:
        """Nothing but the very text."""
        said = _one(texts)
        fine = said in self.options or (self.optional and said == "")
        return Reading((said,), exact=True) if fine else LOST


@dataclass(frozen=True)
class SomeOf:
    """Any number of several texts, none of them included."""

    options: Sequence[str]

    @property
    def takes(self) -> str:
        """“any of 0, 1, 2”."""
        return f"any of {_some(self.options)}"

    def read(self, texts: Texts) -> Reading:
        """Those that are there; the default if that is none of those named."""
        if texts == ("",):
            return Reading(texts, exact=True)
        named = tuple(dict.fromkeys(texts))
        found = tuple(text for text in named if text in self.options)
        return Reading(found or None, exact=found == named)


@dataclass(frozen=True)
class Switch:
    """On or off."""

    takes: str = "true, false"

    def read(self, texts: Texts) -> Reading:
        """In capitals or not."""
        said = _one(texts).lower()
        return Reading((said,), exact=True) if said in ("true", "false") else LOST


@dataclass(frozen=True)
class Text:
    """Text in which `written` finds what it needs, and which it writes in its one way.

    written: raises ValueError with a sentence, or none, on other text.
    """

    written: Callable[[str], str]
    takes: str

    def read(self, texts: Texts) -> Reading:
        """All of it or nothing."""
        try:
            return Reading((self.written(_one(texts)),), exact=True)
        except ValueError as error:
            return Reading(None, exact=False, why=literal(str(error)[:_SENTENCE]))


def number_of(text: str) -> float | None:
    """The finite number that a text writes in digits; None of any other text."""
    text = text.strip(" ")
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def plain(value: float) -> str:
    """“10,000” or “0.05”."""
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def quoted(text: str) -> str:
    """A text out of a link as a piece of code in Markdown, in which nothing means anything.

    Shortened, and without characters that would turn or break the line.
    """
    seen = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    if len(seen) > _LONGEST:
        seen = f"{seen[:_LONGEST]}…"
    longest = max(map(len, re.findall("`+", seen)), default=0)
    fence = "`" * (longest + 1)
    around = " " if "`" in seen or seen.strip() != seen else ""
    return f"{fence}{around}{seen}{around}{fence}"


def said(name: str, texts: Texts) -> str:
    """“`image=99999`”, for Markdown."""
    return quoted("&".join(f"{name}={text}" for text in texts))


def _one(texts: Texts) -> str:
    """What is said, however often; said twice in different ways it is nothing."""
    return texts[0] if len(set(texts)) == 1 else "\0"


def _some(options: Sequence[str]) -> str:
    more = f" and {len(options) - _LISTED} more" if len(options) > _LISTED else ""
    return ", ".join(quoted(option) for option in options[:_LISTED]) + more
