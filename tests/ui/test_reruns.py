"""The same page again and again; `python -m benchmarks reruns` does it 200 times on every page."""

from benchmarks.reruns import reruns

TIMES = 10
A_RUN = 100  # objects, as others may be at work in this process; a run makes thousands


def test_a_page_leaves_nothing_behind() -> None:
    before, after = reruns("layers", TIMES)
    assert after.graphs == before.graphs
    assert after.objects - before.objects < TIMES * A_RUN
