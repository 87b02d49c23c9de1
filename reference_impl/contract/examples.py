"""A value that fits a schema of the document: the examples of its members, put together so that they agree."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
_PLAIN = {"string": "text", "integer": 1, "number": 1, "boolean": False}
_FILE = "(the bytes of a JPEG file)"
_LEFT_OUT = object()
# Members whose values hang together, by the schema's name; the others show the examples of their own types.
_TOGETHER: dict[str, JsonObject] = {
    "User": {"roles": ["user"]},
    "UserRoles": {"roles": ["user", "seller"]},
    "KeyInput": {"scopes": ["read", "write"]},
    "Key": {"scopes": ["read", "write"], "expiresAt": "2026-02-01T12:00:00.000Z"},
    "NewKey": {"scopes": ["read", "write"], "expiresAt": "2026-02-01T12:00:00.000Z"},
    "SignedIn": {"tokenType": "Bearer", "expiresIn": 900, "refreshExpiresIn": 1_209_600},
    "Started": {"expiresIn": 600},
    "Session": {"expiresAt": "2026-02-14T12:00:00.000Z", "current": True},
    "Product": {"stock": 10, "reviews": []},
    "ProductItem": {"stock": 10},
    "Order": {"status": "placed", "total": 49, "cancelledAt": _LEFT_OUT},
    "UsersMade": {"created": 1, "failed": 0},
    "RowResult": {"index": 0, "error": _LEFT_OUT},
    "StatusChange": {"status": "suspended"},
    "StatusChanged": {"updated": 1, "failed": []},
    "BatchResult": {"updated": 1, "failed": []},
    "Stats": {
        "users": 250,
        "suspendedUsers": 2,
        "categories": 12,
        "products": 340,
        "reviews": 95,
        "placedOrders": 410,
        "cancelledOrders": 23,
        "publishedPosts": 8,
        "drafts": 3,
        "revenue": 20_090,
    },
    "AuditEntry": {"id": 4711, "details": {"version": 2}},
    "ProductEvent": {"type": "updated", "version": 2, "previousCategoryId": _LEFT_OUT},
}


def example(schema: JsonObject, schemas: JsonObject, shown: JsonObject | None = None) -> Any:
    """Return a value that fits a schema of this document; `shown` are members as this place shows them, None to omit.

    Of alternatives the first is shown, and null never where there is another.
    """
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        value = example(schemas[name], schemas)
        if name not in _TOGETHER and not shown:
            return value
        told = {member: _LEFT_OUT if other is None else other for member, other in (shown or {}).items()}
        value = {**value, **_TOGETHER.get(name, {}), **told}
        return {member: other for member, other in value.items() if other is not _LEFT_OUT}
    for given in ("const", "default"):
        if given in schema and "examples" not in schema:
            return schema[given]
    if "examples" in schema:
        return schema["examples"][0]
    for alternatives in ("anyOf", "oneOf"):
        if alternatives in schema:
            return example(next(part for part in schema[alternatives] if part.get("type") != "null"), schemas)
    return _by_type(schema, schemas)


def _by_type(schema: JsonObject, schemas: JsonObject) -> Any:
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: example(member, schemas) for name, member in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema["items"], schemas)]
    if schema.get("format") == "binary":
        return _FILE
    return min(schema["enum"]) if "enum" in schema else _PLAIN[kind]
