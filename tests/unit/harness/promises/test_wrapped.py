"""Things that stand in a member `data` of every body, of which none must be sent, and whose time changes by itself."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.contract import Contract
from harness.exchange import Exchange, Request, Response
from harness.promises import resource, version, writes
from tests.unit.harness.promises.desk_api import Desk, examined

if TYPE_CHECKING:
    from harness.promises.promise import Promise
    from harness.verdict import Verdict

NOTE = {"type": "object", "properties": {"data": {"type": "object", "properties": {"title": {}}}}}
SHOWN = {"type": "object", "properties": {"data": {"type": "object"}}}
IF_MATCH = {"in": "header", "name": "If-Match", "from": "header:ETag", "stale": 412}


def document() -> dict[str, Any]:
    """Notes that anyone makes, reads, changes and replaces."""

    def operation(name: str, body: Any = None, status: str = "200", **promises: Any) -> dict[str, Any]:
        content = {"application/json": {"schema": SHOWN}}
        told = {"operationId": name, "responses": {status: {"description": "", "content": content}}}
        sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}
        return {**told, **sent, "x-promises": promises}

    actions = {"create": "add", "read": "get", "update": "change"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "x-promises": {"resource": {"note": {**actions, "id": "/data/id"}}},
        "paths": {
            "/notes": {"post": operation("add", NOTE, "201")},
            "/notes/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": operation("get"),
                "patch": operation("change", NOTE, version={"resource": "note", "forms": [IF_MATCH]}),
                "put": operation("replace", NOTE),
                "delete": operation("drop", version={"resource": "note", "forms": [IF_MATCH], "missing": 428}),
            },
        },
    }


@dataclass
class Notes:
    """The API, right or with a defect.

    `stale`: If-Match is passed over; `lost`: a change is not kept; `adds`: a PUT adds to what was there; `acts`: it
    deletes what it refuses to delete; `careless`: it deletes without a version.
    """

    defect: str = ""
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    contract: Contract = field(default_factory=lambda: Contract.read(document(), "notes"))

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        status, note = self._answer(request)
        headers = (("ETag", f'"{note["changed"]}"'),) if note else ()
        response = Response(status, headers, json.dumps({"data": note} if note else {}).encode())
        return Exchange(f"x{next(self.numbers)}", request, response, 0, 0, 0, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)

    def _answer(self, request: Request) -> tuple[int, dict[str, Any] | None]:
        key, sent = request.path.removeprefix("/notes").strip("/"), request.json()
        if request.method == "POST":
            key = f"n{next(self.numbers)}"
        elif key not in self.notes:
            return 404, None
        if request.method == "GET":
            return 200, self.notes[key]
        if request.method == "DELETE":
            return self._dropped(key, dict(request.headers).get("If-Match"))
        data = sent.get("data", {}) if isinstance(sent, dict) else None
        if not isinstance(data, dict):
            return 400, None
        match = dict(request.headers).get("If-Match")
        before = self.notes.get(key, {"id": key})
        if match and self.defect != "stale" and match != f'"{before["changed"]}"':
            return 412, None
        kept = {} if request.method == "PATCH" and self.defect == "lost" else data
        if request.method == "PUT" and self.defect == "adds":
            kept = {"title": f"{before.get('title', '')}{data.get('title')}"}
        old = before if request.method == "PATCH" else {}
        self.notes[key] = {**old, **kept, "id": key, "changed": next(self.numbers)}
        return 201 if request.method == "POST" else 200, self.notes[key]

    def _dropped(self, key: str, match: str | None) -> tuple[int, dict[str, Any] | None]:
        if not match and self.defect != "careless":
            return 428, None
        stale = match is not None and match != f'"{self.notes[key]["changed"]}"'
        if not stale or self.defect in {"stale", "acts"}:
            del self.notes[key]
        return 412 if stale and self.defect != "stale" else 200, None


def verdicts(promise: Promise, defect: str = "") -> list[Verdict]:
    """The verdict of each of a promise's cases."""
    return examined(promise, cast("Desk", Notes(defect)))


def found(promise: Promise, defect: str) -> set[tuple[str, str]]:
    """Code and operation of what is found."""
    return {(item.code, item.operation) for verdict in verdicts(promise, defect) for item in verdict.findings}


@pytest.mark.parametrize("promise", [resource.PROMISE, version.PROMISE, writes.PROMISE], ids=lambda item: str(item.key))
def test_what_changes_by_itself_is_no_finding(promise: Promise) -> None:
    """A member beside what was sent, under the same `data`, may change with every write."""
    assert {finding.code for verdict in verdicts(promise) for finding in verdict.findings} == set()


def test_a_thing_is_made_with_what_will_be_changed() -> None:
    """Where a create must set nothing that an update changes, it sets one such member, so that the change is seen."""
    told = sorted((item.operation, item.examined > 0) for item in verdicts(version.PROMISE))
    assert told == [("change", True)] * 2 + [("drop", True)] * 2
    assert [item.examined > 0 for item in verdicts(resource.PROMISE) if item.operation == "change"] == [True] * 2


@pytest.mark.parametrize(
    ("promise", "defect", "code"),
    [
        (version.PROMISE, "stale", ("version.lost-update", "change")),
        (version.PROMISE, "stale", ("version.lost-update", "drop")),
        (version.PROMISE, "acts", ("version.lost-update", "drop")),
        (version.PROMISE, "careless", ("version.missing-accepted", "drop")),
        (resource.PROMISE, "lost", ("resource.update-lost", "change")),
        (writes.PROMISE, "adds", ("writes.put-again", "replace")),
    ],
)
def test_a_wrong_write_is_found(promise: Promise, defect: str, code: tuple[str, str]) -> None:
    """What a write does to the member that it sent is judged as everywhere."""
    assert code in found(promise, defect)


def test_refusals_are_examined_though_any_version_is_accepted() -> None:
    """A write that no version stops is no reason to pass over what is refused for its body."""
    told = [item for item in verdicts(writes.PROMISE, "stale") if item.operation == "change"]
    assert [(item.examined > 0, item.findings) for item in told] == [(True, ())]
