"""JSON Pointer: what is put somewhere is found there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import pointer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~*0", max_size=3), inner, max_size=3),
    max_leaves=8,
)
# RFC 6901, section 5.
RFC = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("", RFC), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3),
        ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8), ("/none", pointer.MISSING),
        ("/foo/2", pointer.MISSING), ("/foo/-", pointer.MISSING), ("/foo/0/x", pointer.MISSING),
    ],
)  # fmt: skip
def test_the_examples_of_the_rfc(place: str, expected: Any) -> None:
    """Every example of RFC 6901, and places that are not there."""
    assert pointer.get(RFC, place) == expected


@given(st.lists(st.text()))
def test_tokens_are_escaped_and_back(tokens: list[str]) -> None:
    """Any text can be a member's name."""
    assert pointer.tokens("".join(f"/{pointer.escape(token)}" for token in tokens)) == tokens


@given(JSON)
def test_every_leaf_is_where_it_is_said_to_be(value: Any) -> None:
    """Each leaf's pointer leads to the leaf."""
    for place, leaf in pointer.leaves(value):
        assert pointer.get(value, place) is leaf


@given(JSON, st.data())
def test_what_is_put_is_found_and_the_rest_is_kept(value: Any, data: st.DataObject) -> None:
    """A leaf can be replaced; every other leaf stays, and the value that was given is not changed."""
    leaves = list(pointer.leaves(value))
    if not leaves:
        return
    place, _ = data.draw(st.sampled_from(leaves))
    before = repr(value)
    changed = pointer.put(value, place, "new")
    assert pointer.get(changed, place) == "new"
    assert [(at, leaf) for at, leaf in pointer.leaves(changed) if at != place] == [
        (at, leaf) for at, leaf in leaves if at != place
    ]
    assert repr(value) == before


def test_a_star_meets_every_member() -> None:
    """`*` is any index or name, in document order."""
    value = {"items": [{"n": 1}, {"n": 2}, {}], "more": {"a": {"n": 3}}}
    assert pointer.find(value, "/items/*/n") == [1, 2]
    assert list(pointer.walk(value, "/more/*/n")) == [("/more/a/n", 3)]


def test_missing_objects_are_made() -> None:
    """Putting at a place whose parents are missing makes them; `-` appends to a list."""
    assert pointer.put({}, "/a/b", 1) == {"a": {"b": 1}}
    assert pointer.put([1], "/-", 2) == [1, 2]
