"""A small API in memory that keeps its contract, but for one fault, and what a survey of it finds."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises import envelope, leaks, schema, survey
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

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
            driven = drive(case, stage, shop, sleep=never)
            assert driven.reason == ""
            exchanges += driven.exchanges
        for promise in (schema.PROMISE, envelope.PROMISE, leaks.PROMISE):
            verdict = promise.judge(contract, operation, exchanges)
            found += [(finding.code, finding.operation, finding.kind) for finding in verdict.findings]
            assert verdict.examined
    return found


def never(seconds: float) -> None:
    """Nothing waits here."""
    raise AssertionError(seconds)
