"""Who collects what has died, now that nobody does after every run."""

import gc
import weakref

import pytest
from streamlit import config

from core import backend
from core.backend import settle
from ui.visitor import garbage


class _Round:
    """Something that only a collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_streamlit_leaves_it_to_python() -> None:
    assert config.get_option("runner.postScriptGC") is False


def test_what_was_settled_and_died_is_found_within_a_minute_of_work() -> None:
    old = _Round()
    settle()
    gone = weakref.ref(old)
    del old
    gc.collect()
    assert gone() is not None, "a collection went through all that TensorFlow has"
    seen = garbage._collections()
    gc.collect(1)  # as happens while pages run
    assert garbage._settle_if_more_than(seen) > seen
    assert gone() is None


def test_nothing_is_looked_at_where_nobody_does_anything() -> None:
    old = _Round()
    settle()
    gone = weakref.ref(old)
    del old
    garbage._settle_if_more_than(10**9)
    assert gone() is not None


def test_a_forked_process_leaves_alone_what_it_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    old = _Round()
    settle()
    gone = weakref.ref(old)
    del old
    monkeypatch.setattr(backend, "_loaded_by", 0)
    settle()
    assert gone() is not None
    monkeypatch.undo()
    settle()
    assert gone() is None
