"""An API of one book, its steps, and the file of a finding at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import Contract
from harness.exits import Exit
from harness.finding import Finding, Reproduction, Severity
from harness.render import alone, assertion
from harness.report import Report, RunStatus, Target
from tests.unit.harness.render.shelf import METHODS, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.render.stated import Stated

BOOK = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "price": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shelf", "version": "1"},
    "components": {"schemas": {"Book": BOOK, "Error": {"type": "object", "required": ["code"]}}},
    "x-promises": {
        "envelope": {"schema": {"$ref": "#/components/schemas/Error"}},
        "headers": {"X-A": {"const": "1"}, "X-B": {"pattern": "^b"}, "X-C": {}, "Server": {"absent": True}},
        "resource": {"book": {"create": "make", "read": "get", "update": "put", "delete": "del", "again": 410}},
    },
    "paths": {
        "/books": {"post": {"operationId": "make", "responses": {"201": {"description": "made"}}}},
        "/books/{id}": {
            "get": {
                "operationId": "get",
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Book"}}}},
                    "4XX": {"description": "no"},
                },
            },
            "put": {
                "operationId": "put",
                "x-promises": {
                    "roles": {"allow": ["admin"], "anonymous": 401, "refused": 403},
                    "owner": {"stranger": 404},
                    "version": {"forms": [{"in": "header", "name": "If-Match", "stale": 412}], "missing": 428},
                },
                "responses": {"200": {"description": "put"}},
            },
            "delete": {"operationId": "del", "responses": {"204": {"description": "gone"}}},
        },
    },
}


def step(operation: str, word: str = "", **more: Any) -> dict[str, Any]:
    """A step on one book or on all; `more` replaces members."""
    one = operation != "make"
    told = {
        "operation": operation,
        "method": METHODS[operation],
        "path": "/books/old-id" if one else "/books",
        "step": word,
        "filled": {"path:2": {"step": 0, "place": "/id"}} if one else {},
    }
    return recorded(**{**told, **more})


def written(finding: Finding, stated: Stated) -> str:
    """The text of a finding's file."""
    report = Report("run", RunStatus.COMPLETE, Exit.FINDINGS, Target("url", "http://127.0.0.1:9"), findings=(finding,))
    return alone.render(finding, report, stated).decode()


def made(code: str, kind: str, operation: str, *steps: Mapping[str, Any], expect: Any = None) -> tuple[list[str], str]:
    """The lines that assert a finding, and its file."""
    told = Reproduction("", {"expect": expect} if expect else {}, steps)
    finding = Finding(code, "a fault", Severity.LOW, operation, kind, "It holds.", "It did not.", reproduction=told)
    patterns = {("leaks.stack", "Python traceback"): "Traceback"}
    stated = assertion.asserted(Contract(DOCUMENT), finding, patterns)
    return list(stated.lines), written(finding, stated)
