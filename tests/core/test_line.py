"""Who goes first, and what the others are told."""

import threading

import pytest

from core.line import LONG, PATIENCE, Line, Place

SHORT, LONGER = LONG / 5, LONG * 4


class _Hours:
    """A line under a clock that this test turns, and what stands in it."""

    def __init__(self, at_once: int = 2) -> None:
        self.now = 0.0
        self.line = Line(at_once, clock=lambda: self.now)
        self.contexts: dict[Place, object] = {}

    def join(self, seconds: float, kind: str = "work") -> Place:
        context = self.line.place(kind, seconds, 1.0)
        place = context.__enter__()
        self.contexts[place] = context
        return place

    def leave(self, place: Place) -> None:
        self.contexts.pop(place).__exit__(None, None, None)

    def turns(self, *places: Place) -> list[bool]:
        return [self.line.comes(place, 0.0) for place in places]


@pytest.fixture
def hours() -> _Hours:
    return _Hours()


def test_long_work_is_done_one_at_a_time_and_leaves_room_for_the_short(hours: _Hours) -> None:
    first, second, short = hours.join(LONGER), hours.join(LONGER), hours.join(SHORT)
    assert hours.turns(first, second, short) == [True, False, True]
    hours.leave(short)
    assert hours.turns(second) == [False]
    hours.leave(first)
    assert hours.turns(second) == [True]


def test_no_more_than_so_many_work_at_once(hours: _Hours) -> None:
    places = [hours.join(SHORT) for _ in range(4)]
    assert hours.turns(*places) == [True, True, False, False]
    hours.leave(places[1])
    assert hours.turns(*places[2:]) == [True, False]


def test_the_short_goes_first_and_the_long_is_not_overtaken_for_ever() -> None:
    hours = _Hours(at_once=1)
    working, long = hours.join(SHORT), hours.join(LONGER)
    early = hours.join(SHORT)
    hours.now = PATIENCE * LONGER  # as long as the short may overtake it
    late = hours.join(SHORT)
    assert [hours.line.ahead(each) for each in (early, long, late)] == [0, 1, 2]
    for leaving, follows in ((working, early), (early, long), (long, late)):
        hours.leave(leaving)
        assert hours.turns(follows) == [True]


def test_the_wait_is_what_is_left_of_the_one_at_work_and_those_ahead() -> None:
    hours = _Hours(at_once=1)
    working, next_one, last = hours.join(3.0), hours.join(1.0), hours.join(2.0)
    assert hours.line.wait_of(next_one) == 3.0
    hours.now = 1.5
    assert hours.line.wait_of(next_one) == 1.5
    assert hours.line.wait_of(last) == 2.5
    hours.now = 60.0  # it takes longer than was thought
    assert hours.line.wait_of(last) == 1.0
    hours.leave(working)


def test_how_long_a_kind_takes_is_learned_by_its_median(hours: _Hours) -> None:
    for took in (9.0, 2.0, 2.0):  # the first traced, too
        place = hours.join(1.0, "attack")
        hours.now += took
        hours.leave(place)
    assert hours.join(3.0, "attack").seconds == 6.0
    assert hours.join(3.0, "other").seconds == 3.0


def test_who_gives_up_is_out_of_the_line_and_teaches_nothing(hours: _Hours) -> None:
    working = hours.join(LONGER)
    waits = hours.line.place("work", LONGER, 1.0)
    assert not hours.line.comes(waits.__enter__(), 0.0)
    assert not waits.__exit__(KeyError, KeyError(), None)
    follows = hours.join(LONGER)
    assert hours.line.ahead(follows) == 0
    assert follows.seconds == LONGER
    hours.leave(working)
    assert hours.turns(follows) == [True]


def test_who_waits_is_woken() -> None:
    line = Line(1)
    with line.place("work", SHORT, 1.0):
        woken = threading.Event()

        def wait() -> None:
            with line.place("work", SHORT, 1.0) as place:
                joined.set()
                if line.comes(place, 60.0):
                    woken.set()

        joined = threading.Event()
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert joined.wait(60)
        assert not woken.is_set()
    waiter.join(60)
    assert woken.is_set()
