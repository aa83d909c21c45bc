"""A line in front of short work that somebody waits for: places in it, and how long it may take.

Short work goes first, but nobody is overtaken for ever; long work never holds up all of the short.
"""

import contextlib
import itertools
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LONG = 0.5  # seconds: of work that takes longer, one at a time
PATIENCE = 3.0  # how many seconds earlier somebody must have come for each second of their work
_REMEMBERED = 5  # times of a kind of work, of which the median counts: the first also traced


@dataclass(eq=False)
class Place:
    """Somebody's place in the line, with the seconds that their work is expected to take."""

    seconds: float
    came: float
    began: float | None = None
    number: int = field(default_factory=itertools.count().__next__)

    @property
    def rank(self) -> tuple[float, int]:
        """The smaller one goes first."""
        return self.came + PATIENCE * self.seconds, self.number

    @property
    def long(self) -> bool:
        """Whether it is work of which only one is at work."""
        return self.seconds > LONG


class Line:
    """Lets work begin: `at_once` together at most, and one that is long.

    clock: seconds that never go back.
    """

    def __init__(self, at_once: int = 2, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._changed = threading.Condition()
        self._at_once, self._clock = at_once, clock
        self._waiting: list[Place] = []
        self._working: list[Place] = []
        self._paces: dict[str, deque[float]] = {}  # seconds that a unit of a kind took

    @contextlib.contextmanager
    def place(self, kind: str, units: float, guess: float) -> Iterator[Place]:
        """Stand in the line until the context ends; the work may begin once `comes` says so.

        units: how much work of this kind; guess: the seconds a unit takes, until one was seen.
        """
        with self._changed:
            pace = statistics.median_low(self._paces.get(kind, [guess]))
            place = Place(units * pace, self._clock())
            self._waiting.append(place)
            self._admit()
        try:
            yield place
        except BaseException:
            self._leave(place)
            raise
        self._leave(place, kind, units)

    def comes(self, place: Place, seconds: float) -> bool:
        """Whether it is this place's turn; waits for it so long."""
        with self._changed:
            self._changed.wait_for(lambda: place.began is not None, seconds)
            return place.began is not None

    def ahead(self, place: Place) -> int:
        """How many come before a place that waits."""
        with self._changed:
            return sum(each.rank < place.rank for each in self._waiting)

    def wait_of(self, place: Place) -> float:
        """The seconds that a place is expected to wait, if nobody shorter comes."""
        with self._changed:
            before = [each for each in self._waiting if each.rank < place.rank]
            return sum(each.seconds for each in before) + min(
                (self._left(each) for each in self._working if each.long or not place.long),
                default=0.0,
            )

    def _left(self, place: Place) -> float:
        began = self._clock() if place.began is None else place.began
        return max(0.0, began + place.seconds - self._clock())

    def _leave(self, place: Place, kind: str = "", units: float = 0.0) -> None:
        """Out of the line; what was done to its end teaches how long its kind takes."""
        with self._changed:
            if kind and place.began is not None and units:
                paces = self._paces.setdefault(kind, deque(maxlen=_REMEMBERED))
                paces.append((self._clock() - place.began) / units)
            for places in (self._waiting, self._working):
                if place in places:
                    places.remove(place)
            self._admit()

    def _admit(self) -> None:
        for place in sorted(self._waiting, key=lambda each: each.rank):
            busy = len(self._working) >= self._at_once
            if busy or (place.long and any(each.long for each in self._working)):
                continue
            place.began = self._clock()
            self._waiting.remove(place)
            self._working.append(place)
        self._changed.notify_all()
