"""JSON Schemas of the msgspec types."""

from __future__ import annotations

from typing import Any

import msgspec

from reference_impl.contract.upload import Upload
from reference_impl.price import LARGEST, Price

JsonObject = dict[str, Any]
TEMPLATE = "#/components/schemas/{name}"


def hook(kind: type) -> JsonObject:
    """Return the schema of the types msgspec does not know."""
    if kind is Price:
        return {
            "type": "number",
            "minimum": 0,
            "maximum": float(LARGEST),
            "multipleOf": 0.01,
            "examples": [24.5],  # JavaScript finds no rest in 24.5 / 0.01, in 19.99 / 0.01 it does
        }
    if kind is Upload:
        return {"type": "string", "format": "binary"}
    raise NotImplementedError(kind)


def components(kinds: list[Any]) -> tuple[list[JsonObject], JsonObject]:
    """Return a reference for each type, and all schemas they need by name."""
    references, schemas = msgspec.json.schema_components(kinds, schema_hook=hook, ref_template=TEMPLATE)
    for schema in schemas.values():
        tidy(schema)
    return list(references), schemas


def tidy(schema: Any) -> None:
    """Drop what says a thing twice: a pattern beside format uuid, titles that repeat the name."""
    if isinstance(schema, dict):
        if schema.get("format") == "uuid":
            schema.pop("pattern", None)
        if isinstance(schema.get("title"), str):
            schema.pop("title")
        for part in schema.values():
            tidy(part)
    elif isinstance(schema, list):
        for part in schema:
            tidy(part)


def parameters(kind: Any) -> list[JsonObject]:
    """Return the query parameters of a struct, each with its default."""
    _, schemas = components([kind])
    schema = schemas[kind.__name__]
    required = schema.get("required", [])
    found: list[JsonObject] = []
    for name, member in schema["properties"].items():
        told = {"description": member["description"]} if "description" in member else {}
        found.append({"name": name, "in": "query", "required": name in required, **told, "schema": member})
    return found
