"""OpenAPI 2.0 documents rewritten as OpenAPI 3.0, so that the rest of the harness knows one form.

Source: the OpenAPI Specification 2.0 and 3.0.3. What 3.0 has no word for is left out (`schemes` beside the first,
`collectionFormat: tsv`, which is sent as text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
JSON = "application/json"
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
# What stands on a parameter or a header in 2.0 and in its schema in 3.0.
SCHEMA_KEYS = {
    "type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "enum", "multipleOf", "x-nullable",
}  # fmt: skip
# collectionFormat by the place of the parameter: style and explode; `csv` is the default of 2.0.
STYLES: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    "query": {
        "csv": ("form", False),
        "multi": ("form", True),
        "ssv": ("spaceDelimited", False),
        "pipes": ("pipeDelimited", False),
    },
    "path": {"csv": ("simple", False)},
    "header": {"csv": ("simple", False)},
}
FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}
REFERENCES = {"#/definitions/": "#/components/schemas/", "#/responses/": "#/components/responses/"}


def converted(document: Mapping[str, Any]) -> dict[str, Any]:
    """The 3.0 document that says what a 2.0 document says; `x-` members stay where they stand."""
    consumes, produces = _types(document, "consumes"), _types(document, "produces")
    kept = {"info", "tags", "externalDocs", "security"}
    return {
        "openapi": "3.0.3",
        **{key: value for key, value in document.items() if key in kept or key.startswith("x-")},
        "servers": [{"url": _server(document)}],
        "paths": {
            path: _path_item(document, item, consumes, produces) if isinstance(item, dict) else item
            for path, item in _members(document, "paths")
        },
        "components": {
            "schemas": {name: _schema(schema) for name, schema in _members(document, "definitions")},
            "responses": {name: _response(item, produces) for name, item in _members(document, "responses")},
            "securitySchemes": {name: _scheme(item) for name, item in _members(document, "securityDefinitions")},
        },
    }


def _members(holder: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    """The members of an object in an object; none where something else stands there."""
    found = holder.get(key)
    return list(found.items()) if isinstance(found, dict) else []


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    found = holder.get(key)
    return found if isinstance(found, list) else []


def _types(holder: Mapping[str, Any], key: str) -> list[str]:
    return [str(name) for name in _list(holder, key)]


def _server(document: Mapping[str, Any]) -> str:
    base = str(document.get("basePath") or "").rstrip("/")
    host = document.get("host")
    scheme = next(iter(_types(document, "schemes")), "http")
    return f"{scheme}://{host}{base}" if host else base or "/"


def _path_item(
    document: Mapping[str, Any], item: Mapping[str, Any], consumes: Sequence[str], produces: Sequence[str]
) -> dict[str, Any]:
    shared = _parameters(document, item)
    return {
        key: _operation(document, value, shared, consumes, produces)
        if key in METHODS and isinstance(value, dict)
        else value
        for key, value in item.items()
        if key != "parameters"
    }


def _parameters(document: Mapping[str, Any], holder: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parameters of a path or an operation, behind their references; what leads nowhere is left out."""
    found = []
    for entry in _list(holder, "parameters"):
        told = entry
        if isinstance(told, dict) and str(told.get("$ref", "")).startswith("#/"):
            told = pointer.get(document, told["$ref"][1:])
        if isinstance(told, dict) and isinstance(told.get("name"), str) and isinstance(told.get("in"), str):
            found.append(told)
    return found


def _operation(
    document: Mapping[str, Any],
    operation: Mapping[str, Any],
    shared: Sequence[Mapping[str, Any]],
    consumes: Sequence[str],
    produces: Sequence[str],
) -> dict[str, Any]:
    own = {(item["in"], item["name"]): item for item in (*shared, *_parameters(document, operation))}
    told = {
        key: value
        for key, value in operation.items()
        if key not in {"parameters", "consumes", "produces", "schemes", "responses"}
    }
    plain = [_parameter(item) for (place, _), item in own.items() if place not in {"body", "formData"}]
    if plain:
        told["parameters"] = plain
    body = _body([*own.values()], _types(operation, "consumes") or list(consumes))
    if body:
        told["requestBody"] = body
    given = _types(operation, "produces") or list(produces)
    told["responses"] = {str(status): _response(answer, given) for status, answer in _members(operation, "responses")}
    return told


def _parameter(item: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in item.items() if key not in SCHEMA_KEYS | {"collectionFormat"}}
    told["schema"] = _schema({key: value for key, value in item.items() if key in SCHEMA_KEYS})
    if item["in"] == "path":
        told["required"] = True
    if item.get("type") == "array":
        style = STYLES.get(item["in"], {}).get(item.get("collectionFormat", "csv"))
        if style:
            told["style"], told["explode"] = style
    return told


def _body(items: Sequence[Mapping[str, Any]], consumes: Sequence[str]) -> dict[str, Any]:
    """The request body that a parameter in `body`, or those in `formData`, tell; empty where there is neither."""
    body = next((item for item in items if item["in"] == "body"), None)
    if body is not None:
        media = {"schema": _schema(body.get("schema") or {})}
        told = {"content": dict.fromkeys(consumes or [JSON], media), "required": body.get("required") is True}
        return {**told, "description": body["description"]} if "description" in body else told
    fields = [item for item in items if item["in"] == "formData"]
    if not fields:
        return {}
    schema: dict[str, Any] = {"type": "object", "properties": {item["name"]: _field(item) for item in fields}}
    required = [item["name"] for item in fields if item.get("required") is True]
    if required:
        schema["required"] = required
    forms = [name for name in consumes if name in {URLENCODED, MULTIPART}]
    default = MULTIPART if any(item.get("type") == "file" for item in fields) else URLENCODED
    return {"content": {name: {"schema": schema} for name in forms or [default]}, "required": bool(required)}


def _field(item: Mapping[str, Any]) -> Any:
    return _schema({key: value for key, value in item.items() if key in SCHEMA_KEYS | {"description"}})


def _response(answer: Any, produces: Sequence[str]) -> Any:
    if not isinstance(answer, dict) or "$ref" in answer:
        return _schema(answer)
    told = {key: value for key, value in answer.items() if key not in {"schema", "headers", "examples"}}
    told.setdefault("description", "")
    examples = dict(_members(answer, "examples"))
    if "schema" in answer:
        told["content"] = {
            name: {"schema": _schema(answer["schema"]), **({"example": examples[name]} if name in examples else {})}
            for name in produces or [JSON]
        }
    headers = {
        name: {"schema": _schema({key: value for key, value in header.items() if key in SCHEMA_KEYS})}
        for name, header in _members(answer, "headers")
        if isinstance(header, dict)
    }
    return {**told, "headers": headers} if headers else told


def _scheme(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    kind = item.get("type")
    if kind == "basic":
        return {"type": "http", "scheme": "basic"}
    if kind != "oauth2":
        return dict(item)
    urls = {key: item[key] for key in ("authorizationUrl", "tokenUrl") if key in item}
    flow = FLOWS.get(str(item.get("flow")), str(item.get("flow")))
    return {"type": "oauth2", "flows": {flow: {**urls, "scopes": item.get("scopes") or {}}}}


def _schema(node: Any) -> Any:
    """A schema with references, `x-nullable`, `discriminator` and files in the words of 3.0."""
    if isinstance(node, list):
        return [_schema(member) for member in node]
    if not isinstance(node, dict):
        return node
    told: dict[str, Any] = {}
    for key, value in node.items():
        if key == "$ref" and isinstance(value, str):
            told[key] = next(
                (new + value[len(old) :] for old, new in REFERENCES.items() if value.startswith(old)), value
            )
        elif key == "discriminator" and isinstance(value, str):
            told[key] = {"propertyName": value}
        elif key == "x-nullable":
            told["nullable"] = value
        elif key in {"example", "default", "enum"}:
            told[key] = value
        elif key == "properties" and isinstance(value, dict):
            told[key] = {name: _schema(schema) for name, schema in value.items()}
        else:
            told[key] = _schema(value)
    if told.get("type") == "file":
        told |= {"type": "string", "format": "binary"}
    return told
