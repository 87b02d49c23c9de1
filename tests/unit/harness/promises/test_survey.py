"""The survey against a small API in memory: a correct one gives no finding, each planted fault gives its own."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.actors import Actors
from harness.contract import Contract, Operation, Parameter
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises import envelope, leaks, schema, survey
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

JSON = (("Content-Type", "application/json"),)


def document(item: dict[str, Any], *, limit: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """The contract of a shop of things with this member `value` and this `limit` parameter."""
    members = {"name": {"type": "string", "minLength": 1, "maxLength": 60}, "value": item}
    body = {"type": "object", "required": required, "additionalProperties": False, "properties": members}
    thing = {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": {"id": {"type": "string", "format": "uuid"}, "total": {"type": "integer"}, **members},
    }
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    errors = {str(status): {"description": "", "content": error} for status in (400, 401, 404, 415)}
    one = {"application/json": {"schema": thing}}
    many = {"application/json": {"schema": {"type": "array", "items": thing}}}
    taken = {"required": True, "content": {"application/json": {"schema": body}}}
    at_id = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}]
    return {
        "openapi": "3.1.0",
        "info": {"title": "shop", "version": "1"},
        "security": [{"token": []}],
        "x-promises": {"envelope": {"schema": {"$ref": "#/components/schemas/Error"}}},
        "paths": {
            "/things": {
                "get": {
                    "operationId": "things.list",
                    "parameters": [{"name": "limit", "in": "query", "schema": limit}],
                    "responses": {"200": {"description": "", "content": many}, **errors},
                },
                "post": {
                    "operationId": "things.create",
                    "requestBody": taken,
                    "responses": {"201": {"description": "", "content": one}, **errors},
                },
            },
            "/things/{id}": {
                "parameters": at_id,
                "get": {
                    "operationId": "things.get",
                    "responses": {"200": {"description": "", "content": one}, **errors},
                },
                "patch": {
                    "operationId": "things.update",
                    "requestBody": taken,
                    "responses": {"200": {"description": "", "content": one}, **errors},
                },
                "delete": {"operationId": "things.delete", "responses": {"204": {"description": ""}, **errors}},
            },
        },
        "components": {
            "schemas": {"Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}}
        },
    }


PLAIN = document(
    {"type": "integer", "minimum": 1, "maximum": 9},
    limit={"type": "integer", "minimum": 1, "maximum": 50},
    required=["name"],
)


@dataclass
class Shop:
    """An API that keeps its contract, but for what `fault` changes: an answer's status, or what is checked."""

    document: dict[str, Any]
    fault: str = ""
    things: dict[str, Any] = field(default_factory=dict)
    sent: list[Exchange] = field(default_factory=list)

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """Answers one request."""
        exchange = Exchange(f"e{len(self.sent)}", request, self.answer(request), 0, 0, 1, case=case)
        self.sent.append(exchange)
        return exchange

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Answers requests one by one."""
        return tuple(self.send(request, case=case) for request in requests)

    def answer(self, request: Request) -> Response:
        """The answer that the contract promises."""
        if not request.identity.headers and self.fault != "no login":
            return self.error(401)
        if request.path == "/things":
            return self.listed(request) if request.method == "GET" else self.written(request, str(uuid.uuid4()), 201)
        key = request.path.removeprefix("/things/")
        if key not in self.things:
            return Response(404, JSON, b"{}") if self.fault == "other envelope" else self.error(404)
        if request.method == "DELETE":
            del self.things[key]
            return Response(204)
        if request.method == "PATCH":
            return self.written(request, key, 200)
        return Response(200, JSON, json.dumps({"id": key, **self.things[key]}).encode())

    def listed(self, request: Request) -> Response:
        """Things up to the limit."""
        texts = [value for name, value in request.query if name == "limit"]
        if texts and self.fault != "any limit":
            whole = re.fullmatch(r"-?\d+", texts[0])
            rule = self.document["paths"]["/things"]["get"]["parameters"][0]["schema"]
            if whole is None or not jsonschema_rs.is_valid(rule, int(texts[0])):
                return Response(500, (), b"ValueError") if self.fault == "crash" else self.error(400)
            if self.fault == "64 bits" and int(texts[0]) >= 1 << 63:
                return Response(500, (), b"OverflowError")
        return Response(200, JSON, json.dumps([{"id": key, **thing} for key, thing in self.things.items()]).encode())

    def written(self, request: Request, key: str, status: int) -> Response:
        """A thing made or changed."""
        if dict(request.headers).get("Content-Type") != "application/json":
            return self.error(415)
        body = request.json()
        rule = self.document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        if self.fault == "any member":
            rule = {**rule, "additionalProperties": True}
        if self.fault == "any value":
            rule = {**rule, "properties": {**rule["properties"], "value": {}}}
        if not jsonschema_rs.is_valid(rule, body, validate_formats=True):
            return self.error(400)
        if self.fault == "once" and len(set(body.get("value", ()))) < len(body.get("value", ())):
            return Response(500, (), b"IntegrityError")
        if self.fault == "taken" and any(
            other["name"] == body["name"] for own, other in self.things.items() if own != key
        ):
            return Response(500, (), b"IntegrityError")
        self.things[key] = {name: value for name, value in body.items() if name in rule["properties"]}
        return Response(
            200 if self.fault == "wrong status" else status, JSON, json.dumps({"id": key, **self.things[key]}).encode()
        )

    def error(self, status: int) -> Response:
        """An error in the envelope."""
        return Response(status, JSON, b'{"error": "no"}')


def surveyed(shop: Shop) -> list[tuple[str, str, str]]:
    """Every case of every operation driven on the shop; code, operation and kind of all findings."""
    contract = Contract.read(shop.document, "shop")
    told = {"known": [{"name": "ann", "headers": {"Authorization": "Bearer x"}}]}
    found = []
    for operation in contract.operations:
        exchanges = []
        for case in survey.cases(contract, operation, Random(1)):
            stage = Stage(contract, Actors(told), Random(case.key), "n0nce")
            driven = drive(case, stage, shop, sleep=_never)
            assert driven.reason == ""
            exchanges += driven.exchanges
        for promise in (schema.PROMISE, envelope.PROMISE, leaks.PROMISE):
            verdict = promise.judge(contract, operation, exchanges)
            found += [(finding.code, finding.operation, finding.kind) for finding in verdict.findings]
            assert verdict.examined
    return found


def _never(seconds: float) -> None:
    raise AssertionError(seconds)


BOUNDED = st.fixed_dictionaries(
    {"type": st.just("integer"), "minimum": st.integers(-50, 5)},
    optional={"maximum": st.integers(6, 90), "multipleOf": st.sampled_from([1, 2])},
)
VALUES = st.one_of(
    BOUNDED,
    st.fixed_dictionaries({"type": st.just("number"), "minimum": st.integers(0, 3), "maximum": st.integers(4, 9)}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "minLength": st.integers(0, 4), "maxLength": st.integers(40, 90)}
    ),
    st.just({"enum": ["a", "b"]}),
    st.just({"type": "boolean"}),
    st.just({"type": ["string", "null"], "format": "uuid"}),
    st.just({"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 4}),
    st.just({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}),
)


@given(VALUES, BOUNDED, st.sampled_from([["name"], ["name", "value"]]))
@settings(max_examples=40, deadline=None)
def test_an_api_that_keeps_its_contract_gives_no_finding(value: Any, limit: Any, required: list[str]) -> None:
    """Whatever the contract says of a member and a parameter, a correct API is clean, and every promise is examined."""
    shop = Shop(document(value, limit=limit, required=required))
    assert surveyed(shop) == []


FAULTS: dict[str, Callable[[list[tuple[str, str, str]]], bool]] = {
    "any limit": lambda found: ("schema.invalid-input-accepted", "things.list", "query limit minimum") in found,
    "crash": lambda found: ("schema.server-error", "things.list", "500") in found,
    "any member": lambda found: ("schema.invalid-input-accepted", "things.create", "body / extra member") in found,
    "any value": lambda found: ("schema.invalid-input-accepted", "things.create", "body /value minimum") in found,
    "wrong status": lambda found: ("schema.undocumented-status", "things.create", "200") in found,
    "other envelope": lambda found: ("envelope.shape", "things.get", "404 /error missing") in found,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found(fault: str) -> None:
    """A survey sends what shows the fault, and the judges name operation and rule."""
    assert FAULTS[fault](surveyed(Shop(PLAIN, fault)))


@pytest.mark.parametrize(
    ("fault", "operation"), [("64 bits", "things.list"), ("once", "things.create"), ("once", "things.update")]
)
def test_a_server_falls_over_what_its_contract_allows(fault: str, operation: str) -> None:
    """A number that 64 bits do not hold in a query without a bound, an item twice in a list: allowed, and sent."""
    items = {"type": "array", "items": {"type": "integer", "minimum": 0}, "maxItems": 9}
    plain = document(items, limit={"type": "integer", "minimum": 1}, required=["name", "value"])
    assert ("schema.server-error", operation, "500") in surveyed(Shop(plain, fault))
    assert surveyed(Shop(plain)) == []


def test_a_server_falls_over_a_name_that_is_taken() -> None:
    """The same body twice, and in an update the name of another: whether a name is taken or not is no server error."""
    found = surveyed(Shop(PLAIN, "taken"))
    assert ("schema.server-error", "things.create", "500") in found
    assert ("schema.server-error", "things.update", "500") in found


def test_the_calls_of_an_operation_stay_few_and_are_the_same_for_the_same_seed() -> None:
    """At most about 40 requests an operation beside the set-up, alike in two runs."""
    runs = []
    for _ in range(2):
        shop = Shop(PLAIN)
        surveyed(shop)
        own = [exchange for exchange in shop.sent if exchange.request.step != "set-up"]
        runs.append([(exchange.operation, exchange.request.step) for exchange in own])
        counts = [sum(1 for exchange in own if exchange.operation == name) for name in {e.operation for e in own}]
        assert max(counts) <= 40
    assert runs[0] == runs[1]


def test_an_endless_stream_is_left_alone() -> None:
    """An operation that answers lines for ever has no survey; of an event stream the beginning is enough."""
    events = {"200": {"description": "", "content": {"application/x-ndjson": {}}}}
    stream = {**PLAIN, "paths": {"/events": {"get": {"operationId": "events", "responses": events}}}}
    contract = Contract.read(stream, "stream")
    assert survey.cases(contract, contract.by_id["events"], Random(1)) == ()


def test_the_identity_that_cases_share_is_not_changed_by_its_own_call() -> None:
    """Where no fresh identity can be had, a call on the caller itself is not made, and the reason is told."""
    own = {"delete": {"operationId": "me.delete", "responses": {"204": {"description": ""}}}}
    contract = Contract.read({**PLAIN, "paths": {"/me": own}}, "me")
    told = {"known": [{"name": "ann", "headers": {"Authorization": "Bearer x"}}]}
    shop = Shop(PLAIN)
    case = survey.cases(contract, contract.by_id["me.delete"], Random(1))[0]
    driven = drive(case, Stage(contract, Actors(told), Random(1), "n"), shop, sleep=_never)
    assert "identity that all cases share" in driven.reason
    assert shop.sent == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PUT /v3/access/users/me", True),
        ("DELETE /account", True),
        ("POST /auth/logout", True),
        ("POST /users/{id}/password", True),
        ("PUT /iou_license", False),
        ("PUT /users/{id}", False),
        ("GET /users/me", False),
    ],
)
def test_a_call_on_the_caller_is_known_by_its_path(line: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """What changes, signs out or deletes the one who calls is told from settings and from things with an id."""
    method, path = line.split()
    parameters = tuple(Parameter("id", "path", required=True, schema={}, pointer="") for _ in range(path.count("{")))
    assert survey.may_change_caller(Operation("o", method, path, parameters)) is expected
