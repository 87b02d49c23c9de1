"""Reads the operations out of an OpenAPI document; every `$ref` on the way to a schema is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from harness.contract import pointer
from harness.contract.operation import Answer, Body, Operation, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_REFERENCES = 32


def operations(document: Mapping[str, Any], base_path: str | None = None) -> tuple[Operation, ...]:
    """Every operation in the document's order; one without an operationId is `GET /notes`."""
    base = base_path if base_path is not None else server_path(document)
    return tuple(
        _operation(document, base, path, method, item[method])
        for path, item in document["paths"].items()
        if isinstance(item, dict)
        for method in METHODS
        if isinstance(item.get(method), dict)
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    """An object of the document; an empty one where something else stands in its place."""
    return value if isinstance(value, dict) else {}


def server_path(document: Mapping[str, Any]) -> str:
    """The path of the document's first server, without a trailing slash; its host is not used.

    What is no address, such as a variable without a default, says nothing of a path.
    """
    servers = document.get("servers")
    first = _mapping(servers[0] if isinstance(servers, list) and servers else None)
    url = str(first.get("url", ""))
    for name, variable in _mapping(first.get("variables")).items():
        url = url.replace(f"{{{name}}}", str(_mapping(variable).get("default", "")))
    try:
        path = urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""
    return path if path.startswith("/") and "{" not in path else ""


def followed(document: Mapping[str, Any], at: str, node: Any) -> tuple[str, Any]:
    """The place and the value that a node's local `$ref` leads to; the node itself where it has none."""
    for _ in range(MAX_REFERENCES):
        if not isinstance(node, dict) or not str(node.get("$ref", "")).startswith("#/"):
            break
        at = unquote(node["$ref"])[1:]
        node = pointer.get(document, at)
        if node is pointer.MISSING:
            return at, {}
    return at, node


def _operation(document: Mapping[str, Any], base: str, path: str, method: str, item: Mapping[str, Any]) -> Operation:
    at = f"/paths/{pointer.escape(path)}/{method}"
    body_at, body = followed(document, f"{at}/requestBody", item.get("requestBody"))
    told = item.get("security", document.get("security"))
    security = told if isinstance(told, list) else []
    return Operation(
        id=str(item.get("operationId") or f"{method.upper()} {path}"),
        method=method.upper(),
        path=f"{base}{path}",
        parameters=tuple(_parameters(document, path, method)),
        bodies=tuple(_bodies(document, body_at, body)),
        body_required=isinstance(body, dict) and body.get("required") is True,
        answers=tuple(_answers(document, at, item)),
        secured=bool(security),
        optional_security={} in security,
        schemes=tuple(tuple(way) for way in security if isinstance(way, dict)),
        promises=item.get("x-promises", {}),
        pointer=at,
    )


def _parameters(document: Mapping[str, Any], path: str, method: str) -> Iterator[Parameter]:
    """The operation's parameters; one that the path also declares is taken from the operation."""
    found: dict[tuple[str, str], Parameter] = {}
    base = f"/paths/{pointer.escape(path)}"
    for place in (base, f"{base}/{method}"):
        declared = pointer.get(document, f"{place}/parameters")
        for index, entry in enumerate(declared if isinstance(declared, list) else ()):
            at, parameter = followed(document, f"{place}/parameters/{index}", entry)
            if isinstance(parameter, dict) and "name" in parameter and "in" in parameter:
                key = (str(parameter["in"]), str(parameter["name"]))
                found[key] = _parameter(document, at, parameter)
    return iter(found.values())


def _parameter(document: Mapping[str, Any], at: str, parameter: Mapping[str, Any]) -> Parameter:
    schema_at, schema = followed(document, f"{at}/schema", parameter.get("schema"))
    return Parameter(
        name=str(parameter["name"]),
        place=str(parameter["in"]),
        required=parameter.get("required") is True or parameter["in"] == "path",
        schema=schema if isinstance(schema, dict) else {},
        pointer=schema_at if isinstance(schema, dict) else "",
        example=_example(parameter),
    )


def _bodies(document: Mapping[str, Any], at: str, holder: Any) -> Iterator[Body]:
    for media_type, told in _mapping(_mapping(holder).get("content")).items():
        media = _mapping(told)
        schema_at, schema = followed(document, f"{at}/content/{pointer.escape(media_type)}/schema", media.get("schema"))
        known = isinstance(schema, dict)
        yield Body(
            media_type,
            schema_at if known else "",
            schema if known else {},
            _example(media),
            _mapping(media.get("encoding")),
        )


def _answers(document: Mapping[str, Any], at: str, item: Mapping[str, Any]) -> Iterator[Answer]:
    for status, entry in _mapping(item.get("responses")).items():
        answer_at, answer = followed(document, f"{at}/responses/{pointer.escape(str(status))}", entry)
        if not isinstance(answer, dict):
            continue
        headers = {
            name: followed(document, f"{answer_at}/headers/{pointer.escape(name)}", header)
            for name, header in _mapping(answer.get("headers")).items()
        }
        yield Answer(
            status=str(status),
            bodies=tuple(_bodies(document, answer_at, answer)),
            required_headers=tuple(
                name for name, (_, header) in headers.items() if _mapping(header).get("required") is True
            ),
            header_pointers=tuple(
                (name, f"{where}/schema") for name, (where, header) in headers.items() if "schema" in _mapping(header)
            ),
            links=_mapping(answer.get("links")),
        )


def _example(holder: Mapping[str, Any]) -> Any:
    if "example" in holder:
        return holder["example"]
    examples = holder.get("examples")
    first = next(iter(examples.values()), None) if isinstance(examples, dict) else None
    return first.get("value") if isinstance(first, dict) else None
