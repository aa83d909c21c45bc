"""One budget in bytes for everything that pages compute."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from core.arrays import FloatArray
from core.data.dataset import Dataset
from core.network.classifier import Classifier
from ui.visitor import cache
from ui.visitor.cache import NETWORK, Shelf, cached, weight

_KILOBYTE = 250  # numbers


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Room for three arrays of a kilobyte, in place of that of the process."""
    shelf = Shelf(3 * weight(_array(0)))
    monkeypatch.setattr(cache, "_shelf", shelf)
    return shelf


def _array(number: float) -> FloatArray:
    return np.full(_KILOBYTE, number, np.float32)


def test_what_was_used_least_lately_makes_place(shelf: Shelf) -> None:
    asked = []

    @cached
    def computed(number: int) -> FloatArray:
        asked.append(number)
        return _array(number)

    @cached
    def other(number: int) -> FloatArray:
        return _array(-number)

    first = computed(1)
    computed(2)
    assert computed(1) is first  # never copied, and used now
    computed(3)
    other(1)  # a fourth, in the place of 2
    assert computed(1) is first
    assert (computed(2) == 2).all()
    assert asked == [1, 2, 3, 2]
    assert shelf.weight == 3 * weight(first)


def test_a_result_above_the_budget_is_given_and_takes_all_places(shelf: Shelf) -> None:
    @cached
    def computed(number: int) -> FloatArray:
        return np.ones(number, np.float32)

    small = computed(10)
    assert len(computed(100_000)) == 100_000
    assert shelf.weight == 400_000
    assert computed(10) is not small
    assert shelf.weight == 40


def test_results_are_right_whoever_needs_the_place(shelf: Shelf) -> None:
    @cached
    def computed(number: int) -> FloatArray:
        return _array(number)

    def ask(number: int) -> bool:
        return bool((computed(number % 7) == number % 7).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(2_000)))
    assert shelf.weight <= 3 * weight(_array(0))


def test_what_streamlit_forgets_weighs_nothing(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_NOTES", 2)

    @cached
    def computed(number: int) -> FloatArray:
        return _array(number)

    for number in range(3):
        computed(number)
    assert shelf.weight == 2 * weight(_array(0))


@dataclass
class _Result:
    images: FloatArray
    first: FloatArray
    names: list[str]


def test_a_result_weighs_what_it_holds(model_1: Classifier, mnist: Dataset) -> None:
    whole = np.zeros((100, 28, 28, 1), np.float32)
    result = _Result(whole, whole[:1], ["a name"])  # a view holds on to the whole
    assert weight(whole[:1]) == weight(whole) == whole.nbytes
    assert whole.nbytes < weight(result) < whole.nbytes + 1_000
    assert weight(mnist.test.labels[:100]) == 100  # everybody's
    assert weight(model_1) == NETWORK
    assert weight([model_1]) < 100  # kept elsewhere
