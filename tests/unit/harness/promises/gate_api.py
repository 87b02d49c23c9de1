"""An API in memory that says what RFC 9110 and Fetch ask of its answers, and with a named defect leaves one out."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.stage import Stage

if TYPE_CHECKING:
    from harness.promises.promise import Promise
    from harness.verdict import Verdict

SHOP = "https://shop.example.test"
TEXT = {"type": "string", "minLength": 1}
THING = {"type": "object", "properties": {"id": TEXT, "name": TEXT}}
JSON = {"application/json": {"schema": THING}}
IDENTITIES: dict[str, Any] = {"known": [{"name": "ann", "roles": [], "token": "t"}]}
VIEW = (("view", "all of it"), ("a", "&"))
PATHS = ("/things", "/things/{id}")


def document(**promises: Any) -> dict[str, Any]:
    """Things that one who is signed in makes and reads."""
    new = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    made = {"201": {"description": "", "content": JSON}}
    read = {"200": {"description": "", "content": JSON}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "gate", "version": "1"},
        "x-promises": promises,
        "security": [{"bearer": []}],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/things": {
                "get": {"operationId": "things.list", "responses": read},
                "post": {
                    "operationId": "things.create",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": new}}},
                    "responses": made,
                },
            },
            "/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
                "get": {"operationId": "things.get", "responses": read},
                "head": {"operationId": "things.head", "responses": read},
            },
        },
    }


@dataclass
class Gate:
    """The API; with `open_create` anybody may make things; a body has at most `most` bytes."""

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=lambda: document(http={}))
    open_create: bool = False
    most: int = 1 << 20
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "gate")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        status, headers, body = self._answer(request)
        data = b"" if body is None else json.dumps(body).encode()
        response = Response(status, (*headers, *self._cors(request)), data)
        response = Response(429) if "limits" in self.defects else response
        cut = "cuts off" in self.defects and request.step.startswith("followed")
        error = "connection closed without an answer" if cut else ""
        answered = None if cut else response
        found = Exchange(f"x{next(self.numbers)}", request, answered, 0, 0, 0, case=case, error=error)
        self.sent.append(found)
        return found

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _refusal(self, request: Request) -> int | None:
        """The status by which a body is refused for how long it is or what it ends with; none where it is not."""
        size = len(request.body or b"")
        if "no spaces" in self.defects and (request.body or b"").endswith(b" "):
            return 400
        untold = any(name == "Transfer-Encoding" for name, _ in request.headers)
        if "any length" in self.defects or (untold and "trusts the length" in self.defects):
            return None
        return 413 if size > self.most or (size == self.most and "off by one" in self.defects) else None

    def _answer(self, request: Request) -> tuple[int, tuple[tuple[str, str], ...], Any]:
        things = request.path == "/things"
        methods = {"GET", "POST"} if things else {"GET", "HEAD"}
        if request.method == "OPTIONS":
            return 204, (("Content-Length", "5"),) if "content" in self.defects else (), None
        if request.method not in methods:
            told = {"no allow": (), "less allow": (("Allow", "GET"),)}
            full = (("Allow", ", ".join((*methods, "OPTIONS"))),)
            return 405, next((told[name] for name in told if name in self.defects), full), None
        if not request.identity.headers and not (self.open_create and request.method == "POST"):
            return 401, () if "no challenge" in self.defects else (("WWW-Authenticate", "Bearer"),), None
        if request.method == "POST":
            return self._posted(request)
        found = self.things.get(request.path.removeprefix("/things/")) if not things else {}
        if found is None or not request.path.startswith("/things") or request.query not in {(), VIEW}:
            return 404, (), None
        tag = "b" if request.method == "HEAD" and "head" in self.defects else "a"
        return 200, (("ETag", tag),), found if request.method == "GET" else None

    def _posted(self, request: Request) -> tuple[int, tuple[tuple[str, str], ...], Any]:
        if (refusal := self._refusal(request)) is not None:
            return refusal, (), None
        key = f"k{next(self.numbers)}"
        self.things[key] = {"id": key, **(request.json() or {})}
        place = "/v9/things" if "location" in self.defects else "/things"
        query = "?view=all%20of+it&a=%26" if "location has a query" in self.defects else ""
        return 201, (("Location", f"{place}/{key}{query}"),), self.things[key]

    def _cors(self, request: Request) -> tuple[tuple[str, str], ...]:
        origin = dict(request.headers).get("Origin", "")
        creds = (("Access-Control-Allow-Credentials", "true"),)
        vary = () if "no vary" in self.defects else (("Vary", "Origin"),)
        vary = (("Vary", "Accept-Encoding"), *vary) if "two lines" in self.defects else vary
        allow = origin if origin == SHOP and "refuses" not in self.defects else ""
        if "reflects" in self.defects or ("prefix" in self.defects and origin.startswith(SHOP)):
            allow = origin
        if "null" in self.defects and origin == "null":
            allow = origin
        if "star" in self.defects:
            allow = "*"
        if ("first" in self.defects and origin) or "fixed" in self.defects:
            allow = SHOP
        permitted = (("Access-Control-Allow-Headers", "Authorization"),)
        return (*vary, ("Access-Control-Allow-Origin", allow), *creds, *permitted) if allow else vary


def examined(promise: Promise, gate: Gate) -> list[Verdict]:
    """The verdict of each of a promise's cases."""
    found = []
    for operation in gate.contract.operations:
        if not promise.applies(gate.contract, operation):
            continue
        for case in promise.cases(gate.contract, operation, Random(1)) if promise.cases else ():
            stage = Stage(gate.contract, Actors(IDENTITIES, {}), Random(2), f"n{next(gate.numbers)}")
            done = drive(case, stage, gate, sleep=lambda _seconds: None)
            assert promise.judge is not None
            found.append(promise.judge(gate.contract, operation, done.exchanges))
            assert done.reason == "", case.key
    return found


def faults(verdicts: list[Verdict]) -> set[tuple[str, str, str]]:
    """Code, operation and kind of what was found."""
    return {(item.code, item.operation, item.kind) for verdict in verdicts for item in verdict.findings}
