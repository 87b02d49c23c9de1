"""The document of the API in memory with lists: pebbles in boxes, paged in any style, filtered and sorted."""

from __future__ import annotations

import json
from typing import Any

TEXT = {"type": "string", "minLength": 1, "maxLength": 80}
WEIGHT = {"type": "integer", "minimum": 0, "maximum": 9999}
COLOUR = {"enum": ["red", "green", "grey"]}
NEW = {"name": TEXT, "weight": WEIGHT, "colour": COLOUR, "boxId": TEXT}
PEBBLE = {
    "id": TEXT,
    "name": TEXT,
    "weight": WEIGHT,
    "colour": COLOUR,
    "box": {"type": "object"},
    "at": {"type": "string", "format": "date-time"},
}
COUNT = {"type": "integer", "minimum": 1}
SIZE = {"type": "integer", "minimum": 1, "maximum": 6, "default": 4}
STYLES: dict[str, Any] = {
    "page": {"parameters": {"page": "page", "limit": "limit"}, "members": {"total": "/total", "pages": "/pages"}},
    "offset": {"parameters": {"offset": "offset", "limit": "limit"}, "members": {"total": "/total"}},
    "cursor": {"parameters": {"cursor": "cursor", "limit": "limit"}, "members": {"next": "/next"}},
    "link": {"parameters": {"limit": "limit"}, "members": {"items": ""}},
}
PLACES = {"page": ["page"], "offset": ["offset"], "cursor": ["cursor"], "link": []}
FILTER = {
    "parameters": {
        "box": {"operator": "equals", "members": ["/box/id"], "sent": "/boxId"},
        "search": {"operator": "contains", "members": ["/name"], "fold": True},
        "minWeight": {"operator": "min", "members": ["/weight"]},
        "maxWeight": {"operator": "max", "members": ["/weight"]},
        "colours": {"operator": "in", "members": ["/colour"]},
    }
}
SORT = {
    "by": "sort",
    "keys": {"weight": "/weight", "at": "/at", "name": "/name"},
    "direction": "order",
    "default": {"key": "at", "direction": "descending"},
}
BOX = {"label": TEXT}
MARK = {"type": "object", "properties": {"id": TEXT, "pebbleId": TEXT}}
PHOTOS = {"type": "object", "properties": {"id": TEXT, "photos": {"type": "array", "items": {"type": "object"}}}}
MARKS = {"mark": {"create": "marks.create", "read": "marks.get"}}
DELETES = {
    "pebble": {
        "delete": {
            "kind": "soft",
            "again": 404,
            "gone": [404],
            "lists": ["pebbles.list"],
            "writes": ["marks.create"],
            "children": [{"resource": "mark", "becomes": "gone"}],
            "counts": [{"operation": "stats", "member": "/pebbles"}],
            "restore": "pebbles.restore",
            "files": {"operation": "pebbles.photo", "members": ["/photos/*/url"]},
        }
    },
    "box": {
        "delete": {
            "kind": "hard",
            "again": 404,
            "references": ["pebbles.create"],
            "used": {"resource": "pebble", "status": 409},
            "unique": {"member": "/label", "becomes": "free"},
        }
    },
}
ID = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _operation(name: str, body: Any = None, answer: Any = None, **promises: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}} if answer else {}
    return {
        "operationId": name,
        "responses": {"200": {"description": "", "content": content}},
        "x-promises": promises,
        **({"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}),
    }


def document(
    style: str = "page", *, filters: bool = True, deletes: dict[str, Any] | None = None, **promises: Any
) -> dict[str, Any]:
    """The API's document; `promises` replace those of the list, None takes one out; `deletes` are those of a delete."""
    items = {"type": "array", "items": _object(PEBBLE)}
    listed = items if style == "link" else {"type": "object", "properties": {"items": items}}
    queries = [("limit", SIZE), *((name, COUNT) for name in PLACES[style])]
    queries += [(name, {"type": "string"}) for name in ("box", "search", "colours", "sort", "order")]
    queries += [(name, WEIGHT) for name in ("minWeight", "maxWeight")]
    told = {"page": {"style": style, **STYLES[style]}, **({"filter": FILTER, "sort": SORT} if filters else {})}
    told = {key: value for key, value in {**told, **promises}.items() if value is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "beach", "version": "1"},
        **({"x-promises": {"resource": MARKS}} if deletes else {}),
        "paths": {
            "/boxes": {"post": _operation("boxes.create", _object(BOX, "label"), _object({"id": TEXT, **BOX}))},
            "/boxes/{id}": {
                "parameters": ID,
                "get": _operation("boxes.get", None, _object({"id": TEXT, **BOX})),
                "delete": _operation("boxes.delete", **(deletes or {}).get("box", {})),
            },
            "/pebbles/{id}/marks": {"parameters": ID, "post": _operation("marks.create", _object({}), MARK)},
            "/pebbles/{id}/photos": {"parameters": ID, "post": _operation("pebbles.photo", _object({}), PHOTOS)},
            "/marks/{id}": {"parameters": ID, "get": _operation("marks.get", None, MARK)},
            "/pebbles/{id}/restore": {"parameters": ID, "post": _operation("pebbles.restore")},
            "/stats": {"get": _operation("stats", None, _object({"pebbles": WEIGHT}))},
            "/pebbles": {
                "get": {
                    **_operation("pebbles.list", None, listed, **told),
                    "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in queries],
                },
                "post": _operation("pebbles.create", _object(NEW, "name", "boxId"), _object(PEBBLE)),
            },
            "/pebbles/{id}": {
                "parameters": ID,
                "get": _operation("pebbles.get", None, _object(PEBBLE)),
                "patch": _operation("pebbles.update", _object({"name": TEXT}), _object(PEBBLE)),
                "delete": _operation("pebbles.delete", **(deletes or {}).get("pebble", {})),
            },
        },
    }


PETS = {
    "/pebbles": "/pets",
    "pebbles.list": "listPets",
    "pebbles.create": "addPet",
    "pebbles.get": "getPet",
    "pebbles.update": "updatePet",
    "pebbles.delete": "deletePet",
}


def pets(style: str = "page") -> dict[str, Any]:
    """The same API as the pet shop of the documents, without a promise."""
    text = json.dumps(document(style, page=None, filter=None, sort=None))
    for name, other in PETS.items():
        text = text.replace(json.dumps(name)[:-1], json.dumps(other)[:-1])
    found: dict[str, Any] = json.loads(text)
    return found
