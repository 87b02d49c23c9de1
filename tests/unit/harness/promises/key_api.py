"""An API in memory that issues keys with an end and scopes, by a clock of its own; with a named defect they hold on."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.key import PROMISE
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.drive import Driven
    from harness.verdict import Verdict

TOLD: dict[str, Any] = {
    "scheme": "key",
    "credential": "/key",
    "revoke": "revokeKey",
    "end": "/expiresIn",
    "until": "/expiresAt",
    "scopes": "/scopes",
    "grants": {"read": ["GET"], "write": ["GET", "POST", "PATCH"]},
}
SCHEMES: dict[str, dict[str, str]] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
PEOPLE = {"known": [{"name": "ann", "roles": ["user"], "token": "session-of-ann"}]}
TEXT = {"type": "string", "minLength": 1}
SECONDS: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 86400}
MOMENT = {"type": "string", "format": "date-time"}
LIST: dict[str, Any] = {"type": "array", "items": {"enum": ["read", "write"]}}


def document(
    told: Any = TOLD, *, scheme: str = "header", end: Any = SECONDS, scopes: Any = LIST, needed: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Pets that a session or a key reads and writes, and keys that a session makes."""
    either, session = [{"session": []}, {"key": []}], [{"session": []}]
    pet = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    key = {"type": "object", "properties": {"expiresIn": end, "scopes": scopes}, "required": ["scopes", *needed]}
    at = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]

    def operation(name: str, security: Any, body: Any = None, **more: Any) -> dict[str, Any]:
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        return {"operationId": name, "security": security, "responses": {"200": {"description": ""}}, **sent, **more}

    promised = {"x-promises": {"key": told}} if told else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "keys", "version": "1"},
        "components": {"securitySchemes": {"session": SCHEMES["bearer"], "key": SCHEMES[scheme]}},
        "paths": {
            "/keys": {"post": operation("addKey", session, key, **promised)},
            "/keys/{id}": {"parameters": at, "delete": operation("revokeKey", session)},
            "/pets": {"get": operation("listPets", either), "post": operation("addPet", either, pet)},
            "/pets/{id}": {
                "parameters": at,
                "get": operation("getPet", either),
                "patch": operation("updatePet", either, pet),
            },
        },
        "x-promises": {
            "resource": {
                "key": {"create": "addKey", "delete": "revokeKey", "id": "/id"},
                "pet": {"create": "addPet", "read": "getPet", "update": "updatePet", "id": "/id"},
            }
        },
    }


@dataclass
class Keys:
    """The API. Keys end `grace_s` after they are told to, revocation comes true after `late_s`; refusals vary."""

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=document)
    refusal: int = 403
    late_s: float = 0.0
    grace_s: float = 0.0
    step_s: float = 0.01
    dated: bool = True
    now_s: float = 1_700_000_000.25
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    pets: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "keys")

    def sleep(self, seconds: float) -> None:
        """The time passes."""
        self.now_s += seconds

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        self.now_s += self.step_s
        status, body = self._answer(request)
        date = format_datetime(datetime.fromtimestamp(int(self.now_s), UTC), usegmt=True)
        told = (("Date", date),) if self.dated else ()
        response = Response(status, told, json.dumps(body).encode()) if status else None
        moment = int(self.now_s * 1e9)
        return Exchange(f"x{next(self.numbers)}", request, response, moment, moment, moment, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any]:
        credential = next((value.removeprefix("Bearer ") for _, value in request.identity.headers), "")
        credential = credential.removeprefix("key=")
        session = credential == "session-of-ann"
        gate = 200 if session or "open" in self.defects else self._gate(credential)
        if gate != 200 or (request.path.startswith("/keys") and not session):
            return (gate if gate != 200 else self.refusal), None
        narrow = not session and request.method != "GET" and not self._writes(credential, request)
        if narrow and "acts" not in self.defects:
            return self.refusal, None
        answer = self._done(request)
        return (self.refusal, None) if narrow else answer

    def _gate(self, credential: str) -> int:
        key = self.keys.get(credential)
        if key is None and "begins" in self.defects:
            key = next((key for name, key in self.keys.items() if credential and name.startswith(credential)), None)
        if key is None or "knows none" in self.defects:
            return 401
        revoked = self.now_s >= key["revoked_s"] + self.late_s and "revoked" not in self.defects
        ended = self.now_s >= key["until_s"] + self.grace_s and "ended" not in self.defects
        if (revoked or ended) and "fails" in self.defects:
            return 500
        if (revoked or ended) and "falls silent" in self.defects:
            return 0
        return 401 if revoked or ended else 200

    def _writes(self, credential: str, request: Request) -> bool:
        if "scope" in self.defects or ("one route" in self.defects and request.method == "PATCH"):
            return True
        return credential not in self.keys or "write" in self.keys[credential]["scopes"]

    def _done(self, request: Request) -> tuple[int, Any]:
        body, name = request.json(), request.path.rpartition("/")[2]
        if request.operation == "addKey":
            return 201, self._issued(body)
        if request.operation == "revokeKey":
            key = next(key for key in self.keys.values() if key["id"] == name)
            key["revoked_s"] = min(self.now_s, key["revoked_s"])
            return 204, None
        if request.operation == "addPet":
            made = {"id": f"pet-{next(self.numbers)}", **body}
            self.pets[made["id"]] = made
            return 201, made
        if request.operation == "updatePet":
            self.pets[name] |= body
        return 200, self.pets.get(name, [])

    def _issued(self, body: dict[str, Any]) -> dict[str, Any]:
        asked = body.get("expiresIn")
        until_s = math.inf if asked is None else self.now_s + asked if isinstance(asked, int) else _epoch_s(asked)
        if "longer" in self.defects:
            until_s = max(until_s, self.now_s + 60)
        number = next(self.numbers)
        credential = f"secret-of-key-{number:06}"
        self.keys[credential] = {
            "id": f"key-{number}",
            "until_s": until_s,
            "revoked_s": math.inf,
            "scopes": body["scopes"],
        }
        moment = {} if math.isinf(until_s) else {"expiresAt": datetime.fromtimestamp(until_s, UTC).isoformat()}
        return {"id": f"key-{number}", "key": credential, **moment}


def _epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def driven(api: Keys, seed: int = 2, secret: Callable[[str, str], None] = lambda _value, _kind: None) -> Driven:
    """What came of the case; `secret` is told what is to be masked."""
    operation = api.contract.by_id["addKey"]
    assert PROMISE.cases is not None
    (case,) = PROMISE.cases(api.contract, operation, Random(1))
    stage = Stage(api.contract, Actors(PEOPLE, {}), Random(seed), f"n{next(api.numbers)}", secret=secret)
    return drive(case, stage, api, sleep=api.sleep)


def examined(api: Keys, seed: int = 2) -> Verdict:
    """The verdict, judged from what a history would keep."""
    assert PROMISE.judge is not None
    done = driven(api, seed)
    kept = [Exchange.from_record(json.loads(json.dumps(exchange.to_record()))) for exchange in done.exchanges]
    verdict = PROMISE.judge(api.contract, api.contract.by_id["addKey"], kept)
    return replace(verdict, reason="; ".join(filter(None, (done.reason, verdict.reason))))
