"""A small API with promises, the steps that findings at it have, and its answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METHODS = {"make": "POST", "get": "GET", "list": "GET", "put": "PUT", "del": "DELETE", "head": "HEAD"}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "shelf", "version": "1"},
    "x-promises": {
        "resource": {
            "book": {
                "create": "make",
                "read": "get",
                "update": "put",
                "delete": "del",
                "list": "list",
                "items": "/items",
            }
        },
        "page": {"members": {"items": "/items", "total": "/total", "pages": "/pages"}},
        "sort": {"keys": {"price": "/price"}},
        "cache": {"age_s": 5, "private": True},
        "cors": {"origins": ["https://a.example"], "credentials": True},
        "tenant": {
            "told": [{"in": "header", "name": "X-Tenant"}, {"in": "path"}],
            "other": 403,
            "unknown": 404,
            "conflict": 409,
        },
    },
    "paths": {
        "/books": {
            "get": {"operationId": "list", "responses": {"200": {"description": "all"}}},
            "post": {
                "operationId": "make",
                "x-promises": {
                    "idempotency": {
                        "header": "Idempotency-Key",
                        "replayed": "X-Replayed",
                        "other_body": 422,
                        "missing": 400,
                        "max_length": 40,
                        "too_long": 414,
                    }
                },
                "responses": {"201": {"description": "made"}},
            },
        },
        "/books/{id}": {
            "get": {"operationId": "get", "responses": {"200": {"description": "one"}}},
            "head": {"operationId": "head", "responses": {"200": {"description": "one"}}},
            "put": {
                "operationId": "put",
                "x-promises": {"owner": {"resource": "book", "stranger": 404}},
                "responses": {"200": {"description": "put"}},
            },
            "delete": {
                "operationId": "del",
                "x-promises": {
                    "delete": {
                        "resource": "book",
                        "children": [{"resource": "book", "becomes": "gone"}],
                        "used": {"resource": "book", "status": 409},
                        "unique": {"member": "/code", "becomes": "free", "status": 409},
                        "counts": [{"operation": "list", "member": "/total"}],
                    }
                },
                "responses": {"204": {"description": "gone"}},
            },
        },
    },
}
OLD = "old-id-1"
Told = tuple[int, dict[str, str], Any]


def recorded(body: Any = None, **members: Any) -> dict[str, Any]:
    """A step as harness/sequence.py cuts it, by nobody and answered 200 where the members say nothing else."""
    return {
        "query": [],
        "headers": [],
        "body": None if body is None else json.dumps(body),
        "identity": {"name": "anonymous", "roles": [], "tenant": "", "facts": {}},
        "status": 200,
        "references": {},
        "filled": {},
        **members,
    }


def step(operation: str, word: str, **more: Any) -> dict[str, Any]:
    """A step on the shelf; what acts on a thing takes its id from the first answer."""
    own = operation in {"get", "put", "del", "head"}
    reference = {"step": 0, "place": "/id"}
    told = {
        "operation": operation,
        "method": METHODS[operation],
        "path": f"/books/{OLD}" if own else "/books",
        "step": word,
        "references": {OLD: reference} if own else {},
        "filled": {"path:2": reference} if own else {},
    }
    return recorded(**{**told, **more})


def nowhere(operation: str, word: str, id_: str) -> dict[str, Any]:
    """A step on a thing that is not there."""
    return step(operation, word, path=f"/books/{id_}", references={}, filled={})


def keyed(word: str, key: str, **more: Any) -> dict[str, Any]:
    """A call with an idempotency key."""
    return step("make", f"call|{word}|a|a|one|", headers=[["Idempotency-Key", key]], body={"n": 1}, **more)


def said(status: int, body: Any = None, **headers: str) -> Told:
    """An answer: its status, JSON body, and headers whose names are told with underscores."""
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body


class Shown(NamedTuple):
    """A finding with its steps, the answers that show the fault, and those of a build without it.

    An answer may be a function of the requests sent so far.
    """

    code: str
    kind: str
    operation: str
    steps: Sequence[Mapping[str, Any]]
    broken: Sequence[Any]
    mended: Sequence[Any]
    seen: str = ""


def origin(way: str, name: str) -> dict[str, Any]:
    """A request from an origin."""
    return step("list", f"{way} {name}", headers=[["Origin", name]])


def allowing(name: str | None, **more: str) -> Told:
    """An answer that allows an origin."""
    return said(200, None, **({"access_control_allow_origin": name} if name else {}), **more)


FOREIGN, OWN = "https://foreign.example", "https://a.example"
MADE, ONE = step("make", "made", status=201, body={"code": "the-code-1"}), said(201, {"id": "n1"})
READ = said(200, {"id": "n1", "price": 3, "at": 1})
LATER = said(200, {"id": "n1", "price": 3, "at": 2})
OTHER = said(200, {"id": "n1", "price": 4, "at": 2})
DELETED, GONE, NO = step("del", f"deleted|{OLD}"), said(404, {"code": "no"}), said(409, {"code": "no"})
MARK = "mark-old-1"


def items(*names: str) -> Told:
    """A list of things."""
    return said(200, {"items": [{"id": name} for name in names], "total": len(names)})


def echo(requests: Sequence[Mapping[str, Any]]) -> Told:
    """A list in which the mark of the last create stands."""
    last = next(request for request in reversed(requests) if request["method"] == "POST")
    return said(200, {"items": [json.loads(last["body"])]})


def priced(*prices: int) -> Told:
    """A list of things by price."""
    return said(200, {"items": [{"id": f"n{price}", "price": price} for price in prices], "total": 3, "pages": 2})


PLANTED = [step("make", "planted|0"), step("make", "planted|1"), step("make", "planted|2")]
BED = [said(201, {"id": f"n{number}"}) for number in (1, 2, 3)]
WALK, AGAIN = ([step("list", f"walk|{name}|{number}") for number in (1, 2)] for name in ("whole", "small"))
TAGGED = [step("get", "tag|before"), step("put", "written|put"), step("get", "tag|after")]


def tagged(tag: str, price: int = 3) -> Told:
    """A thing with its entity tag."""
    return said(200, {"id": "n1", "price": price}, etag=tag)


def asking(word: str) -> dict[str, Any]:
    """A read with a tag that was seen when it was recorded."""
    return step("get", f"conditional|{word}", headers=[["If-None-Match", '"of old"']])


def matching(requests: Sequence[Mapping[str, Any]]) -> Told:
    """304 where the present tag is asked for in any form, else the thing."""
    return said(304, None, etag='"t"') if '"t"' in requests[-1]["headers"][0][1] else tagged('"t"')
