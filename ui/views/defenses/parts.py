"""The parts of a defense that the views offer, each at its default strength."""

from core.data.spec import DatasetSpec
from core.defenses.defended import Part
from core.defenses.filters import KINDS, Filter
from core.defenses.purification import purifiers


def offered(spec: DatasetSpec) -> list[Part]:
    """What can stand in front of a network that reads `spec`, in the order of the controls.

    A network that purifies stands only before those that read what it has learned.
    """
    readable, _ = purifiers()  # where a network's file is unusable, its view says so
    filters = [Filter(kind.name, kind.default) for kind in KINDS.values()]
    return [part for part in (*filters, *readable) if part.trained_on in (None, spec)]
