"""How numbers are written."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from core.statistics.rate import Rate

if TYPE_CHECKING:
    from core.statistics.paired import Verdict  # loads SciPy, which the first page does without

_JOINER = "\u2060"
_COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_VOWELS = tuple("aeiou")
_MARKUP = re.compile(
    r"^(?=[-+=]|\d+[.)])"  # a list or a heading
    r"|[\\`*_\[\]~$@]|<(?=[^\s\d])|^>|(?<=-)>|>(?==)|:(?=\S)|&(?=[#\w])|^#|-(?=-)|www(?=\.)",
    re.IGNORECASE,
)


def percent(rate: Rate) -> str:
    """“99.1 %”: one decimal from n = 200, none below; “not measured” of nothing."""
    if not rate.total:
        return "not measured"
    return f"{rate.value * 100:.{_decimals(rate)}f} %"


def interval(rate: Rate) -> str:
    """“[98.9, 99.3]”, the 95 % Wilson interval in per cent."""
    low, high = rate.interval
    decimals = _decimals(rate)
    return f"[{low * 100:.{decimals}f}, {high * 100:.{decimals}f}]"


def full_rate(rate: Rate) -> str:
    """“99.1 % [98.9, 99.3] · 9,910 of 10,000”; “not measured” of nothing."""
    if not rate.total:
        return "not measured"
    return f"{percent(rate)} {interval(rate)} · {rate.successes:,} of {rate.total:,}"


def number(value: float, digits: int = 2) -> str:
    """“0.17” or “−0.17”, with the sign that mathematics uses; what rounds to 0 has none."""
    written = f"{value:.{digits}f}"
    return written.lstrip("-") if float(written) == 0 else written.replace("-", "−")


def signed(value: float, digits: int = 2) -> str:
    """“+0.92” or “−0.17”; what rounds to 0 has no sign."""
    written = number(abs(value), digits)
    sign = "" if float(written) == 0 else "−" if value < 0 else "+"
    return sign + written


def learning_rate(value: float) -> str:
    """“5e-4”, as the field writes it; from 0.01 on plainly."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}" if value < 0.01 else f"{value:g}"


def listed(things: Iterable[object]) -> str:
    """“3, 6 and 8”."""
    *before, last = map(str, things)
    return f"{', '.join(before)} and {last}" if before else last


def a(name: str) -> str:
    """“a 5”, “an oval”."""
    return f"{'an' if name[:1].lower() in _VOWELS else 'a'} {name}"


def in_words(count: int) -> str:
    """“ten” up to twelve, then “13”."""
    return _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"


def by_winner(verdicts: "Mapping[str, Verdict]", ahead: str, behind: str) -> str:
    """“A and B more; C no difference shown”: names by what the images show, none left out."""
    groups = ((1, ahead), (-1, behind), (0, "no difference shown"))
    return "; ".join(
        f"{listed(names)} {words}"
        for winner, words in groups
        if (names := [name for name, verdict in verdicts.items() if verdict.winner == winner])
    )


def duration(seconds: float) -> str:
    """“40 s”, “5 min”, “1 h 5 min”."""
    if not math.isfinite(seconds):
        return "not measured"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def epochs(settings: Mapping[str, Any]) -> str:
    """“10 epochs”, or “2 × 56 epochs” of two networks side by side; settings: of a card."""
    members = settings.get("members", 1)
    return f"{f'{members} × ' if members > 1 else ''}{settings['epochs']} epochs"


def literal(words: object) -> str:
    """`words`, often out of a file or a link, so that Markdown shows them as they stand.

    Signs that mean something to it get a backslash. Addresses, icons and arrows are looked for
    behind the backslashes: there an invisible word joiner keeps their parts from meeting.
    """
    return _MARKUP.sub(lambda found: f"{_escape(found[0])}{_JOINER}", str(words))


def literals(words: Iterable[object]) -> tuple[str, ...]:
    """Each of them as `literal` has it, such as the names of classes."""
    return tuple(map(literal, words))


def _escape(sign: str) -> str:
    return sign if sign.isalnum() or not sign else f"\\{sign}"


def _decimals(rate: Rate) -> int:
    return 1 if rate.total >= 200 else 0
