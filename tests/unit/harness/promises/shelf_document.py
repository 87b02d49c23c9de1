"""The document of the API in memory: people, notes that they own, pins on notes; with all its promises."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1, "maxLength": 80}
WHOLE = {"type": "integer", "minimum": 0, "maximum": 9999}
NOTE = {"id": TEXT, "ownerId": TEXT, "title": TEXT, "stars": WHOLE, "version": WHOLE, "hidden": {"type": "boolean"}}
USER = {"id": TEXT, "email": TEXT, "name": TEXT, "roles": {"type": "array", "items": TEXT}}
OWNER = {"resource": "note", "roles": ["admin"], "stranger": 403}
VERSION = {
    "resource": "note",
    "forms": [
        {"in": "header", "name": "If-Match", "from": "header:ETag", "stale": 412},
        {"in": "body", "name": "version", "from": "/version", "stale": 409},
    ],
    "missing": 428,
}
SELF = {"resource": "user", "self": True, "roles": ["admin"], "stranger": 404}
SIGNED_IN = {"allow": ["signed-in"]}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _operation(name: str, body: Any = None, answer: Any = None, **promises: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": _object(answer)}} if answer else {}
    found: dict[str, Any] = {
        "operationId": name,
        "responses": {"200": {"description": "", **({"content": content} if content else {})}},
        "x-promises": promises,
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _new(properties: dict[str, Any]) -> dict[str, Any]:
    return _object(properties, *properties)


NEW_USER = _new({"email": TEXT, "name": TEXT, "password": TEXT})
LOGIN = _new({"name": TEXT, "password": TEXT})
NEW_NOTE = _object({"title": TEXT, "stars": WHOLE}, "title")
PATCH_NOTE = _object({"title": TEXT, "stars": WHOLE, "version": WHOLE})
PAGING = [{"name": name, "in": "query", "schema": {"type": "integer", "maximum": 5}} for name in ("page", "limit")]
ID = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]


def document() -> dict[str, Any]:
    """The API's document with all its promises."""
    notes = {"items": {"type": "array", "items": _object(NOTE)}, "total": WHOLE}
    return {
        "openapi": "3.1.0",
        "info": {"title": "shelf", "version": "1"},
        "x-promises": {
            "resource": {
                "note": {
                    "create": "notes.create", "read": "notes.get", "list": "notes.list", "update": "notes.update",
                    "delete": "notes.delete", "owner": "/ownerId", "version": "/version", "items": "/items",
                    "again": 404,
                },
                "user": {"create": "users.create", "read": "users.get", "update": "users.update",
                           "delete": "users.delete"},
                "pin": {"create": "pins.create", "read": "pins.get"},
            }
        },
        "paths": {
            "/login": {"post": _operation("login", LOGIN, roles={"allow": ["anyone"]})},
            "/users": {"post": _operation("users.create", NEW_USER, USER, roles={"allow": ["anyone"]})},
            "/users/{id}/roles": {
                "parameters": ID,
                "patch": _operation(
                    "users.roles", _new({"roles": {"type": "array", "minItems": 1, "items": {"enum": ["writer"]}}}),
                    USER, roles={"allow": ["admin"]},
                ),
            },
            "/users/{id}": {
                "parameters": ID,
                "get": _operation("users.get", None, USER, roles=SIGNED_IN),
                "patch": _operation("users.update", _object({"name": TEXT}), USER, roles=SIGNED_IN, owner=SELF),
                "delete": _operation("users.delete", roles=SIGNED_IN, owner=SELF),
            },
            "/notes": {
                "get": {**_operation("notes.list", None, notes), "parameters": PAGING},
                "post": _operation("notes.create", NEW_NOTE, NOTE, roles={"allow": ["writer", "admin"]}),
            },
            "/notes/{id}": {
                "parameters": ID,
                "get": _operation("notes.get", None, NOTE, roles={"allow": ["anyone"]}),
                "patch": _operation("notes.update", PATCH_NOTE, NOTE, roles=SIGNED_IN, owner=OWNER, version=VERSION),
                "delete": _operation("notes.delete", roles=SIGNED_IN, owner=OWNER),
            },
            "/pins": {"post": _operation("pins.create", _new({"noteId": TEXT}), {"id": TEXT}, roles=SIGNED_IN)},
            "/pins/{id}": {"parameters": ID, "get": _operation("pins.get", None, {"id": TEXT}, roles=SIGNED_IN)},
        },
    }  # fmt: skip


def publishing() -> dict[str, Any]:
    """The same, where a note has to be published before the list shows it."""
    found = document()
    publish = _operation("notes.publish", None, NOTE, roles=SIGNED_IN, owner=OWNER)
    found["paths"]["/notes/{id}/publish"] = {"parameters": ID, "post": publish}
    found["paths"]["/notes"]["get"]["x-promises"]["page"] = {
        "style": "page",
        "resource": "note",
        "then": ["notes.publish"],
        "parameters": {"page": "page", "limit": "limit"},
    }
    return found
