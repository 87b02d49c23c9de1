"""The value that is drawn for a schema is one that the schema takes."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Contract
from harness.contract.example import Examples
from harness.errors import CannotTell

NAMES = st.sampled_from(["name", "email", "password", "count", "slug"])


def examples(seed: int = 0, schemas: Any = None) -> Examples:
    """Draws over a contract that has these component schemas."""
    document = {"openapi": "3.1.0", "info": {}, "paths": {"/a": {}}, "components": {"schemas": schemas or {}}}
    return Examples(Contract.read(document, "t"), Random(seed), "ab12")


def bounded(low: str, high: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Two bounds in their order, either of which may be missing."""

    def made(pair: tuple[Any, Any], which: int) -> dict[str, Any]:
        given_bounds = dict(zip((low, high), sorted(pair), strict=True))
        return {name: value for index, (name, value) in enumerate(given_bounds.items()) if which & (index + 1)}

    return st.builds(made, st.tuples(values, values), st.integers(0, 3))


STRINGS = st.builds(
    lambda bounds, more: {"type": "string", **bounds, **more},
    bounded("minLength", "maxLength", st.integers(0, 30)),
    st.just({}),
) | st.sampled_from(
    [
        *({"type": "string", "format": form} for form in ("uuid", "email", "date-time", "date", "uri", "ipv4", "ipv6")),
        *({"type": "string", "pattern": p} for p in ("^[a-z]+$", "^[A-Z]{3}$", r"^\d{5}$", "^[a-z0-9-]{2,40}$", "x")),
        {"type": "string", "enum": ["a", "b"]},
    ]
)
NUMBERS = st.builds(
    lambda bounds, more: {"type": "number", **bounds, **more},
    bounded("minimum", "maximum", st.integers(-1000, 1000) | st.sampled_from([0.001, 0.005, 0.5, 19.99])),
    st.sampled_from([{}, {}, {"exclusiveMinimum": -2000}]),
)
INTEGERS = st.builds(
    lambda bounds, more: {"type": "integer", **bounds, **more},
    bounded("minimum", "maximum", st.integers(-1000, 1000)),
    st.sampled_from([{}, {}, {"exclusiveMinimum": -1500}, {"exclusiveMaximum": 1001}]),
)
SCALARS = (
    STRINGS
    | NUMBERS
    | INTEGERS
    | st.sampled_from(
        [
            {"type": "boolean"},
            {"type": "null"},
            {"const": 7},
            {"enum": [None, 1, "x"]},
            {"type": ["string", "null"], "minLength": 1},
            {"type": "integer", "multipleOf": 5, "minimum": 7},
            {"type": "integer", "multipleOf": 0.5},
            {"type": "number", "multipleOf": 0.01, "minimum": 0.07},
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.01},
            {"type": "number", "minimum": 2.5, "maximum": 2.5},
        ]
    )
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with required and optional members, closed or open."""
    return st.builds(
        lambda properties, required, closed: {
            "type": "object",
            "properties": properties,
            "required": sorted(required & set(properties)),
            **({"additionalProperties": False} if closed else {}),
        },
        st.dictionaries(NAMES, inner, max_size=4),
        st.sets(NAMES),
        st.booleans(),
    )


def arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists with a least and a greatest length."""
    return st.builds(
        lambda items, bounds: {"type": "array", "items": items, **bounds},
        inner,
        bounded("minItems", "maxItems", st.integers(0, 4)),
    )


def _disjoint(parts: list[Any]) -> dict[str, Any]:
    """Two open objects whose members are named apart, joined by allOf."""
    for index, part in enumerate(parts):
        part.pop("additionalProperties", None)
        part["properties"] = {f"{name}{index}": schema for name, schema in part["properties"].items()}
        part["required"] = [f"{name}{index}" for name in part["required"]]
    return {"allOf": parts}


SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: (
        objects(inner)
        | arrays(inner)
        | st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"anyOf": parts})
        | st.lists(objects(inner), min_size=2, max_size=2).map(_disjoint)
    ),
    max_leaves=8,
)


@given(schema=SCHEMAS, seed=st.integers(0, 9), everything=st.booleans())
@settings(max_examples=200)
def test_a_drawn_value_fits_its_schema(schema: Any, seed: int, *, everything: bool) -> None:
    """Whatever the schema asks for, the value has it; with everything, the optional members too."""
    value = examples(seed).value(schema, everything=everything)
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert [error.message for error in validator.iter_errors(value)] == []


@given(st.integers(0, 99))
def test_the_same_seed_draws_the_same(seed: int) -> None:
    """A draw is repeated by its seed and nonce."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "n": {"type": "integer"}},
        "required": ["a", "n"],
    }
    assert examples(seed).value(schema) == examples(seed).value(schema)


def test_lists_without_doubles_have_none() -> None:
    """Where items must differ they do, also where there are few to choose from."""
    schema = {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True}
    assert sorted(examples().value(schema)) == [1, 2, 3]


def test_members_of_any_name_are_made_where_some_must_be() -> None:
    """An object that asks for members but names none gets some, of the schema told."""
    schema = {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2}
    value = examples().value(schema)
    assert len(value) == 2
    assert all(isinstance(member, int) for member in value.values())


def test_members_that_only_the_server_writes_are_left_out() -> None:
    """A readOnly member is not sent, even where it is required of an answer."""
    schema = {"type": "object", "properties": {"id": {"type": "integer", "readOnly": True}, "a": {"const": 1}}}
    assert examples().value({**schema, "required": ["id", "a"]}) == {"a": 1}


def test_references_are_followed() -> None:
    """A `$ref` into the document stands for what it leads to."""
    drawn = examples(schemas={"S": {"const": "there"}}).value({"$ref": "#/components/schemas/S"})
    assert drawn == "there"


def test_a_schema_without_end_is_told() -> None:
    """A body that must hold itself cannot be drawn, and the reason is said."""
    endless = {"type": "object", "properties": {"me": {"$ref": "#/components/schemas/S"}}, "required": ["me"]}
    with pytest.raises(CannotTell, match="nests deeper"):
        examples(schemas={"S": endless}).value({"$ref": "#/components/schemas/S"})


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "pattern": "^(?=.*a)(?=.*b)(?!a).{3}$"}, {"type": "integer", "minimum": 5, "maximum": 4}],
)
def test_what_cannot_be_drawn_is_told(schema: Any) -> None:
    """A pattern beyond simple classes, or bounds that shut everything out, give a reason and no wrong value."""
    with pytest.raises(CannotTell):
        examples().value(schema)


def test_two_draws_meet_in_nothing_that_must_be_unique() -> None:
    """E-mails and slugs of two draws differ."""
    schema = {"type": "object", "properties": {"email": {"type": "string"}, "slug": {"type": "string"}}}
    one, other = (examples(seed).value(schema, everything=True) for seed in (1, 2))
    assert re.fullmatch(r"[a-z0-9]+@example\.test", one["email"])
    assert one["email"] != other["email"]
    assert one["slug"] != other["slug"]
