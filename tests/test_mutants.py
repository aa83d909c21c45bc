"""The faults that are put into core on purpose: one each, of the kinds that count."""

import ast

import pytest

from benchmarks.mutants import mutants
from benchmarks.mutation import sample
from tests.test_house import ROOT


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("x = a + b", ["x = (a - b)"]),
        ("x = (a * b) @ c", ["x = ((a / b)) @ c"]),
        ("x = é - 1", ["x = (é + 1)", "x = é - 2"]),
        ("x = 0.5", ["x = 1.0"]),
        ("x = f(keep=True)", ["x = f(keep=False)"]),
        ("if not a < b: f()", ["if (a < b): f()", "if not (a <= b): f()", "if not a < b: pass"]),
        ("x = a if b else -c", ["x = (-c if b else a)", "x = a if b else (c)"]),
        (
            "def f(x: int = 3) -> T[1]:\n    'a' + 'b'",
            ["def f(x: int = 4) -> T[1]:\n    'a' + 'b'"],
        ),
        ("raise ValueError(f'{a + 1}')", ["pass"]),
        ("x = f'{a + 1}' + 'text'", []),
    ],
)
def test_one_thing_is_changed_and_no_text(source: str, after: list[str]) -> None:
    assert sorted(mutant.of(source) for mutant in mutants(source)) == sorted(after)


def test_a_sample_is_the_same_again_and_every_fault_is_python() -> None:
    faults = sample(ROOT)
    assert faults == sample(ROOT)
    assert len(set(faults)) == 300
    for name, mutant in faults:
        source = (ROOT / name).read_text()
        assert source[mutant.start : mutant.end] == mutant.before
        assert ast.dump(ast.parse(mutant.of(source))) != ast.dump(ast.parse(source))
