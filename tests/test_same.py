"""How results of two trees are compared, and that this tree has all that they are made of."""

import numpy as np

from benchmarks.results.tree import _PLACES, here
from benchmarks.same import difference_of, digest

RESULT = {"a": np.arange(3, dtype=np.float32), "b": np.array("text")}


def test_a_digest_follows_from_name_type_shape_and_bytes() -> None:
    others = (
        {"c": RESULT["a"], "b": RESULT["b"]},
        RESULT | {"a": RESULT["a"].view(np.int32)},
        RESULT | {"a": RESULT["a"][None]},
        RESULT | {"a": np.nextafter(RESULT["a"], np.float32(1))},
        RESULT | {"b": np.array("texts")},
        {"a": RESULT["a"]},
    )
    assert len({digest(each) for each in (RESULT, *others)}) == 1 + len(others)
    for each in others:
        assert difference_of(RESULT, each)
    assert difference_of(RESULT, dict(reversed(RESULT.items()))) == ""


def test_the_largest_difference_is_named() -> None:
    now = RESULT | {"a": np.array([0, 1.25, np.nan], np.float32)}
    then = RESULT | {"a": np.array([0, 1, np.nan], np.float32)}
    assert difference_of(then, now) == "1 of 2 parts, by 0.25 at most, in a"


def test_what_fails_says_why() -> None:
    failed = {"no result": np.array("ValueError: so it is.")}
    assert difference_of(RESULT, failed) == "no result now: ValueError: so it is."
    assert difference_of(failed, failed).startswith("no result before")


def test_this_tree_has_everything_that_results_are_made_of() -> None:
    for names in _PLACES:
        for name in names.split():
            assert getattr(here, name) is not None
