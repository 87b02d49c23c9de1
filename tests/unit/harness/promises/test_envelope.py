"""The standing promise `envelope`: errors of the declared shape are no finding, any other shape is one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises.envelope import PROMISE

ENVELOPE = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}, "details": {}}}
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "x-promises": {"envelope": {"schema": {"$ref": "#/components/schemas/Error"}}},
    "paths": {
        "/things": {"get": {"operationId": "list", "responses": {"200": {"description": ""}}}},
        "/plain": {"get": {"operationId": "plain", "x-promises": {"envelope": False}, "responses": {}}},
        "/own": {
            "get": {
                "operationId": "own",
                "x-promises": {"envelope": {"schema": {"type": "object", "required": ["title"]}}},
                "responses": {},
            }
        },
    },
    "components": {"schemas": {"Error": ENVELOPE}},
}
CONTRACT = Contract.read(DOCUMENT, "shop")


ORIGIN, ASKED = ("Origin", "https://foreign.example"), ("Access-Control-Request-Method", "GET")


def kinds(
    status: int,
    body: bytes,
    *,
    operation: str = "list",
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
) -> list[str]:
    """The kinds of what is found in one answer."""
    request = Request(method, "/things", operation, headers=headers)
    call = Exchange("e", request, Response(status, (), body), 0, 0, 1)
    return [finding.kind for finding in PROMISE.judge(CONTRACT, CONTRACT.by_id[operation], [call]).findings]


@given(
    st.integers(400, 599),
    st.fixed_dictionaries({"code": st.text()}, optional={"details": st.lists(st.text()), "more": st.integers()}),
)
def test_an_error_of_the_declared_shape_is_no_finding(status: int, error: Any) -> None:
    """Every error body that fits the envelope passes, whatever its status."""
    assert kinds(status, json.dumps({"error": error}).encode()) == []


@given(st.integers(100, 399), st.binary())
def test_what_is_no_error_is_not_judged(status: int, body: bytes) -> None:
    """A 2xx or 3xx may have any body."""
    assert kinds(status, body) == []


@given(st.integers(400, 599), st.binary())
def test_any_error_body_is_judged_without_an_error(status: int, body: bytes) -> None:
    """Bytes that are no JSON object are a finding of that status."""
    assert all(kind.startswith(f"{status} ") for kind in kinds(status, body))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "404 empty"),
        (b"Not Found", "404 not JSON"),
        (b'{"message": "no"}', "404 /error missing"),
        (b'{"error": {}}', "404 /error/code missing"),
        (b'{"error": {"code": 7}}', "404 /error/code type"),
        (b'{"error": {"code": "x"}, "ok": false}', "404 / extra member"),
    ],
)
def test_another_shape_is_found_by_status_place_and_rule(body: bytes, kind: str) -> None:
    """Each way of missing the envelope has its own kind."""
    assert kind in kinds(404, body)


def test_a_head_has_no_body_to_judge() -> None:
    """An error to a HEAD is empty by rule."""
    assert kinds(404, b"", method="HEAD") == []


@pytest.mark.parametrize(
    ("method", "headers", "found"),
    [
        ("OPTIONS", (ORIGIN, ASKED), []),
        ("OPTIONS", (ORIGIN,), ["400 not JSON"]),
        ("GET", (ORIGIN, ASKED), ["400 not JSON"]),
    ],
)
def test_a_preflight_has_no_body_that_is_read(
    method: str, headers: tuple[tuple[str, str], ...], found: list[str]
) -> None:
    """A browser keeps the answer to its own question to itself, so its body is nobody's error."""
    assert kinds(400, b"Disallowed CORS origin", method=method, headers=headers) == found


def test_an_operation_may_have_its_own_envelope_or_none() -> None:
    """The operation's entry replaces the document's; false switches it off."""
    assert not PROMISE.applies(CONTRACT, CONTRACT.by_id["plain"])
    assert kinds(400, b'{"title": "x"}', operation="own") == []
    assert kinds(400, b'{"error": {"code": "x"}}', operation="own") == ["400 /title missing"]


def test_nothing_but_successes_is_inconclusive() -> None:
    """Where no error was seen, nothing is said of errors."""
    call = Exchange("e", Request("GET", "/things", "list"), Response(200), 0, 0, 1)
    assert PROMISE.judge(CONTRACT, CONTRACT.by_id["list"], [call]).status == "inconclusive"


def test_without_a_declaration_it_does_not_apply() -> None:
    """An API that promises no envelope is not judged for one."""
    bare = Contract.read({key: value for key, value in DOCUMENT.items() if key != "x-promises"}, "bare")
    assert not PROMISE.applies(bare, bare.by_id["list"])
