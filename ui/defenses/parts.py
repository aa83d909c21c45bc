"""The parts of a defense that the views offer, each at its default strength."""

from core.defenses.defended import Part
from core.defenses.filters import KINDS, Filter


def offered() -> list[Part]:
    """What can stand in front of a network, in the order of the controls."""
    return [Filter(kind.name, kind.default) for kind in KINDS.values()]
