"""The parts of a defense that the views offer, each at its default strength."""

from core.data.spec import MNIST, DatasetSpec
from core.defenses.defended import Part
from core.defenses.filters import KINDS, Filter
from core.defenses.purification import purifiers


def offered(spec: DatasetSpec) -> list[Part]:
    """What can stand in front of a network that reads `spec`, in the order of the controls.

    The networks that purify have learned MNIST.
    """
    readable: list[Part] = []
    if spec == MNIST:
        readable, _ = purifiers()  # where a network's file is unusable, its view says so
    return [*(Filter(kind.name, kind.default) for kind in KINDS.values()), *readable]
