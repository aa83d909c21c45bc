"""Errors as a reader gets them: whose own words are shown, and what is said instead of others'."""

import traceback
from typing import Any

_FOREIGN = {"tensorflow", "keras"}  # whose errors are written for programmers


class WorkerLost(ValueError):
    """The process that worked is gone; the message is one sentence for the reader."""


class NoMemory(ValueError):
    """What a worker had to do did not fit into memory; the message is one sentence."""

    def __init__(self, *_: object) -> None:
        super().__init__(
            "There is not enough memory for it: ask for less at once, or try it again later."
        )


class Unexpected(Exception):
    """Of an error whose words are not for readers: that there was one of a kind, in a sentence.

    trace: where it was raised, for the log, if that was in another process.
    """

    def __init__(self, kind: str, trace: str = "") -> None:
        super().__init__(f"It ended with an unexpected error ({kind}).")
        self.kind, self.trace = kind, trace

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kind, self.trace)


def is_foreign(error: BaseException) -> bool:
    """Whether TensorFlow or Keras raised it, whose words are not for visitors."""
    frames = traceback.walk_tb(error.__traceback__)
    modules = {frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in frames}
    return bool(modules & _FOREIGN)
