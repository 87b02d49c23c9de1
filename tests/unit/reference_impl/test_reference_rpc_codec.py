"""The protocol's codec as a pure function: there and back, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from reference_impl.rpc.codec import EXACT, decode, encode, put
from reference_impl.rpc.plain import plain
from reference_impl.rpc.values import BigInt, Malformed, MapValue, RegExp, SetValue, Url

MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001 - bounds of st.datetimes are naive
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-EXACT, EXACT),
    st.floats(allow_infinity=False),
    st.text(),
    st.integers().map(BigInt),
    MOMENTS,
    st.sampled_from([Url("https://a.test/b?c=d#e"), Url("mailto:ada@example.test")]),
    st.builds(RegExp, st.text("ab[]*/\\"), st.sampled_from(["", "g", "gi", "dgimsuy"])),
)
KEYS = st.one_of(st.text(), st.sampled_from(["__proto__", "constructor", "length", "json", "0"]))


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.one_of(inner, st.just(UNSET))
    return st.one_of(
        st.lists(parts),
        st.dictionaries(KEYS, inner),
        st.builds(SetValue, st.lists(parts).map(tuple)),
        st.builds(MapValue, st.lists(st.tuples(parts, parts)).map(tuple)),
    )


VALUES = st.recursive(LEAVES, _wider, max_leaves=30)


def same(one: Any, other: Any) -> bool:
    """Say whether two values are one, kinds of values included; NaN is NaN here."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (SetValue, MapValue)):
        name = "items" if isinstance(one, SetValue) else "entries"
        return same(getattr(one, name), getattr(other, name))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - NaN alone differs from itself


@given(VALUES)
def test_what_is_encoded_comes_back(value: Any) -> None:
    """Every value comes back as it was, by way of JSON text."""
    encoded = encode(value)
    text = json.dumps([encoded.json, encoded.meta])
    assert same(value, decode(*json.loads(text)))


@given(
    VALUES,
    st.lists(st.lists(st.one_of(st.integers(-1, 9), st.text(), st.none(), st.booleans(), st.floats()), max_size=5)),
)
def test_wrong_meta_is_refused_and_nothing_else(value: Any, meta: list[Any]) -> None:
    """Whatever `meta` a client makes up, it gives a value or Malformed."""
    with contextlib.suppress(Malformed):
        plain(decode(json.loads(json.dumps(encode(value).json)), meta))


@given(VALUES)
def test_what_stands_for_a_value_is_json(value: Any) -> None:
    """What the contract's types are read from is JSON, or the value is refused."""
    try:
        stands = plain(value)
    except Malformed:
        return
    json.dumps(stands, allow_nan=False)


@pytest.mark.parametrize(
    ("sent", "meta"),
    [
        ({}, [[0, "a"]]),
        ({}, [[0, "__proto__"]]),
        ({"a": "1"}, [[0, "constructor"]]),
        ([], [[3, 0]]),
        (["1"], [[0, -1]]),
        (["1"], [[0, "0"]]),
        (["1"], [[0, True]]),
        (["1"], [[0, 0.0]]),
        (["1"], [["bigint", 0]]),
        (["1"], [[True, 0]]),
        (["1"], [[8, 0]]),
        (["1"], [[]]),
        (["1"], [0]),
        (["1"], {"0": 1}),
        ("1" * 4301, [[0]]),
        ("1e9", [[0]]),
        (" 1", [[0]]),
        ("\u0661", [[0]]),
        (None, [[1]]),
        ("2026-02-30T00:00:00.000Z", [[1]]),
        ("+275760-09-13T00:00:00.000Z", [[1]]),
        (0, [[2]]),
        (0, [[3]]),
        ("no url", [[4]]),
        ("/a/gg", [[5]]),
        ("/a/uv", [[5]]),
        ({"a": 1}, [[6]]),
        ([[1]], [[7]]),
        ([["a", "1"]], [[7], [0, 0, 1]]),
        (["1"], [[0, 0], [0, 0]]),
        (None, [[3], [3]]),
    ],
)
def test_meta_that_does_not_fit_is_refused(sent: Any, meta: Any) -> None:
    """A path that leads nowhere, an unknown code and a value of another kind are Malformed."""
    with pytest.raises(Malformed):
        decode(sent, meta)


def test_the_wire_is_the_one_of_the_client() -> None:
    """A value of every kind is written as @orpc/client 1.16.1 writes it."""
    value = {
        "big": BigInt(5),
        "date": datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1))),
        "nan": math.nan,
        "list": [UNSET, 2**53],
        "gone": UNSET,
        "url": Url("https://a.test/"),
        "regexp": RegExp("a/b", "gi"),
        "set": SetValue((BigInt(1), "a")),
        "map": MapValue((("a", BigInt(2)),)),
    }
    encoded = encode(value)
    assert encoded.json == {
        "big": "5",
        "date": "2026-01-31T12:00:00.000Z",
        "nan": None,
        "list": [None, "9007199254740992"],
        "url": "https://a.test/",
        "regexp": "/a/b/gi",
        "set": ["1", "a"],
        "map": [["a", "2"]],
    }
    assert encoded.meta == [
        [0, "big"],
        [1, "date"],
        [2, "nan"],
        [3, "list", 0],
        [0, "list", 1],
        [4, "url"],
        [5, "regexp"],
        [0, "set", 0],
        [6, "set"],
        [0, "map", 0, 1],
        [7, "map"],
    ]


def test_undefined_is_no_json() -> None:
    """Undefined itself is written as the absence of `json`."""
    assert encode(UNSET).json is UNSET
    assert decode(UNSET) is UNSET


def test_files_stand_where_maps_says() -> None:
    """A file comes to its place, and a place that is not there is refused."""
    assert put({"image": {}, "more": [{}]}, [["image"], ["more", 0]], ["a", "b"]) == {"image": "a", "more": ["b"]}
    for maps in ([["other"]], [], [["image"], ["image"]], "image", [0], [["__proto__"]]):
        with pytest.raises(Malformed):
            put({"image": {}}, maps, ["a"])


def test_the_contract_reads_dates_sets_and_maps_as_json() -> None:
    """What a client has as Date, bigint, Set, Map and URL the contract's types read as JSON."""
    value = {
        "at": datetime(2026, 1, 31, tzinfo=UTC),
        "count": BigInt(3),
        "ids": SetValue(("a",)),
        "by": MapValue((("a", UNSET), ("b", BigInt(1)))),
        "url": Url("https://a.test/"),
        "gone": UNSET,
    }
    expected = {
        "at": "2026-01-31T00:00:00.000Z",
        "count": 3,
        "ids": ["a"],
        "by": {"b": 1},
        "url": "https://a.test/",
    }
    assert plain(value) == expected


@pytest.mark.parametrize("value", [[UNSET], [math.nan], RegExp("a"), MapValue(((1, 2),)), SetValue((UNSET,)), UNSET])
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    """NaN, a regular expression, undefined in an array and a Map with other keys stand for nothing in the contract."""
    with pytest.raises(Malformed):
        plain(value)
