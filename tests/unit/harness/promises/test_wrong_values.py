"""What is taken for a wrong value of a body: that the schema refuses each, and what it allows is marked as such."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract, Operation
from harness.exchange import Request
from harness.promises.altered import with_wrong
from harness.promises.wrong_values import TWICE, in_body

WHOLE = {"type": "integer", "minimum": 1, "maximum": 9}
SCALARS = st.sampled_from(
    [
        ({"type": "integer"}, 5),
        (WHOLE, 5),
        ({"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01}, 5),
        ({"type": "string", "minLength": 2, "maxLength": 4}, "abc"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "abc"),
        ({"type": "boolean"}, True),
        ({"enum": ["a", "b"]}, "a"),
    ]
)


@st.composite
def lists(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    """A list's schema and a list that fits it."""
    schema, value = draw(SCALARS)
    bounds = draw(st.fixed_dictionaries({}, optional={"minItems": st.just(1), "maxItems": st.integers(1, 5)}))
    told = draw(st.fixed_dictionaries({}, optional={"uniqueItems": st.booleans()}))
    return {"type": "array", "items": schema, **bounds, **told}, [value]


MEMBERS = st.dictionaries(st.sampled_from("abcd"), SCALARS | lists(), min_size=1)


def created(members: dict[str, tuple[Any, Any]], *, closed: bool) -> tuple[Contract, Operation, dict[str, Any]]:
    """A contract of one create, that, and its body's schema."""
    schema: dict[str, Any] = {"type": "object", "properties": {name: told for name, (told, _) in members.items()}}
    schema |= {"required": sorted(members), **({"additionalProperties": False} if closed else {})}
    body = {"content": {"application/json": {"schema": schema}}}
    path = {"post": {"operationId": "make", "requestBody": body, "responses": {"201": {"description": ""}}}}
    contract = Contract.read({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": path}}, "t")
    return contract, contract.by_id["make"], schema


@given(members=MEMBERS, closed=st.booleans())
def test_every_wrong_value_breaks_the_schema(members: dict[str, tuple[Any, Any]], *, closed: bool) -> None:
    """A schema refuses each; what it allows is asked for by name, is a list with an item twice, and fits it."""
    contract, operation, schema = created(members, closed=closed)
    body = {name: value for name, (_, value) in members.items()}
    base = Request("POST", "/a", "make", body=json.dumps(body).encode())
    valid = jsonschema_rs.Draft202012Validator(schema).is_valid
    assert valid(body)
    wrongs, every = in_body(contract, operation), in_body(contract, operation, allowed=True)
    assert wrongs == [wrong for wrong in every if wrong.rule != TWICE]
    for wrong in every:
        request = with_wrong(base, wrong)
        assert request is not None, wrong
        assert valid(request.json()) is (wrong.rule == TWICE), (wrong, request.json())


@given(unique=st.booleans(), most=st.integers(2, 9))
def test_an_item_twice_is_wrong_where_each_stands_once(most: int, *, unique: bool) -> None:
    """A list whose items are each there once refuses one twice, and one that says nothing takes it."""
    schema = {"type": "array", "items": WHOLE, "maxItems": most, "uniqueItems": unique}
    contract, operation, _ = created({"a": (schema, [5])}, closed=True)
    base = Request("POST", "/a", "make", body=b'{"a": [5]}')
    sent = [with_wrong(replace(base, step=""), wrong) for wrong in in_body(contract, operation)]
    assert any(request is not None and request.json() == {"a": [5, 5]} for request in sent) is unique
