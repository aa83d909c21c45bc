import math

import numpy as np
import pytest

from core.statistics.rate import Rate


def test_interval_is_wilsons() -> None:
    """Values of Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    assert Rate(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert Rate(15, 148).interval == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert Rate(0, 20).interval == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert Rate(1, 29).interval == pytest.approx((0.0061, 0.1718), abs=1e-4)


def test_edges() -> None:
    assert Rate(10, 10).interval[1] == pytest.approx(1.0)
    assert math.isnan(Rate(0, 0).value)
    assert Rate(0, 0).interval == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a proportion"):
        Rate(3, 2)


@pytest.mark.parametrize(("successes", "total"), [(1.5, 3), (1, 3.0), (True, 3), (1, np.nan)])
def test_counts_are_whole(successes: float, total: float) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        Rate(successes, total)  # type: ignore[arg-type]


def test_a_rate_of_what_is_true() -> None:
    assert Rate.of(np.arange(5) < 2) == Rate(2, 5)
    assert Rate.of(np.zeros(0, bool)) == Rate(0, 0)
