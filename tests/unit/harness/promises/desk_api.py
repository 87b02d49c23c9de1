"""An API in memory that changes nothing where it refuses and keeps numbers whole; with a named defect it does not."""

from __future__ import annotations

import html
import itertools
import json
import struct
import unicodedata
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.promises.promise import Promise
    from harness.verdict import Verdict

LONGEST = 60
TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST}
TOP = 2**60
MEMBERS: dict[str, Any] = {
    "name": TEXT,
    "note": TEXT,
    "count": {"type": "integer", "minimum": 0, "maximum": TOP},
    "fee": {"type": "number", "minimum": 0, "maximum": 1000, "multipleOf": 0.01},
}
PARTS = {"name": (str,), "note": (str,), "count": (int,), "fee": (int, float)}


def document(members: Mapping[str, Any] = MEMBERS, **promises: Any) -> dict[str, Any]:
    """Folders that anyone makes, reads, lists, changes and replaces."""
    thing = {"type": "object", "properties": {"id": TEXT, "seen": {"type": "integer"}, **members}}
    content = {"application/json": {"schema": thing}}
    listed = {"type": "object", "properties": {"items": {"type": "array", "items": thing}}}
    whole = {"type": "object", "properties": members, "required": ["name"], "additionalProperties": False}
    patch = {"type": "object", "properties": members, "additionalProperties": False}

    def operation(name: str, body: Any = None, answer: Any = None, status: str = "200") -> dict[str, Any]:
        told = {"operationId": name, "responses": {status: {"description": "", "content": answer or content}}}
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        return {**told, **sent}

    return {
        "openapi": "3.1.0",
        "info": {"title": "desk", "version": "1"},
        "x-promises": promises,
        "paths": {
            "/folders": {
                "get": operation("folders.list", None, {"application/json": {"schema": listed}}),
                "post": operation("folders.create", whole, status="201"),
            },
            "/folders/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
                "get": operation("folders.get"),
                "patch": operation("folders.update", patch),
                "put": operation("folders.replace", whole),
            },
        },
    }


@dataclass
class Desk:
    """The API; `defects` are named in `_write` and `_kept`."""

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=lambda: document(writes={"replaces": True}))
    fault: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "desk")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        status, body = self._answer(request)
        if self.fault and request.method in {"PATCH", "PUT"}:
            status = self.fault
        response = Response(status, (), json.dumps(body).encode() if body is not None else b"")
        return Exchange(f"x{next(self.numbers)}", request, response, 0, 0, 0, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any]:
        key = request.path.removeprefix("/folders").strip("/")
        body = request.json()
        if request.method == "GET" and not key:
            return 200, {"items": list(self.folders.values())}
        if key and key not in self.folders:
            return 404, None
        if request.method == "GET":
            self.folders[key]["seen"] += 1
            return 200, dict(self.folders[key])
        if request.method == "POST":
            return self._made(body)
        return self._write(request.method, self.folders[key], body)

    def _made(self, body: Any) -> tuple[int, Any]:
        right = self._right(body) and "name" in body
        if right or ("makes refused" in self.defects and isinstance(body, dict) and "name" in body):
            made = {"id": f"f{next(self.numbers)}", "seen": 0, **self._kept(body)}
            self.folders[made["id"]] = made
            if right:
                return 201, made
        return 400, None

    def _write(self, method: str, folder: dict[str, Any], body: Any) -> tuple[int, Any]:
        right = self._right(body) and (method == "PATCH" or "name" in body)
        if not right:
            if "writes first" in self.defects and isinstance(body, dict):
                folder.update({name: body[name] for name in PARTS if isinstance(body.get(name), str)})
            return 400, None
        before = folder.get("count", 0)
        if method == "PUT" and "merges" not in self.defects:
            for name in PARTS:
                folder.pop(name, None)
        folder.update(self._kept(body))
        if method == "PUT" and "adds" in self.defects:
            folder["count"] = before + body.get("count", 1) + 1
        return 200, dict(folder)

    def _right(self, body: Any) -> bool:
        if not isinstance(body, dict) or set(body) - set(PARTS):
            return False
        fits = all(type(value) in PARTS[name] for name, value in body.items())
        return fits and all(self._within(value) for value in body.values())

    def _within(self, value: Any) -> bool:
        if "one less" in self.defects and (value == TOP or (isinstance(value, str) and len(value) == LONGEST)):
            return False
        if "one more" in self.defects and isinstance(value, str) and len(value) == 1:
            return False
        return 0 <= value <= TOP if isinstance(value, int | float) else 1 <= len(value) <= LONGEST

    def _kept(self, body: Mapping[str, Any]) -> dict[str, Any]:
        count = body.get("count", 0)
        if "floats" in self.defects:
            count = int(float(count))
        if "cuts" in self.defects:
            count &= 0xFFFFFFFF
        if "single" in self.defects:
            count = int(struct.unpack("f", struct.pack("f", count))[0])
        told = {**body, **({"count": count} if "count" in body else {})}
        if "hundredths" in self.defects and "fee" in body:
            told["fee"] = int(body["fee"] * 100) / 100
        texts = {name: value for name, value in body.items() if isinstance(value, str)}
        if "tenths" in self.defects and "fee" in body:
            told["fee"] = round(body["fee"], 1)
        if "ascii" in self.defects:
            told |= {name: value.encode("ascii", "replace").decode() for name, value in texts.items()}
        if "escapes" in self.defects:
            told |= {name: html.escape(value) for name, value in texts.items()}
        if "frames" in self.defects:
            told |= {name: f"<p>{html.escape(value)}</p>" for name, value in texts.items()}
        if "trims" in self.defects:
            told |= {name: unicodedata.normalize("NFD", f" {value}").upper().strip() for name, value in texts.items()}
        return told


def examined(promise: Promise, desk: Desk) -> list[Verdict]:
    """The verdict of each of a promise's cases."""
    found = []
    for operation in desk.contract.operations:
        if promise.cases is None or not promise.applies(desk.contract, operation):
            continue
        for case in promise.cases(desk.contract, operation, Random(1)):
            stage = Stage(desk.contract, Actors({}, {}), Random(2), f"n{next(desk.numbers)}")
            done = drive(case, stage, desk, sleep=lambda _seconds: None)
            assert promise.judge is not None
            found.append(promise.judge(desk.contract, operation, done.exchanges))
    return found
