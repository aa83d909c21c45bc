"""Small faults on purpose: one operator, number or condition changed, or one statement left out.

Texts, annotations, decorators and what an error says are left alone.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_UNSPOKEN = ("returns", "annotation", "decorator_list", "type_params")


class Mutant(NamedTuple):
    """A piece of a file, from `start` to `end` in its characters, and what stands there instead."""

    start: int
    end: int
    before: str
    after: str

    def of(self, source: str) -> str:
        """The file with the fault."""
        return source[: self.start] + self.after + source[self.end :]


def mutants(source: str) -> list[Mutant]:
    """All of a file's, in the order of its text."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def at(line: int, column: int) -> int:
        text = source[starts[line - 1] : starts[line]]
        return starts[line - 1] + len(text.encode()[:column].decode())

    found = []
    for node, after in _changes(ast.parse(source)):
        start, end = at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)
        found.append(Mutant(start, end, source[start:end], after))
    return sorted(set(found))


def _changes(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What can be changed below `tree`: an expression or statement, and the new text."""
    for field, value in ast.iter_fields(tree):
        if field in _UNSPOKEN:
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST):
                continue
            yield from ((node, after) for after in _changed(node))
            if not isinstance(node, ast.Raise | ast.JoinedStr):
                yield from _changes(node)


def _changed(node: ast.AST) -> Iterator[str]:
    """The texts that can stand in place of one node."""
    match node:
        case ast.BinOp(left, operator, right) if type(operator) in _SWAPPED:
            if not _is_text(left) and not _is_text(right):
                yield f"({ast.unparse(ast.BinOp(left, _SWAPPED[type(operator)](), right))})"
        case ast.BoolOp(operator, values):
            yield f"({ast.unparse(ast.BoolOp(_SWAPPED[type(operator)](), values))})"
        case ast.Compare(left, [operator], right) if type(operator) in _SWAPPED:
            yield f"({ast.unparse(ast.Compare(left, [_SWAPPED[type(operator)]()], right))})"
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield f"({ast.unparse(operand)})"
        case ast.IfExp(test, body, orelse):
            yield f"({ast.unparse(ast.IfExp(test, orelse, body))})"
        case ast.Constant(bool(value)):
            yield str(not value)
        case ast.Constant(int(value)):
            yield str(value + 1)
        case ast.Constant(float(value)):
            yield str(2 * value if value else 1.0)
        case ast.Expr(ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Break() | ast.Continue():
            yield "pass"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
