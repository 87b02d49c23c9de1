"""What is not mutated, each class with its reason: a change of it could not be seen by any client."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N = TypeVar("N", bound=ast.AST)
# Keywords whose value stands in the published document, or in none: what a handler does is not decided by them.
DOCUMENT = frozenset(
    {
        *("summary", "description", "title", "examples", "shows", "help"),
        *("promises", "links", "errors", "response_headers", "extra_json_schema"),
    }
)
# Keywords of a class or its decorator that say how an object lies in memory or is written in code.
LAYOUT = frozenset({"frozen", "slots", "kw_only", "gc", "repr", "weakref"})
NAMES = frozenset({"__all__", "__slots__"})
TYPES = frozenset({"cast", "TypeVar", "ParamSpec", "NewType"})
LOGS = frozenset({"_log", "_logger", "logger", "logging", "warnings"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A class of code that is left as it is: `roots` gives the tops of what it spares in a tree."""

    name: str
    reason: str
    roots: Callable[[ast.Module], Iterator[ast.AST]]


def spared(tree: ast.Module) -> frozenset[ast.AST]:
    """Every node that a rule spares, with all below it."""
    tops = [top for rule in RULES for top in rule.roots(tree)]
    below = {node for top in tops for node in ast.walk(top)}
    return frozenset(below | {node for top in _only_for(tree, below) for node in ast.walk(top)})


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    """A text that stands by itself: a docstring, also of a member."""
    yield from (node for node in _of(tree, ast.Expr) if isinstance(node.value, ast.Constant))


def _messages(tree: ast.Module) -> Iterator[ast.AST]:
    yield from _of(tree, ast.JoinedStr)
    for node in _of(tree, ast.Constant):
        if isinstance(node.value, str | bytes) and len(node.value.split()) > 1:
            yield node


def _types(tree: ast.Module) -> Iterator[ast.AST]:
    yield from (node for node in _of(tree, ast.If) if "TYPE_CHECKING" in ast.dump(node.test))
    yield from (node for node in _of(tree, ast.Call) if _called(node) in TYPES)
    annotated = [node.annotation for node in _of(tree, ast.AnnAssign)]
    annotated += [node.annotation for node in _of(tree, ast.arg) if node.annotation is not None]
    for annotation in annotated:
        yield from _unbounded(annotation)
    yield from (node.returns for node in _of(tree, ast.FunctionDef) if node.returns is not None)
    yield from (node.returns for node in _of(tree, ast.AsyncFunctionDef) if node.returns is not None)


def _unbounded(annotation: ast.expr) -> Iterator[ast.AST]:
    """An annotation but for the calls in it: `Annotated[int, Meta(ge=1)]` is a type, and a bound that is checked."""
    below: list[ast.AST] = [annotation]
    while below:
        node = below.pop()
        if not isinstance(node, ast.Call):
            if isinstance(node, ast.Constant):
                yield node
            else:
                below += ast.iter_child_nodes(node)


def _layout(tree: ast.Module) -> Iterator[ast.AST]:
    yield from (node for node in _of(tree, ast.keyword) if node.arg in LAYOUT)
    for node in _of(tree, ast.Assign):
        if any(isinstance(at, ast.Name) and at.id in NAMES for at in node.targets):
            yield node


def _asserts(tree: ast.Module) -> Iterator[ast.AST]:
    yield from _of(tree, ast.Assert)


def _logs(tree: ast.Module) -> Iterator[ast.AST]:
    for node in _of(tree, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(owner, ast.Name) and owner.id in LOGS:
            yield node


def _document(tree: ast.Module) -> Iterator[ast.AST]:
    """Outside functions, where things are declared; inside one, such a word is a value like others."""
    below: list[ast.AST] = [tree]
    while below:
        node = below.pop()
        if isinstance(node, ast.keyword) and node.arg in DOCUMENT:
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            below += ast.iter_child_nodes(node)


def _only_for(tree: ast.Module, below: set[ast.AST]) -> Iterator[ast.AST]:
    """A module's private values that are used nowhere but in what is spared already."""
    names = [node for node in _of(tree, ast.Name) if isinstance(node.ctx, ast.Load)]
    used = {node.id for node in names}
    needed = {node.id for node in names if node not in below}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.startswith("_") and name in used - needed:
                yield node


def _of(tree: ast.Module, kind: type[N]) -> Iterator[N]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


RULES = (
    Rule("docstrings", "a text that stands by itself is for readers", _docstrings),
    Rule(
        "texts of several words",
        "messages, whose words no contract fixes, and SQL, whose loss no run could miss; an f-string is one of these",
        _messages,
    ),
    Rule("types", "annotations, TYPE_CHECKING and cast do nothing when the code runs; a bound in them does", _types),
    Rule("layout", "__slots__, __all__, frozen and the like say how an object lies in memory", _layout),
    Rule("asserts", "they narrow a type, and fail only where the code is wrong already", _asserts),
    Rule("logging", "what is told to the log is not told to a client", _logs),
    Rule(
        "the document's words", "summary, examples, promises: published, and the run has the clean document", _document
    ),
)
