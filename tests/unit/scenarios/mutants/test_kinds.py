"""Each kind of mutation changes one segment of a text, to what its name says, and to a text that parses."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.mutants.kinds import KINDS, mutants, sound
from scenarios.mutants.scope import sources
from scenarios.mutants.source import Source

if TYPE_CHECKING:
    from scenarios.mutants.mutant import Mutant

ROOT = Path(__file__).parents[4]
FILES = {source.path: source for source in sources(ROOT)}
ALL = [mutant for source in FILES.values() for mutant in mutants(source)]


def made(text: str, kind: str) -> list[str]:
    """The texts that one kind makes of a text, in its order."""
    source = Source("a.py", text)
    return [mutant.applied(text) for mutant in mutants(source) if mutant.kind == kind and sound(mutant, source)]


def test_the_same_twice_is_not_swapped() -> None:
    """Two arguments of one text are left; their neighbours of another are not."""
    assert made("f(now, now)\n", "argument") == []
    assert made("f(now, now, then)\n", "argument") == ["f(now, then, now)\n"]


@given(st.sampled_from(ALL))
def test_one_segment_is_another(mutant: Mutant) -> None:
    """What stands before and behind the segment is as it was, and the segment itself is not."""
    text = FILES[mutant.path].text
    after = mutant.applied(text)
    assert text[mutant.start : mutant.end] == mutant.before != mutant.after
    assert after[: mutant.start] == text[: mutant.start]
    assert after[mutant.start + len(mutant.after) :] == text[mutant.end :]
    assert mutant.line == text[: mutant.start].count("\n") + 1


@given(st.sampled_from(ALL))
def test_what_is_sound_parses_to_another_tree(mutant: Mutant) -> None:
    """A mutant counts as sound just where its text parses, and says something else."""
    source = FILES[mutant.path]
    try:
        other = ast.dump(ast.parse(mutant.applied(source.text))) != ast.dump(source.tree)
    except SyntaxError:
        other = False
    assert sound(mutant, source) == other


@given(st.sampled_from(ALL))
def test_a_diff_shows_the_lines_of_the_segment_only(mutant: Mutant) -> None:
    """The lines taken out are not more than the segment lies on."""
    diff = mutant.diff(FILES[mutant.path].text).splitlines()[2:]
    assert 1 <= sum(line.startswith("-") for line in diff) <= mutant.before.count("\n") + 1


@given(st.text(max_size=20), st.text(max_size=20))
def test_places_count_characters(first: str, second: str) -> None:
    """A segment is found behind text of any characters, which the parser counts in bytes."""
    text = f"a = {first!r}; b = {second!r} < c\n"
    assert made(text, "comparison") == [f"a = {first!r}; b = {second!r} <= c\n"]


def test_every_kind_is_found_in_the_reference_api() -> None:
    """There is something of each kind to mutate, and nothing else."""
    assert {mutant.kind for mutant in ALL} == set(KINDS)
    assert len(ALL) > 1000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a < b", ["a <= b"]),
        ("a <= b", ["a < b"]),
        ("a > b", ["a >= b"]),
        ("a >= b", ["a > b"]),
        ("a == b", ["a != b"]),
        ("a != b", ["a == b"]),
        ("(a) in (b)", ["(a) not in (b)"]),
        ("a not in b", ["a in b"]),
        ("a is None", ["a is not None"]),
        ("a is not None", ["a is None"]),
        ("a <= b < c", ["a < b < c", "a <= b <= c"]),
        ("not a", ["a"]),
        ("not (a or b)", ["(a or b)"]),
    ],
)
def test_a_comparison(before: str, after: list[str]) -> None:
    """Each operator becomes its neighbour or its opposite, one at a time; a negation goes."""
    assert made(before, "comparison") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a = 0", "a = 1"),
        ("a = -1", "a = -2"),
        ("a = 0.5", "a = 1.0"),
        ("a = 0.0", "a = 1.0"),
        ("a = True", "a = False"),
        ("a = 'placed'", "a = 'placed_'"),
        ("a = b'etag'", "a = b'etag_'"),
    ],
)
def test_a_constant(before: str, after: str) -> None:
    """A number becomes another, a truth its opposite, a word another word."""
    assert made(before, "constant") == [after]


@pytest.mark.parametrize("before", ["a = None", "a = ...", "a = 'words for people'"])
def test_no_constant(before: str) -> None:
    """What is no number, truth or word is left."""
    assert made(before, "constant") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", ["pass"]),
        ("a.b = c", ["pass"]),
        ("a[b] = c", ["pass"]),
        ("a += b", ["pass"]),
        ("del a[b]", ["pass"]),
        ("def f():\n    yield a\n    return b", ["def f():\n    pass\n    return b"]),
        ("a = b", []),
        ("return_ = f()", []),
    ],
)
def test_a_removed_statement(before: str, after: list[str]) -> None:
    """A statement that is there for its effect goes; one that names a value stays, as what follows needs it."""
    assert made(before, "statement") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a, b)", ["f(b, a)"]),
        ("f(a, (b), c)", ["f(b, (a), c)", "f(a, (c), b)"]),
        ("f(a, a)", []),
        ("f(a, *b)", []),
        ("f(a, b=c)", []),
        ("max(a, b)", []),
    ],
)
def test_swapped_arguments(before: str, after: list[str]) -> None:
    """Two neighbours change places where that says something else."""
    assert made(before, "argument") == after


def test_a_removed_await() -> None:
    """What was awaited stands there and is not."""
    assert made("async def f():\n    return (await g(a)).b", "await") == ["async def f():\n    return (g(a)).b"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if a:\n    raise b", ["if False:\n    raise b"]),
        ("for a in b:\n    if a: continue", ["for a in b:\n    if False: continue"]),
        ("if a:\n    b()", []),
        ("if a:\n    raise b\nelse:\n    c()", []),
        ("a and b", ["True and b", "a and True"]),
        ("a or (b)", ["False or b".replace("b", "(b)"), "a or (False)"]),
    ],
)
def test_a_removed_guard(before: str, after: list[str]) -> None:
    """A condition that leaves early is never so, and a part of a condition does not count."""
    assert made(before, "guard") == after
