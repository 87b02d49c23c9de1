"""The kinds of generic mutation: for a node of a file's tree, the segments that could stand otherwise, and how."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from scenarios.mutants.mutant import Mutant
from scenarios.mutants.spared import spared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scenarios.mutants.source import Source

# A place in the text, where it ends, and what stands there instead.
Change = tuple[int, int, str]

OPERATORS: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
}
LEAVING = ast.Raise | ast.Return | ast.Continue | ast.Break
COMMUTATIVE = frozenset({"max", "min", "gather"})


def comparison(source: Source, node: ast.AST) -> Iterator[Change]:
    """An operator by its neighbour or its opposite; a negation taken away."""
    if isinstance(node, ast.Compare):
        start, end = source.segment(node)
        operands = [node.left, *node.comparators]
        for operator, (left, right) in zip(node.ops, pairwise(operands), strict=True):
            written, other = OPERATORS[type(operator)]
            after_left, before_right = source.segment(left)[1], source.segment(right)[0]
            between = source.text[after_left:before_right]
            if "#" not in between:
                mended = re.sub(written, other, between, count=1)
                yield start, end, source.text[start:after_left] + mended + source.text[before_right:end]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start, end = source.segment(node)
        yield start, end, source.text[start:end].removeprefix("not").lstrip()


def constant(source: Source, node: ast.AST) -> Iterator[Change]:
    """A number by the next or its double, a truth by its opposite, a word by another."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        other = repr(not value)
    elif isinstance(value, int):
        other = repr(value + 1)
    elif isinstance(value, float):
        other = repr(value * 2 or 1.0)
    elif isinstance(value, str):
        other = repr(value + "_")
    elif isinstance(value, bytes):
        other = repr(value + b"_")
    else:
        return
    yield *source.segment(node), other


def removed_statement(source: Source, node: ast.AST) -> Iterator[Change]:
    """A statement that is there for its effect: a call, a yielded one, a change of a member or of an amount."""
    effect = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom)
    kept = isinstance(node, ast.Assign) and all(isinstance(at, ast.Attribute | ast.Subscript) for at in node.targets)
    if effect or kept or isinstance(node, ast.AugAssign | ast.Delete):
        assert isinstance(node, ast.stmt)
        yield *source.segment(node), "pass"


def swapped_argument(source: Source, node: ast.AST) -> Iterator[Change]:
    """Two neighbouring positional arguments, each in the other's place."""
    if not isinstance(node, ast.Call) or getattr(node.func, "id", getattr(node.func, "attr", "")) in COMMUTATIVE:
        return
    for first, second in pairwise(node.args):
        if isinstance(first, ast.Starred) or isinstance(second, ast.Starred):
            continue
        (start, first_end), (second_start, end) = source.segment(first), source.segment(second)
        before, after = source.own_text(first), source.own_text(second)
        if before != after:
            yield start, end, after + source.text[first_end:second_start] + before


def removed_await(source: Source, node: ast.AST) -> Iterator[Change]:
    """What was awaited stands there and is not."""
    if isinstance(node, ast.Await):
        start, end = source.segment(node)
        yield start, end, source.text[start:end].removeprefix("await").lstrip()


def removed_guard(source: Source, node: ast.AST) -> Iterator[Change]:
    """A condition that leaves early is never so; a part of a condition does not count."""
    if isinstance(node, ast.If) and not node.orelse and isinstance(node.body[-1], LEAVING):
        yield *source.segment(node.test), "False"
    elif isinstance(node, ast.BoolOp):
        neutral = "True" if isinstance(node.op, ast.And) else "False"
        for operand in node.values:
            yield *source.segment(operand), neutral


KINDS: Mapping[str, Callable[[Source, ast.AST], Iterator[Change]]] = {
    "comparison": comparison,
    "constant": constant,
    "statement": removed_statement,
    "argument": swapped_argument,
    "await": removed_await,
    "guard": removed_guard,
}


def mutants(source: Source) -> list[Mutant]:
    """What the kinds make of a file, in the order of its text; not each of them is `sound`."""
    left = spared(source.tree)
    found: dict[tuple[int, int, str], Mutant] = {}
    for node in ast.walk(source.tree):
        if node in left or (isinstance(node, ast.Expr) and node.value in left):
            continue
        for kind, changes in KINDS.items():
            for start, end, after in changes(source, node):
                made = Mutant(source.path, source.line_at(start), kind, start, end, source.text[start:end], after)
                found.setdefault((start, end, after), made)
    return sorted(found.values(), key=lambda mutant: (mutant.start, mutant.end, mutant.after))


def sound(mutant: Mutant, source: Source) -> bool:
    """Whether the mutated file parses, and to another tree than the file's."""
    try:
        return ast.dump(ast.parse(mutant.applied(source.text))) != ast.dump(source.tree)
    except SyntaxError:
        return False
