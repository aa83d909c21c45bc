"""The one cache of what pages compute, with a budget in bytes: what was used least lately goes.

A result is kept under all that its function was given. Streamlit compares most arguments by value;
what it cannot read is told here, by the exact class.
"""

import functools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import numpy as np
import streamlit as st

F = TypeVar("F", bound=Callable[..., Any])

BUDGET = 64_000_000  # bytes of all results together: some 25 visitors with what they look at
NETWORK = 16_000_000  # of a network: weights, and what TensorFlow makes of it; measured
_NOTES = 1_000  # of a function's results that have gone, 300 bytes each


def _version(classifier: Any) -> str:
    return f"{classifier.version} {classifier.name}"


_TOLD = {
    "core.network.classifier.Classifier": _version,
    "core.defenses.defended.DefendedClassifier": _version,
    "ui.visitor.images.ChosenImage": lambda image: image.key,
    "core.training.runs.Run": lambda run: run.id,
}
_NETWORKS = list(_TOLD)[:2]


class Held:
    """A result and the bytes that it holds; `found` is empty when it had to make place."""

    def __init__(self, result: object) -> None:
        self.found = [result]
        self.weight = weight(result)


class Shelf:
    """Results of at most `budget` bytes, or the latest alone."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._all: OrderedDict[Held, None] = OrderedDict()
        self.weight = 0

    def keep(self, result: object) -> Held:
        """Put a result here, in place of those that were used least lately."""
        kept = Held(result)
        with self._lock:
            self._all[kept] = None
            self.weight += kept.weight
            while self.weight > self._budget and len(self._all) > 1:
                self._remove(next(iter(self._all)))
        return kept

    def has(self, kept: Held) -> bool:
        """Whether a result is still here; it is used."""
        with self._lock:
            if kept in self._all:
                self._all.move_to_end(kept)
            return kept in self._all

    def drop(self, kept: Held) -> None:
        """Let go of a result that nobody will ask for."""
        with self._lock:
            if kept in self._all:
                self._remove(kept)

    def _remove(self, kept: Held) -> None:
        del self._all[kept]
        self.weight -= kept.weight
        kept.found = []


_shelf = Shelf(BUDGET)


def cached(function: F) -> F:
    """Keep the results of a function in this process, as they are: never copied.

    Its arguments may hold classifiers, chosen images and runs.
    """

    @st.cache_resource(
        max_entries=_NOTES,
        show_spinner=False,
        hash_funcs=_TOLD,
        validate=_shelf.has,
        on_release=_shelf.drop,
    )
    @functools.wraps(function)
    def keep(*arguments: Any, **named: Any) -> Held:
        return _shelf.keep(function(*arguments, **named))

    @functools.wraps(function)
    def ask(*arguments: Any, **named: Any) -> Any:
        while True:
            if found := keep(*arguments, **named).found:  # else another thread needed the place
                return found[0]

    return cast(F, ask)


def weight(result: object) -> int:
    """The bytes that a result holds, each thing in it once."""
    if _kind(result) in _NETWORKS:
        return NETWORK
    return _weigh(result, set())


def _weigh(thing: object, seen: set[int]) -> int:
    """A network inside a result is kept elsewhere."""
    if isinstance(thing, np.ndarray):
        thing = _owner(thing)
    if id(thing) in seen or _kind(thing) in _TOLD:
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return thing.nbytes
    return sys.getsizeof(thing) + sum(_weigh(each, seen) for each in _parts(thing))


def _owner(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that a view holds on to. What nobody may write belongs to all, such as MNIST."""
    owner = array.base if array.flags.writeable else None
    return owner if isinstance(owner, np.ndarray) else array


def _parts(thing: object) -> list[Any]:
    if isinstance(thing, Mapping):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, list | tuple | set | frozenset):
        return list(thing)
    return list(getattr(thing, "__dict__", {}).values()) if not isinstance(thing, type) else []


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
