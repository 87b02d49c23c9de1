"""OpenAPI 3.0 schemas rewritten as JSON Schema 2020-12, so that the rest of the harness knows one dialect."""

from __future__ import annotations

from typing import Any


def modernised(node: Any) -> Any:
    """The document with each 3.0 schema keyword in its 3.1 form: `nullable` and boolean exclusive bounds.

    The walk does not tell schemas from other objects: the keywords it rewrites stand nowhere else with such values,
    and below `properties` a name is a member's own.
    """
    if isinstance(node, list):
        return [modernised(member) for member in node]
    if not isinstance(node, dict):
        return node
    members = {key: _member(key, value) for key, value in node.items()}
    return _nullable(_bounds(members))


def _member(key: str, value: Any) -> Any:
    if key in {"example", "default", "enum"}:
        return value
    if key == "properties" and isinstance(value, dict):
        return {name: modernised(schema) for name, schema in value.items()}
    return modernised(value)


def _bounds(schema: dict[str, Any]) -> dict[str, Any]:
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]
    return schema


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("nullable") is not True:
        if isinstance(schema.get("nullable"), bool):
            del schema["nullable"]
        return schema
    del schema["nullable"]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return schema
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema
