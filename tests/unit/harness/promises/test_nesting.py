"""The promise `resource` of what lies under another thing: it is not found under a third."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from harness.actors import Actors
from harness.contract import Contract
from harness.drive import drive
from harness.exchange import Exchange, Request, Response
from harness.promises.resource import PROMISE
from harness.stage import Stage

TEXT = {"type": "string", "minLength": 1}
CONTENT = {"application/json": {"schema": {"type": "object", "properties": {"id": TEXT, "name": TEXT}}}}
RESOURCES = {
    "shelf": {"create": "shelves.create", "read": "shelves.get", "id": "/id"},
    "book": {"create": "books.create", "read": "books.get", "id": "/id"},
}


def operation(name: str, status: str = "200", *, body: bool = False) -> dict[str, Any]:
    """One operation of the document."""
    new = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    sent = {"requestBody": {"required": True, "content": {"application/json": {"schema": new}}}} if body else {}
    return {"operationId": name, "responses": {status: {"description": "", "content": CONTENT}}, **sent}


def document() -> dict[str, Any]:
    """Shelves, and books on them."""
    ids = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in ("shelfId", "bookId")]
    return {
        "openapi": "3.1.0",
        "info": {"title": "library", "version": "1"},
        "x-promises": {"resource": RESOURCES},
        "paths": {
            "/shelves": {"post": operation("shelves.create", "201", body=True)},
            "/shelves/{shelfId}": {"parameters": ids[:1], "get": operation("shelves.get")},
            "/shelves/{shelfId}/books": {
                "parameters": ids[:1],
                "post": operation("books.create", "201", body=True),
            },
            "/shelves/{shelfId}/books/{bookId}": {"parameters": ids, "get": operation("books.get")},
        },
    }


@dataclass
class Library:
    """The API; `looks` says how a book is looked for: by both ids, by its own alone, or by neither in working order."""

    looks: str
    count: Any = field(default_factory=lambda: itertools.count(1))
    things: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)

    def send(self, request: Request, *, case: str = "") -> Exchange:
        """One request, to its end."""
        parts = tuple(request.path.strip("/").split("/"))
        if request.method == "POST":
            body = {"id": f"i{next(self.count)}", **(request.json() or {})}
            self.things[*parts, body["id"]] = body
            response = Response(201, (), json.dumps(body).encode())
        else:
            loose = [thing for key, thing in self.things.items() if key[-1] == parts[-1]]
            found = loose[0] if self.looks == "by its own" and loose else self.things.get(parts)
            fails = self.looks == "fails" and found is None
            response = Response(200 if found else 500 if fails else 404, (), json.dumps(found).encode())
        return Exchange(f"x{next(self.count)}", request, response, 0, 0, 0, case=case)

    def release(self, requests: Any, *, case: str = "") -> tuple[Exchange, ...]:
        """Requests in turn."""
        return tuple(self.send(request, case=case) for request in requests)


@pytest.mark.parametrize(
    ("looks", "examined", "codes"),
    [("by both", 1, []), ("by its own", 1, ["resource.hierarchy"]), ("fails", 0, [])],
)
def test_a_book_is_found_on_its_own_shelf_alone(looks: str, examined: int, codes: list[str]) -> None:
    """A book on another shelf is refused; shown there it is a finding; a server error says neither."""
    contract = Contract.read(document(), "library")
    read = contract.by_id["books.get"]
    assert PROMISE.cases is not None
    assert PROMISE.judge is not None
    (case,) = PROMISE.cases(contract, read, Random(1))
    done = drive(case, Stage(contract, Actors({}, {}), Random(2), "n"), Library(looks), sleep=lambda _seconds: None)
    verdict = PROMISE.judge(contract, read, done.exchanges)
    assert (done.reason, verdict.examined, [item.code for item in verdict.findings]) == ("", examined, codes)


def test_what_lies_under_nothing_has_no_such_case() -> None:
    """A shelf is read by its own id alone."""
    contract = Contract.read(document(), "library")
    assert PROMISE.cases is not None
    assert PROMISE.cases(contract, contract.by_id["shelves.get"], Random(1)) == ()
