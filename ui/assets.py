"""Files of the folder assets/."""

from core.data import ASSETS


def asset(name: str) -> str:
    """The path of a file in assets/."""
    return str(ASSETS / name)
