"""Files of the folder assets/."""

from core.data.mnist import ASSETS


def asset(name: str) -> str | None:
    """The path of a file in assets/; None if it is missing: a page does without."""
    path = ASSETS / name
    return str(path) if path.is_file() else None
