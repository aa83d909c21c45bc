"""Pictures of the folder assets/."""

import functools
from pathlib import Path
from xml.etree import ElementTree

from core.data.mnist import ASSETS


def asset(name: str) -> str | None:
    """The path of an SVG file in assets/; None if it is missing or damaged: a page does without."""
    path = ASSETS / name
    return str(path) if _whole(path) else None


@functools.cache
def _whole(path: Path) -> bool:
    try:
        return ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    except (OSError, ElementTree.ParseError):
        return False
