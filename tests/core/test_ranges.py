"""The ranges that links, controls and documents rely on: those of ranges.txt."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.core.test_refusals import found, given

RANGES = dict(
    line.split(" ", 1) for line in Path(__file__).with_name("ranges.txt").read_text().splitlines()
)
BELOW = -(10**9)


def _named(path: str, function: Callable[..., Any], name: str) -> str:
    """The range in which a function takes an argument, as its sentence says it."""
    try:
        function(**{**given(path, function), name: BELOW})
    except ValueError as error:
        said = re.search(r" outside (.+?)(: choose|$)", str(error))
        return said[1] if said else str(error)
    return "anything"


def test_ranges_stay() -> None:
    functions = dict(found())
    now = {}
    for argument in RANGES:
        path, _, name = argument.rpartition(".")
        now[argument] = _named(path, functions[path], name)
    assert now == RANGES
