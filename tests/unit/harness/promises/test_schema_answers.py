"""The standing promise `schema` on answers: status, media type, body and headers are those of the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.finding import Severity
from harness.promises.schema import PROMISE

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "things.openapi.json").read_text())
CONTRACT = Contract.read(DOCUMENT, "shop")
ID = "01980000-0000-7000-8000-000000000000"
JSON = (("Content-Type", "application/json"),)
GOOD = {"name": "bowl", "items": [{"quantity": 1}]}


def exchange(operation: str, request: Request, response: Response | None) -> Exchange:
    """An exchange of the operation."""
    sent = Request(
        request.method, request.path, operation, request.query, request.headers, request.body, request.identity
    )
    return Exchange("e1", sent, response, 0, 0, 1)


def found(operation: str, *exchanges: Exchange) -> list[tuple[str, str]]:
    """The code and kind of every finding."""
    verdict = PROMISE.judge(CONTRACT, CONTRACT.by_id[operation], exchanges)
    return [(finding.code, finding.kind) for finding in verdict.findings]


def answered(response: Response, operation: str = "things.create") -> list[tuple[str, str]]:
    """What is found where a good call has this answer."""
    method, path, body = ("POST", "/things", json.dumps(GOOD).encode())
    if operation == "things.get":
        method, path, body = "GET", f"/things/{ID}", b""
    return found(operation, exchange(operation, Request(method, path, headers=JSON, body=body), response))


def test_an_undocumented_status_is_found_and_a_documented_range_is_not() -> None:
    """200 where 201 is documented is a finding; 4XX stands for every 4xx."""
    assert answered(Response(200, JSON, b"{}")) == [("schema.undocumented-status", "200")]
    assert answered(Response(418, JSON, b"{}")) == []
    assert answered(Response(401, JSON, b"{}"), "things.get") == [("schema.undocumented-status", "401")]
    assert answered(Response(429, JSON, b"{}"), "things.get") == []


def test_a_failing_server_is_found_unless_it_says_when_to_come_again() -> None:
    """Every 5xx is a finding, but a documented 503 with Retry-After."""
    assert answered(Response(500)) == [("schema.server-error", "500")]
    assert answered(Response(503)) == [("schema.server-error", "503")]
    assert answered(Response(503, (("Retry-After", "1"),))) == []
    assert answered(Response(503, (("Retry-After", "1"),)), "things.get") == [("schema.server-error", "503")]


def test_an_answer_that_does_not_fit_is_found() -> None:
    """Media type, emptiness, syntax, members and headers of an answer are each judged."""
    place = ("Location", "/things/1")
    good = json.dumps({"id": ID, "count": 3}).encode()
    assert answered(Response(201, (*JSON, place), good)) == []
    assert answered(Response(201, (place, ("Content-Type", "text/html")), good)) == [
        ("schema.content-type", "201 text/html")
    ]
    assert answered(Response(201, (*JSON, place))) == [("schema.body", "201 empty")]
    assert answered(Response(201, (*JSON, place), b"<html>")) == [("schema.body", "201 not JSON")]
    assert answered(Response(201, (*JSON, place), b'{"id": "7"}')) == [("schema.body", "201 /id format")]
    assert answered(Response(201, (*JSON, place), b"{}")) == [("schema.body", "201 /id missing")]
    assert answered(Response(201, (*JSON, place), b'{"id": "%s", "zz": "x"}' % ID.encode())) == [
        ("schema.body", "201 /* type")
    ]
    assert answered(Response(201, JSON, good)) == [("schema.missing-header", "201 location")]
    left = ("X-Left", "-1")
    assert answered(Response(201, (*JSON, place, left), good)) == [("schema.missing-header", "201 x-left minimum")]


def test_what_belongs_to_no_operation_is_not_judged() -> None:
    """Another method, a path that routers read otherwise, and an unanswered call are passed over."""
    answer = Response(500)
    for request in (
        Request("PUT", "/things"),
        Request("GET", "/things/a%2Fb"),
        Request("GET", "/things/.."),
        Request("GET", "/elsewhere"),
    ):
        assert found("things.get", exchange("things.get", request, answer)) == []
    verdict = PROMISE.judge(CONTRACT, CONTRACT.by_id["things.get"], [])
    assert verdict.status == "inconclusive"
    assert verdict.reason


def test_it_applies_unless_it_is_switched_off() -> None:
    """The promise needs no declaration; false switches it off for one operation or for all."""
    assert PROMISE.applies(CONTRACT, CONTRACT.by_id["things.get"])
    off = Contract.read({**DOCUMENT, "x-promises": {"schema": False}}, "off")
    assert not PROMISE.applies(off, off.by_id["things.get"])


def test_an_error_of_another_shape_is_the_envelopes_finding_alone() -> None:
    """Where the documented error is the promised envelope, its shape is judged once."""
    error = {"type": "object", "required": ["error"]}
    document = json.loads(json.dumps(DOCUMENT))
    answers = document["paths"]["/things"]["post"]["responses"]
    answers["4XX"]["content"]["application/json"]["schema"] = error
    call = exchange("things.create", Request("POST", "/things"), Response(400, JSON, b"{}"))
    for promises, kinds in (({}, ["400 /error missing"]), ({"envelope": {"schema": error}}, [])):
        contract = Contract.read({**document, "x-promises": promises}, "shop")
        verdict = PROMISE.judge(contract, contract.by_id["things.create"], [call])
        assert [finding.kind for finding in verdict.findings] == kinds


def test_a_union_is_judged_by_the_branch_that_the_values_type_picks() -> None:
    """Of `date-time or null` a string breaks the format, which is named and is low; of two objects it is the union."""
    moment = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    either = {"anyOf": [{"type": "object", "required": ["a"]}, {"type": "object", "required": ["b"]}]}
    body = {"type": "object", "properties": {"at": moment, "either": either}}
    content = {"application/json": {"schema": body}}
    path = {"get": {"operationId": "look", "responses": {"200": {"description": "", "content": content}}}}
    contract = Contract.read({"openapi": "3.1.0", "info": {}, "paths": {"/it": path}}, "it")
    answer = Response(200, JSON, json.dumps({"at": "2026-11-21T10:04:45", "either": {}}).encode())
    seen = Exchange("e1", Request("GET", "/it", "look"), answer, 0, 0, 1)
    verdict = PROMISE.judge(contract, contract.by_id["look"], (seen,))
    told = {(finding.kind, finding.severity) for finding in verdict.findings}
    assert told == {("200 /at format", Severity.LOW), ("200 /either anyOf", Severity.MEDIUM)}
