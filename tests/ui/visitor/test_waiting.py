"""What is said to somebody who waits in the line."""

from ui.visitor import waiting


def test_the_place_and_the_wait_are_said() -> None:
    with (
        waiting._line.place("first", 1000.0, 1.0),
        waiting._line.place("second", 600.0, 1.0) as second,
        waiting._line.place("third", 700.0, 1.0) as third,
    ):
        said = [waiting._sentence("The noise", each) for each in (second, third)]
    assert said == [
        "The noise is next: about 17 min.",
        "The noise waits, number 2 in the line: about 27 min.",
    ]


def test_whoever_has_nobody_before_them_goes_on_at_once() -> None:
    with waiting.in_line("The noise", 10.0, 1.0):
        assert len(waiting._line._working) == 1
    assert not waiting._line._working
