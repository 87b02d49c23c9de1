"""An API in memory that keeps its promises, and with a named defect breaks one: people, and notes that they own.

Each request is a generator that yields between its atomic steps, so that a drawn schedule decides how requests that
were released together interleave.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import Sender, drive
from harness.exchange import Exchange, Request, Response
from harness.stage import Stage
from harness.verdict import Verdict
from tests.unit.harness.promises.shelf_document import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.promises.promise import Promise

IDENTITIES: dict[str, Any] = {
    "roles": ["reader", "writer", "admin"],
    "default_role": "reader",
    "register": {
        "operation": "users.create",
        "body": {"email": "{name}@example.test", "name": "{name}", "password": "{password}"},
        "facts": {"id": "/id"},
    },
    "login": {"operation": "login", "body": {"name": "{name}", "password": "{password}"}, "token": "/token"},
    "grant": {"operation": "users.roles", "by": "admin", "path": {"id": "{id}"}, "body": {"roles": ["{role}"]}},
    "known": [{"name": "root", "roles": ["admin"], "token": "t-root"}],
}


class Refused(Exception):
    """A request's end with a status other than the handler's own."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


@dataclass
class Shelf:
    """The API, with defects by name. `choose(n)` decides which of n requests goes on; `fault(request)` what befalls it.

    A fault is `lost` (done, the answer is lost), `dropped` (not done, no answer), or an answer's status (not done).
    """

    defects: frozenset[str] = frozenset()
    choose: Callable[[int], int] = lambda _count: 0
    fault: Callable[[Request], str | int] = lambda _request: ""
    seen: Callable[[Exchange], None] = lambda _exchange: None
    contract: Contract = field(default_factory=lambda: Contract.read(document(), "shelf"))
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: dict[str, dict[str, Any]] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.people["root"] = {"id": "root", "email": "r", "name": "root", "roles": ["reader", "admin"]}

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        return self.release([request], case=case)[0]

    def release(self, requests: Sequence[Request], *, case: str = "") -> tuple[Exchange, ...]:
        """Requests whose atomic steps interleave as `choose` says."""
        answers: dict[int, Response | None] = {}
        faults = [self.fault(request) for request in requests]
        running = {}
        for index, request in enumerate(requests):
            if faults[index] == "dropped" or isinstance(faults[index], int):
                answers[index] = None if faults[index] == "dropped" else Response(int(faults[index]))
            else:
                running[index] = self._handle(request)
        while running:
            index = sorted(running)[self.choose(len(running)) % len(running)]
            try:
                next(running[index])
            except StopIteration as end:
                status, body = end.value
                headers = (("ETag", f'"{body["version"]}"'),) if isinstance(body, dict) and "version" in body else ()
                answers[index] = Response(status, headers, json.dumps(body).encode() if body is not None else b"")
            except Refused as end:
                answers[index] = Response(end.status)
            if index in answers:
                del running[index]
                answers[index] = None if faults[index] == "lost" else answers[index]
        exchanges = tuple(
            Exchange(f"x{next(self.numbers)}", request, answers[index], 0, 0, 0, case=case)
            for index, request in enumerate(requests)
        )
        for exchange in exchanges:
            self.seen(exchange)
        return exchanges

    def has(self, defect: str) -> bool:
        """Whether the API has the defect."""
        return defect in self.defects

    def _handle(self, request: Request) -> Any:
        token = dict(request.identity.headers).get("Authorization", "").removeprefix("Bearer t-")
        caller = self.people.get(token)
        parts = request.path.strip("/").split("/")
        body = request.json() or {}
        yield
        name = request.operation
        if name in {"login", "users.create"}:
            return self._enter(name, body)
        if name == "notes.list":
            return self._page(dict(request.query))
        if name == "notes.get":
            return 200, dict(self._note(parts[1], hidden=True))
        if caller is None and not self.has(f"open {name}"):
            raise Refused(401)
        if name.startswith("users."):
            return self._person(name, caller or {}, parts[1], body)
        if name == "notes.update":
            return (yield from self._update(request, caller or {}, parts[1], body))
        return self._note_or_pin(name, caller or {"id": "nobody", "roles": []}, parts, body)

    def _enter(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        if name == "login":
            known = next((key for key, one in self.people.items() if one["name"] == body["name"]), None)
            return (200, {"token": f"t-{known}"}) if known else (401, None)
        key = f"p{next(self.numbers)}"
        self.people[key] = {"id": key, "email": body["email"], "name": body["name"], "roles": ["reader"]}
        return 201, self.people[key]

    def _person(self, name: str, caller: dict[str, Any], key: str, body: dict[str, Any]) -> tuple[int, Any]:
        admin = "admin" in caller.get("roles", ()) and not self.has(f"no admin {name}")
        mine = admin or caller.get("id") == key or self.has(f"open {name}")
        self._hold(key, body)
        if name == "users.roles" and not admin:
            raise Refused(403)
        if key not in self.people:
            raise Refused(403 if self.has("existence") and not mine else 404)
        if name in {"users.update", "users.delete"} and not mine:
            if self.has("refuses and acts") or (self.has("refuses an admin and acts") and "admin" in caller["roles"]):
                self.people[key]["name"] = "acted"
            seen = self.has("stranger 403") or (self.has("admin 403") and "admin" in caller["roles"])
            raise Refused(403 if seen else 404)
        if name == "users.delete":
            del self.people[key]
            return 204, None
        if name == "users.roles":
            self.people[key]["roles"] = ["reader", *body["roles"]]
        if name == "users.update" and not self.has("update lost"):
            self.people[key]["name"] = body.get("name", self.people[key]["name"])
            if self.has("takes all"):
                self.people[key].update(body)
            elif set(body) - {"name"}:
                raise Refused(400)
        return 200, dict(self.people[key])

    def _hold(self, key: str, body: dict[str, Any]) -> None:
        if self.has("validates first") and key in self.people and set(body) - {"name"}:
            raise Refused(400)

    def _note(self, key: str, *, hidden: bool = False) -> dict[str, Any]:
        found = self.notes.get(key)
        if found is None and key in self.gone and self.has("reads deleted" if hidden else "changes deleted"):
            found = self.gone[key]
        if found is None:
            raise Refused(404)
        return found

    def _page(self, query: dict[str, str]) -> tuple[int, Any]:
        size, page = int(query.get("limit", 5)), int(query.get("page", 1))
        every = [] if self.has("unlisted") else list(self.notes.values())
        every += list(self.gone.values()) if self.has("lists deleted") else []
        return 200, {"items": every[(page - 1) * size : page * size], "total": len(every)}

    def _gate(self, caller: dict[str, Any], note: dict[str, Any], name: str) -> None:
        admin = "admin" in caller.get("roles", ()) and not self.has(f"no admin {name}")
        loose = self.has(f"open {name}") or (self.has("open once published") and note["id"] in self.published)
        if not admin and note["ownerId"] != caller.get("id") and not loose:
            raise Refused(403)
        if self.has(f"no owner {name}") and not admin:
            raise Refused(403)

    def _update(self, request: Request, caller: dict[str, Any], key: str, body: dict[str, Any]) -> Any:
        note = self._note(key)
        self._gate(caller, note, "notes.update")
        match = dict(request.headers).get("If-Match")
        if match is None and "version" not in body and not self.has("missing accepted"):
            raise Refused(428)
        current = note["version"]
        if self.has("check, then write"):
            yield
        stale = (
            412
            if match is not None and match != f'"{current}"'
            else 409
            if body.get("version", current) != current
            else 0
        )
        if stale and key not in self.gone and not self.has("stale accepted"):
            if self.has("refuses and acts"):
                note.update({name: body[name] for name in ("title", "stars") if name in body})
            raise Refused(400 + 421 - stale if self.has("other status") else stale)
        if set(body) - {"title", "stars", "version"} and not self.has("takes all"):
            raise Refused(400)
        if not self.has("check, then write"):
            note = self._note(key)
        else:
            yield
        quiet = self.has("stars alone raise nothing") and "title" not in body
        raised = note["version"] + (0 if self.has("not raised") or quiet else 1)
        kept = {} if self.has("update lost") else {name: value for name, value in body.items() if name != "version"}
        if self.has("zero is nothing"):
            kept = {name: value for name, value in kept.items() if value != 0}
        note.update(kept, version=raised)
        yield
        return 200, dict(note)

    def _note_or_pin(
        self, name: str, caller: dict[str, Any], parts: list[str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        if name == "notes.create":
            if not {"writer", "admin"} & set(caller["roles"]) and not self.has("any role"):
                raise Refused(403)
            if set(body) - {"title", "stars"} and not self.has("takes all"):
                raise Refused(400)
            key = f"n{next(self.numbers)}"
            note = {"id": key, "ownerId": caller["id"], "title": "", "stars": 3, "version": 1, "hidden": False, **body}
            if not self.has("loses notes"):
                self.notes[key] = note
            return 201, dict(note)
        if name == "notes.publish":
            self._gate(caller, self._note(parts[1]), name)
            self.published.add(parts[1])
            return 200, dict(self.notes[parts[1]])
        if name == "notes.delete":
            if parts[1] in self.gone and self.has("deletes twice"):
                return 204, None
            note = self._note(parts[1])
            self._gate(caller, note, name)
            self.gone[parts[1]] = self.notes.pop(parts[1], note)
            return 204, None
        if name == "pins.create" and body["noteId"] not in self.notes and not self.has("pins deleted"):
            raise Refused(400)
        return 200, {"id": "pin1"}


class Sending(Sender, Protocol):
    """An API that is sent to, with its contract."""

    contract: Contract


def examined(
    promise: Promise, shelf: Sending, operation_id: str, *, only: str = "", seed: int = 1, people: Any = IDENTITIES
) -> Verdict:
    """The merged verdict of a promise's cases on an operation, each judged from what a history would keep of it."""
    operation = shelf.contract.by_id[operation_id]
    assert promise.cases is not None
    findings, reasons, count = {}, [], 0
    for case in promise.cases(shelf.contract, operation, Random(seed)):
        if only and not case.name.startswith(only):
            continue
        stage = Stage(shelf.contract, Actors(people), Random(seed), f"n{seed}{operation_id}{case.name}")
        driven = drive(case, stage, shelf, sleep=lambda _seconds: None)
        kept = [Exchange.from_record(exchange.to_record()) for exchange in driven.exchanges]
        verdict = promise.judge(shelf.contract, operation, kept)
        findings |= {(finding.code, finding.kind): finding for finding in verdict.findings}
        reasons += list(filter(None, (driven.reason, verdict.reason)))
        count += verdict.examined
    return Verdict(promise.key, operation_id, count, tuple(findings.values()), "; ".join(reasons))


def codes(verdict: Verdict) -> set[str]:
    """The codes of a verdict's findings."""
    return {finding.code for finding in verdict.findings}


def every(promise: Promise, shelf: Shelf) -> Iterable[Verdict]:
    """A verdict for each operation that has the promise."""
    for operation in shelf.contract.operations:
        if promise.applies(shelf.contract, operation):
            yield examined(promise, shelf, operation.id)
