"""One input from path, query and body, and its wire forms, read by the reference's own reader of oRPC."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.contract.form import encoded
from harness.errors import CannotTell
from harness.exchange import Request, Response
from harness.promises.transports import orpc, plain
from harness.promises.transports.input import File, Input, is_plain, joined, nested
from reference_impl.edge.multipart import read_form
from reference_impl.rpc.batch import body_of
from reference_impl.rpc.reading import value_of

NAMES = st.text("abcdefgh", min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.dictionaries(NAMES, VALUES, max_size=4)
TEXT = {"type": "string"}
THING = "01980000-0000-7000-8000-000000000000"
UPLOAD = {"type": "object", "properties": {"image": {"type": "string", "contentMediaType": "image/png"}, "title": TEXT}}


def contract(media_type: str = "application/json") -> Contract:
    """One operation with parameters everywhere."""
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": TEXT},
        {"name": "row", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "deep", "in": "query", "schema": {"type": ["boolean", "null"]}},
        {"name": "tag", "in": "query", "schema": {"type": "array"}},
    ]
    body = {"content": {media_type: {"schema": UPLOAD}}}
    put = {"operationId": "put", "parameters": parameters, "requestBody": body, "responses": {}}
    return Contract({"openapi": "3.1.0", "info": {}, "paths": {"/things/{id}/rows/{row}": {"put": put}}})


def folded(request: Request, media_type: str = "application/json") -> Input:
    """The request's one input."""
    told = contract(media_type)
    return joined(told, told.by_id["put"], request)


@given(MEMBERS)
def test_orpc_is_read_as_it_was_meant(members: dict[str, Any]) -> None:
    """The reference's reader of the protocol has the members that were sent."""
    kind, body = orpc.body(Input(members))
    assert kind == "application/json"
    assert value_of(json.loads(body)) == members


@given(MEMBERS, st.lists(st.binary(max_size=40), min_size=1, max_size=3))
def test_orpc_files_are_read_as_they_were_meant(members: dict[str, Any], contents: list[bytes]) -> None:
    """Files stand in the input where they stood in the form."""
    files = tuple(File(f"file{number}", "a.bin", "image/png", data) for number, data in enumerate(contents))
    kind, body = orpc.body(Input(members, files))
    parts: dict[str, Any] = asyncio.run(read_form(kind, body_of(body), 100_000))
    read = value_of(json.loads(parts.pop("data")), [parts[str(number)] for number in range(len(files))])
    assert {name: value for name, value in read.items() if name in members} == members
    assert set(read) - set(members) == {file.member for file in files}
    assert [read[file.member].data for file in files] == contents


@given(MEMBERS.filter(lambda members: not {"id", "row", "deep", "tag"} & members.keys()))
def test_every_part_is_in_the_input(members: dict[str, Any]) -> None:
    """Path, query and body, with values as the schemas say; a tenant may stand before the path."""
    body = json.dumps(members).encode()
    query = (("deep", "true"), ("tag", "a"), ("tag", "b"))
    told = folded(Request("PUT", "/t/alpha/things/a%2Fb/rows/7", query=query, body=body))
    assert told == Input({"id": "a/b", "row": 7, "deep": True, "tag": ["a", "b"], **members})


def test_a_form_is_its_texts_and_files() -> None:
    """A multipart body as the harness makes it."""
    told = contract("multipart/form-data")
    form = told.by_id["put"].form_body()
    assert form is not None
    kind, body = encoded(told, form, {"image": "", "title": "a\u00e9"}, Random(1))
    request = Request("PUT", "/things/a/rows/1", headers=(("Content-Type", kind),), body=body)
    found = folded(request, "multipart/form-data")
    assert found.members == {"id": "a", "row": 1, "title": "a\u00e9"}
    (file,) = found.files
    assert (file.member, file.name, file.media_type) == ("image", "file.png", "image/png")
    assert body.count(file.data) == 1
    assert file.data.startswith(b"\x89PNG")


def test_an_urlencoded_form_is_its_texts() -> None:
    """Pairs are members."""
    kind = (("Content-Type", "application/x-www-form-urlencoded"),)
    request = Request("PUT", "/things/a/rows/1", headers=kind, body=b"title=a+b&x=")
    assert folded(request).members == {"id": "a", "row": 1, "title": "a b", "x": ""}


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b'{"id": 1}', b"not json"])
def test_what_is_no_one_input(body: bytes) -> None:
    """A body without names, and a name that stands twice, cannot be sent as one input."""
    with pytest.raises(CannotTell):
        folded(Request("PUT", "/things/a/rows/1", body=body))


def test_files_have_no_json() -> None:
    """The plain form has no place for a file."""
    with pytest.raises(CannotTell):
        plain.body(Input({}, (File("image", "a.png", "image/png", b""),)))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (True, True)),
        (b'{"json": {"id": 1}}', (True, True)),
        (b'{"json": 1, "meta": [[0]]}', (True, True)),
        (b'{"id": 1}', (False, True)),
        (b"[1]", (False, True)),
        (b'{"error": {"code": "NO"}}', (False, False)),
        (b'{"errors": []}', (False, True)),
        (b"<html></html>", (False, False)),
    ],
)
def test_an_answer_of_the_form(body: bytes, expected: tuple[bool, bool]) -> None:
    """What stands at every path, and what tells an error with a 200, is no answer."""
    response = Response(200, (), body)
    assert (orpc.answers(response), plain.answers(response)) == expected


PLAIN_TEXT = st.text("abcxyz -_", min_size=1).filter(str.strip) | st.uuids().map(str)
PLAIN = st.recursive(
    PLAIN_TEXT | st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.floats(-1e9, 1e9),
    lambda inner: (
        st.dictionaries(NAMES, inner, max_size=3) | st.lists(st.dictionaries(NAMES, inner, max_size=2), max_size=3)
    ),
    max_leaves=6,
)
MARKED = (
    st.dates().map(str)
    | st.datetimes().map(lambda at: at.isoformat())
    | st.times().map(str)
    | st.integers().map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(str)
    | st.integers(min_value=2**53)
    | st.lists(PLAIN_TEXT, min_size=1, max_size=3)
    | st.sampled_from(["true", "False", "null", "", "https://shop.example/a", "mailto:ann@shop.example", "P1D"])
)


@given(st.dictionaries(NAMES, PLAIN, max_size=3), MARKED)
def test_a_value_that_a_format_may_mark_is_not_plain(members: dict[str, Any], marked: Any) -> None:
    """Words, ids and small numbers are written alike everywhere; dates, sets and what a form has as text are not."""

    def alike(sent: dict[str, Any]) -> bool:
        told = contract()
        kind = (("Content-Type", "application/json"),)
        body = json.dumps(sent).encode()
        return is_plain(told, told.by_id["put"], Request("PUT", f"/things/{THING}/rows/7", headers=kind, body=body))

    assert alike(members)
    assert not alike({**members, "marked": marked})
    assert not alike({"things": [{**members, "marked": marked}]})


@pytest.mark.parametrize(
    ("shape", "plain_form"),
    [(TEXT, True), ({"type": "array", "items": TEXT}, False), ({"type": "object"}, False), ({}, False)],
)
@pytest.mark.parametrize("media_type", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_a_form_of_more_than_texts_is_not_plain(media_type: str, shape: dict[str, Any], *, plain_form: bool) -> None:
    """What a list or an object of a form is over another transport, the form does not tell."""
    document = contract(media_type).document
    put = document["paths"]["/things/{id}/rows/{row}"]["put"]
    put["requestBody"]["content"][media_type]["schema"] = {"type": "object", "properties": {"tags": shape}}
    told = Contract(document)
    form = told.by_id["put"].form_body()
    assert form is not None
    kind, body = encoded(told, form, {"tags": "abc"}, Random(1))
    request = Request("PUT", f"/things/{THING}/rows/7", headers=(("Content-Type", kind),), body=body)
    assert is_plain(told, told.by_id["put"], request) is plain_form


@given(MEMBERS.filter(bool))
def test_a_nested_input_keeps_its_parts_apart(members: dict[str, Any]) -> None:
    """Path, query and body stand each in a member of its own, and files in the body's."""
    told = contract()
    request = Request("PUT", "/things/a/rows/7", query=(("deep", "true"),), body=json.dumps(members).encode())
    found = nested(told, told.by_id["put"], request)
    assert found.members == {"params": {"id": "a", "row": 7}, "query": {"deep": True}, "body": members}
    file = File("image", "a.bin", "image/png", b"bytes")
    kind, body = orpc.body(Input({"body": {**members, "image": {}}}, (file,), "body"))
    parts: dict[str, Any] = asyncio.run(read_form(kind, body_of(body), 100_000))
    read = value_of(json.loads(parts.pop("data")), [parts["0"]])
    assert read["body"]["image"].data == file.data
