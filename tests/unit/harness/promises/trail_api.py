"""An API in memory that keeps a trail of what is done to its notes; with a named defect one that is untrue."""

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
from harness.promises.trail import PROMISE
from harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.verdict import Verdict

TEXT = {"type": "string", "minLength": 1}
TOLD: dict[str, Any] = {
    "actor": "/who",
    "action": "/what",
    "subject": "/note",
    "of": [
        {"operation": "addNote", "action": "added"},
        {"operation": "editNote", "action": "edited"},
        {"operation": "dropNote", "action": "dropped"},
    ],
}
FILTER = {"parameters": {"note": {"operator": "equals", "members": ["/note"]}}}
PEOPLE = {
    "register": {"operation": "join", "body": {"name": "{name}"}, "facts": {"id": "/id"}},
    "login": {"operation": "enter", "body": {"name": "{name}"}, "token": "/token"},
}
WORDS = {"addNote": "added", "editNote": "edited", "dropNote": "dropped"}


def document(told: Any = TOLD, *, filtered: bool = True) -> dict[str, Any]:
    """People who join, their notes, and the trail, newest entries first."""
    name = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    note = {"type": "object", "properties": {"text": TEXT}, "required": ["text"]}
    shown = {"type": "object", "properties": {"id": TEXT, "text": TEXT}}
    at = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]

    def operation(name: str, body: Any = None, *, secured: bool = True, **promises: Any) -> dict[str, Any]:
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        answers = {"200": {"description": "", "content": {"application/json": {"schema": shown}}}}
        security = [{"token": []}] if secured else []
        return {"operationId": name, "security": security, "responses": answers, "x-promises": promises, **sent}

    page = {
        "style": "offset",
        "parameters": {"offset": "offset", "limit": "limit"},
        "members": {"items": "/items", "total": "/total"},
    }
    trail = operation("listTrail", trail=told, page=page, **({"filter": FILTER} if filtered else {}))
    whole = {"type": "integer", "minimum": 0, "maximum": 4}
    queries = [("offset", {"type": "integer", "minimum": 0}), ("limit", whole), ("note", TEXT)]
    trail["parameters"] = [{"name": name, "in": "query", "schema": schema} for name, schema in queries]
    return {
        "openapi": "3.1.0",
        "info": {"title": "trail", "version": "1"},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "x-promises": {
            "resource": {
                "note": {
                    "create": "addNote", "read": "getNote", "update": "editNote", "delete": "dropNote", "id": "/id",
                }
            }
        },
        "paths": {
            "/join": {"post": operation("join", name, secured=False)},
            "/enter": {"post": operation("enter", name, secured=False)},
            "/notes": {"post": operation("addNote", note)},
            "/notes/{id}": {
                "parameters": at,
                "get": operation("getNote"),
                "patch": operation("editNote", note),
                "delete": operation("dropNote"),
            },
            "/trail": {"get": trail},
        },
    }  # fmt: skip


@dataclass
class Trail:
    """The API; an entry appears once `late` further requests came, and `others` write as many beside each call."""

    defects: frozenset[str] = frozenset()
    told: dict[str, Any] = field(default_factory=document)
    late: int = 0
    others: int = 0
    fault: Callable[[Request], str | int] = lambda _request: ""
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    people: dict[str, str] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.contract = Contract.read(self.told, "trail")

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        fault = self.fault(request)
        status, body = (int(fault), None) if isinstance(fault, int) else self._answer(request)
        response = None if fault == "lost" else Response(status, (), json.dumps(body).encode())
        return Exchange(f"x{next(self.numbers)}", request, response, 0, 0, 0, case=case)

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """One after the other."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, Any]:
        name, body = request.operation, request.json() or {}
        if name == "join":
            self.people[body["name"]] = f"u{next(self.numbers)}"
            return 201, {"id": self.people[body["name"]]}
        if name == "enter":
            return 200, {"token": self.people[body["name"]]}
        caller = dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer ")
        if caller not in self.people.values():
            return 401, None
        return self._page(dict(request.query)) if name == "listTrail" else self._write(name, request, body, caller)

    def _write(self, name: str, request: Request, body: Any, caller: str) -> tuple[int, Any]:
        key = request.path.rpartition("/")[2] if name != "addNote" else f"n{next(self.numbers)}"
        if name != "addNote" and key not in self.notes:
            return 404, None
        if name == "getNote":
            return 200, self.notes[key]
        self.notes[key] = {**self.notes.get(key, {"id": key}), **body}
        shown = self.notes.pop(key) if name == "dropNote" else self.notes[key]
        if f"silent {name}" not in self.defects:
            who = "u0" if "swapped" in self.defects else caller
            what = "done" if "one word" in self.defects else WORDS[name]
            self.entries.insert(0, {"id": next(self.numbers), "who": who, "what": what, "note": key})
        for _ in range(self.others):
            self.entries.insert(0, {"id": next(self.numbers), "who": "u0", "what": WORDS[name], "note": "n0"})
        return 200, shown

    def _page(self, query: dict[str, str]) -> tuple[int, Any]:
        self.asked += 1
        hidden = [] if self.asked <= self.late else self.entries
        found = [entry for entry in hidden if query.get("note", entry["note"]) == entry["note"]]
        start, size = int(query.get("offset", 0)), int(query.get("limit", 4))
        return 200, {"items": found[start : start + size], "total": len(found)}


def examined(api: Trail, people: Any = PEOPLE) -> list[Verdict]:
    """The verdict of each case."""
    found = []
    operation = api.contract.by_id["listTrail"]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    for case in PROMISE.cases(api.contract, operation, Random(1)):
        api.asked = 0
        stage = Stage(api.contract, Actors(people, {}), Random(2), f"n{next(api.numbers)}")
        done = drive(case, stage, api, sleep=lambda _seconds: None)
        found.append(PROMISE.judge(api.contract, operation, done.exchanges))
    return found
