"""What no client could see is not mutated; what stands beside it is."""

from __future__ import annotations

import ast

import pytest

from scenarios.mutants.kinds import mutants
from scenarios.mutants.source import Source
from scenarios.mutants.spared import RULES, spared


@pytest.mark.parametrize(
    "text",
    [
        '"""word"""',
        'class A:\n    b: int\n    """word"""',
        'raise E("this is wrong")',
        'raise E(f"{a}_b")',
        "if TYPE_CHECKING:\n    a = 1",
        'a: "B | None"',
        'def f(a: "A") -> "B": ...',
        'T = TypeVar("T", bound=a)',
        '__slots__ = ("a", "b")',
        "@dataclass(frozen=True, slots=True)\nclass A: ...",
        "assert a < 1",
        '_log.warning("lost", 1)',
        'a = Procedure(summary="word", promises={"age_s": 1})',
        '_OWN = {"age_s": 1}\na = Procedure(promises=_OWN)',
    ],
)
def test_what_is_spared(text: str) -> None:
    """Texts for readers, types, layout, asserts, the log and the document's words make no mutant."""
    assert mutants(Source("a.py", text)) == []


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a: Annotated[int, Meta(ge=1)] | None", ["1"]),
        ('raise E("CODE", "this is wrong")', ['"CODE"', '"CODE", "this is wrong"']),
        ("@dataclass(order=True, frozen=True)\nclass A: ...", ["True"]),
        ('_OWN = {"age_s": 1}\na = Procedure(promises=_OWN)\nb = f(_OWN)', ['"age_s"', "1"]),
        ("def f():\n    return Product(description=1)", ["1"]),
    ],
)
def test_what_is_not(text: str, changed: list[str]) -> None:
    """A bound in a type, a code beside a message, a value that is used elsewhere too and a handler's are mutated."""
    assert sorted(mutant.before for mutant in mutants(Source("a.py", text))) == sorted(changed)


def test_what_is_spared_is_so_with_all_below() -> None:
    """No node below a spared one is open."""
    tree = ast.parse('def f(a: "A"):\n    """word"""\n    assert a < 1, "b"\n')
    left = spared(tree)
    assert all(child in left for node in left for child in ast.walk(node))


def test_every_rule_says_why() -> None:
    """Each rule has a name of its own and a reason."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(len(rule.reason.split()) > 3 for rule in RULES)
