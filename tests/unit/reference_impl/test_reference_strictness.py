"""U+0000, lone surrogates and names that stand twice are refused wherever they come in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl.contract.reading import BodyReader
from reference_impl.contract.strictness import Names, nul_in
from reference_impl.errors import ApiError

if TYPE_CHECKING:
    from conftest import Shop

TEXTS = st.text(st.sampled_from("ab\0\\u0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A part of a body."""

    size: int = 0
    text: str = ""


class Sheet(msgspec.Struct, forbid_unknown_fields=True):
    """A body with parts."""

    text: str = ""
    lines: list[Line] = []
    note: str | None = None


class Bag(msgspec.Struct, forbid_unknown_fields=True):
    """A body whose names are open."""

    members: dict[str, Any] = {}


@given(VALUES)
def test_nul_is_found_where_it_is(value: Any) -> None:
    """A place is named exactly when a text or a name of the value holds U+0000."""
    assert (nul_in(value) is not None) == ("\0" in flat(value))


def flat(value: Any) -> str:
    """All texts and names of a value after one another."""
    if isinstance(value, dict):
        return "".join(key + flat(item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(map(flat, value))
    return value if isinstance(value, str) else ""


@given(
    st.lists(st.tuples(st.sampled_from(["text", "note", "\\u0074ext"]), st.sampled_from(['"a"', '"text"'])), max_size=4)
)
def test_a_name_may_stand_once(members: list[tuple[str, str]]) -> None:
    """However it is spelt; a value that looks like a name is none."""
    raw = ("{" + ", ".join(f'"{name}" : {value}' for name, value in members) + "}").encode()
    names = [json.loads(f'"{name}"') for name, _ in members]
    twice = Names(Sheet).twice_in(raw)
    assert (twice is not None) == (len(names) != len(set(names)))


@pytest.mark.parametrize(
    ("kind", "raw", "field"),
    [
        (Sheet, rb'{"text": "a\u0000"}', "text"),
        (Sheet, rb'{"lines": [{}, {"text": "\u0000"}]}', "lines[1].text"),
        (Sheet, rb'{"lines": [{"size": 1.0, "text": "\u0000"}]}', "lines[0].text"),
        (Sheet, b'{"text": "a\0"}', "body"),
        (Sheet, rb'{"text": "\ud800"}', "body"),
        (Sheet, rb'{"text": "\udc00\ud800"}', "body"),
        (Sheet, b'{"text": "\xff"}', "body"),
        (Sheet, b'{"text": "\xed\xa0\x80"}', "body"),
        (Sheet, b'{"text": "a", "text": "a"}', "text"),
        (Sheet, b'{"lines": [{"size": 1, "size": 1}]}', "size"),
        (Sheet, b'{"lines": [{"size": 1.0, "size": 1}]}', "size"),
        (Bag, b'{"members": {"x": 1, "x": 1}}', "x"),
        (Bag, rb'{"members": {"x\u0000": 1}}', "members"),
        (Sheet, b'{"lines": ' + b"[" * 100_000, "body"),
        (Bag, b'{"members": {"x": ' + b"[" * 900 + rb'"\u0000"' + b"]" * 900 + b"}}", None),
    ],
)
def test_what_json_lets_pass_is_refused(kind: Any, raw: bytes, field: str | None) -> None:
    """The refusal names the field, whichever way the body was read."""
    with pytest.raises(ApiError) as refused:
        BodyReader(kind).read(raw)
    assert refused.value.code == "VALIDATION_ERROR"
    assert field is None or refused.value.details[0].field == field


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    """Six characters are no U+0000; equal parts of a list are no name twice."""
    assert BodyReader(Sheet).read(rb'{"text": "a\\u0000"}').text == "a\\u0000"
    assert len(BodyReader(Sheet).read(b'{"lines": [{"size": 1}, {"size": 1}]}').lines) == 2


def test_nul_is_refused_in_paths_and_queries(shop: Shop) -> None:
    """A path with it is nowhere, a parameter with it is 400."""
    assert shop.send("GET", "/products/a%00b").status_code == 404
    assert shop.send("GET", "/products?search=a%00b").status_code == 400
    assert shop.send("GET", "/products?search=%ed%a0%80").status_code == 400
