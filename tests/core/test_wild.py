"""Whatever they are given, catalogs, readers and statistics answer, or refuse in one sentence.

Hypothesis makes the arguments up, the same on every machine.
"""

import io
import json
import math
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from core.attacks.catalog import ATTACKS
from core.attacks.goals import Targeted, Untargeted
from core.data.pictures import decode
from core.data.reading.formats import read_contents
from core.data.spec import MNIST
from core.defenses.defended import DefendedClassifier, defense_of
from core.defenses.filters import KINDS, Filter
from core.inspection.catalog import METHODS
from core.network.model import deserialize_model
from core.statistics.averages import Mean, Median
from core.statistics.paired import Paired, binomial_test, holm, judged, paired
from core.statistics.rate import Rate
from core.statistics.roc import area, roc
from core.zoo import models as zoo
from tests.core.test_refusals import gray, network
from tests.photographs import saved

few = settings(
    max_examples=8, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
many = settings(few, max_examples=60)
QUICK = {  # of the attacks' settings
    "iterations": 1, "restarts": 1, "queries": 2, "population": 10, "generations": 1,
    "binary_search_steps": 1, "pixels": 2,
}  # fmt: skip

numbers = st.floats(allow_subnormal=True) | st.sampled_from(
    [-1, 0, 1, 10**9, 10**400, -(10**400), True, 1e308, np.float32(0.5), np.int64(1)]
)
shares = numbers.filter(lambda number: number is not True)
values = numbers | st.sampled_from(
    [None, "", "l2", "linf", "1", "logit", b"1", [], [1], {}, np.zeros(2), np.array(0.5), 1j]
) | st.text(max_size=5)  # fmt: skip
pictures = st.sampled_from([gray(1), gray(2), gray(0)]) | st.sampled_from([
    gray(1) + 1, gray(1) - 1, gray(1) * np.float32("nan"), gray(1)[..., 0], gray(1)[0],
    gray(1)[:, :27], gray(1).astype(np.float64), gray(1).repeat(3, -1), gray(1).tolist(), None,
    np.zeros((1, 28, 28, 1), np.uint8), np.zeros((0, 0, 0, 0), np.float32), "images", 3,
])  # fmt: skip
classes = st.sampled_from([
    np.array([3]), np.array([3, 4]), np.array([], int), np.array([10]), np.array([-1]),
    np.array([0.5]), np.array([[3]]), np.array([True]), np.array(["3"]), [3], 3, None,
])  # fmt: skip
scores = st_numpy.arrays(
    np.float64, st.integers(0, 8), elements=st.floats(-9, 9) | st.just(math.nan)
)


def answer(call: Callable[[], Any]) -> Any:
    """What it answers; None if it refuses, in one sentence."""
    try:
        return call()
    except ValueError as error:
        said = str(error)
    assert re.fullmatch(r"[^\n]{10,400}\.", said), repr(said)
    return None


@pytest.mark.parametrize("name", ATTACKS)
@few
@given(images=pictures, labels=classes, targeted=st.booleans(), data=st.data())
def test_attacks(name: str, images: Any, labels: Any, targeted: bool, data: st.DataObject) -> None:
    each = ATTACKS[name]
    defaults = each.defaults()
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(defaults)), values, max_size=2))
    quick = {key: value for key, value in QUICK.items() if key in defaults}
    result = answer(
        lambda: each(
            network(), images, (Targeted if targeted else Untargeted)(labels), quick | changed
        )
    )
    if result is not None:
        assert result.adversarial.shape == images.shape
        assert ((result.adversarial >= 0) & (result.adversarial <= 1)).all()


@pytest.mark.parametrize("name", METHODS)
@few
@given(images=pictures, labels=classes, data=st.data())
def test_attributions(name: str, images: Any, labels: Any, data: st.DataObject) -> None:
    method = METHODS[name]
    names = sorted(method.defaults())
    changed = data.draw(st.dictionaries(st.sampled_from(names), values)) if names else {}
    found = answer(lambda: method(network(), images, labels, changed))
    if found is not None:
        assert found.values.shape == images.shape[:3]
        assert np.isfinite(found.values).all()


@pytest.mark.parametrize("name", KINDS)
@few
@given(strength=values, images=pictures, seed=values)
def test_filters(name: str, strength: Any, images: Any, seed: Any) -> None:
    made = answer(lambda: Filter(name, strength)) or Filter(name, KINDS[name].default)
    filtered = answer(lambda: made(images, seed=seed))
    if filtered is not None:
        assert filtered.shape == images.shape
        assert ((filtered >= 0) & (filtered <= 1)).all()


@many
@given(
    st.text(max_size=12)
    | st.lists(st.tuples(st.sampled_from([*KINDS, "x"]), values), max_size=6).map(
        lambda parts: "+".join(f"{kind}-{strength}" for kind, strength in parts)
    )
)
def test_defenses_of_links(text: str) -> None:
    defense = answer(lambda: defense_of(text))
    if defense:
        answer(lambda: DefendedClassifier(network(), defense))


@many
@given(st.lists(st.booleans(), max_size=9), st.lists(st.booleans(), max_size=9), shares)
def test_pairs_and_rates(first: list[bool], second: list[bool], share: Any) -> None:
    pair = answer(lambda: paired(np.array(first, bool), np.array(second, bool)))
    assert (pair is None) == (len(first) != len(second))
    if pair is not None:
        low, high = pair.interval
        assert -1 <= low <= high <= 1
        assert 0 <= pair.p_value <= 1
        around = Paired(pair.both, pair.only_second, pair.only_first, pair.neither)
        assert around.p_value == pair.p_value
        assert around.interval == pytest.approx((-high, -low))
        assert judged({0: pair})[0].turned.winner == -judged({0: pair})[0].winner
        rate = pair.first
        low, high = rate.interval
        assert low - 1e-9 <= (rate.value if first else 0.5) <= high + 1e-9
        against = answer(lambda: binomial_test(rate, share))
        assert against is None or 0 <= against <= 1
        assert (against is None) == (not 0 <= share <= 1)


@many
@given(values, values)
def test_a_rate_is_of_two_counts(successes: Any, total: Any) -> None:
    rate = answer(lambda: Rate(successes, total))
    assert rate is None or 0 <= rate.successes <= rate.total


@many
@given(st.lists(st.floats(0, 1), max_size=6), st.none() | shares)
def test_a_family_of_p_values(given_values: list[float], other: Any) -> None:
    family = given_values if other is None else [*given_values, other]
    corrected = answer(lambda: holm(family))
    bad = other is not None and not 0 <= other <= 1
    assert (corrected is None) == bad
    if corrected:
        assert all(before <= after <= 1 for before, after in zip(family, corrected, strict=True))
        assert min(corrected) == min(1, len(family) * min(family))


@many
@given(scores, scores)
def test_averages_and_areas(first: np.ndarray, second: np.ndarray) -> None:
    missing = bool(np.isnan(first).any() or np.isnan(second).any())
    found = answer(lambda: area(first, second))
    assert (found is None) == missing
    if found is None:
        return
    if len(first) and len(second):
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert area(second, first).value == pytest.approx(1 - found.value)
        false, right = roc(first, second)
        assert (np.diff(false) >= 0).all()
        assert (false[0], right[0], false[-1], right[-1]) == (0, 0, 1, 1)
    for average in (Mean.of(first), Median.of(first)):
        assert average.count == len(first)
        assert not len(first) or average.low <= average.value <= average.high


def _files() -> dict[str, bytes]:
    """A valid file of each format that strangers send."""
    digits, both = np.stack([np.eye(28, dtype=np.uint8) * 255] * 2), io.BytesIO()
    np.savez(both, images=digits, labels=np.array([0, 1]))
    one, folders = io.BytesIO(), io.BytesIO()
    np.save(one, digits)
    with zipfile.ZipFile(folders, "w") as file:
        for label in "ab":
            file.writestr(f"{label}/0.png", saved(digits[0]))
    return {
        "PNG": saved(digits[0]),
        "JPEG": saved(digits[0], "JPEG"),
        "NPZ": both.getvalue(),
        "NPY": one.getvalue(),
        "IDX": bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + digits.tobytes(),
        "CSV": (
            "label," + ",".join(f"p{n}" for n in range(784)) + "\n" + "1," * 784 + "1\n"
        ).encode(),
        "JSON": json.dumps({"ones": digits.reshape(2, 784).tolist()}).encode(),
        "ZIP": folders.getvalue(),
        "safetensors": zoo.path_of("model-1").read_bytes(),
    }


FILES = _files()


@pytest.mark.parametrize("kind", FILES)
@many
@given(data=st.data(), cut=st.booleans(), junk=st.binary(max_size=9))
def test_damaged_files(kind: str, data: st.DataObject, cut: bool, junk: bytes) -> None:
    whole = FILES[kind]
    at = data.draw(st.integers(0, min(len(whole), 400)))
    damaged = whole[:at] + junk + (b"" if cut else whole[at + len(junk) :])
    for reader in (decode, read_contents, deserialize_model):
        answer(lambda reader=reader: reader(damaged))  # type: ignore[misc]


def test_the_files_are_whole() -> None:
    for kind, data in FILES.items():
        reader = {"PNG": decode, "JPEG": decode, "safetensors": deserialize_model}.get(
            kind, read_contents
        )
        assert reader(data) is not None  # type: ignore[operator]
    assert MNIST.side == gray(1).shape[1]
