"""How a write says which version its sender saw: a header or a body member, taken from what a read answered."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request

Form = dict[str, Any]
IF_MATCH = "If-Match"


def forms(contract: Contract, operation: Operation, resource: Resource | None = None) -> list[Form]:
    """The ways in which an operation takes the seen version: the promised ones, else those that its parameters show."""
    told = contract.promise("version", operation)
    if told:
        return list(told["forms"])
    shown: list[Form] = [
        {"in": "header", "name": parameter.name, "from": "header:ETag"}
        for parameter in operation.parameters
        if parameter.place == "header" and parameter.name.lower() == IF_MATCH.lower()
    ]
    body = operation.json_body()
    if resource is not None and resource.version and body is not None:
        name = pointer.tokens(resource.version)[-1]
        if name in contract.schema(body.schema).get("properties", {}):
            shown.append({"in": "body", "name": name, "from": resource.version})
    return shown


def seen(form: Mapping[str, Any], exchange: Exchange | None) -> Any:
    """The version that an answer shows, in a form's terms; None where it shows none."""
    if exchange is None or exchange.response is None:
        return None
    place = form["from"]
    if place.startswith("header:"):
        return exchange.response.header(place.removeprefix("header:"))
    value = pointer.get(exchange.response.json(), place)
    return None if value is pointer.MISSING else value


def bare(request: Request, told: Iterable[Mapping[str, Any]]) -> Request:
    """The request without a version in any of the forms."""
    for form in told:
        if form["in"] == "header":
            name = form["name"].lower()
            request = replace(request, headers=tuple(pair for pair in request.headers if pair[0].lower() != name))
        else:
            body = request.json()
            if isinstance(body, dict) and form["name"] in body:
                request = with_body(request, {key: value for key, value in body.items() if key != form["name"]})
    return request


def with_version(request: Request, form: Mapping[str, Any], version: Any) -> Request:
    """The request with a version in one form."""
    if form["in"] == "header":
        return replace(request, headers=(*request.headers, (form["name"], str(version))))
    body = request.json()
    return with_body(request, {**(body if isinstance(body, dict) else {}), form["name"]: version})


def current(request: Request, told: Iterable[Mapping[str, Any]], read: Exchange | None) -> Request:
    """The request with the version that a read shows, in the first form that it shows one for."""
    told = list(told)
    for form in told:
        version = seen(form, read)
        if version is not None:
            return with_version(bare(request, told), form, version)
    return request


def with_body(request: Request, body: Any) -> Request:
    """The request with another JSON body."""
    return replace(request, body=json.dumps(body, ensure_ascii=False).encode())


def following(version: Any) -> Any:
    """The version after one that counts, quoted or bare; None where it does not count."""
    if isinstance(version, int) and not isinstance(version, bool):
        return version + 1
    match = re.fullmatch(r"(\D*?)(\d{1,9})(\D*)", version) if isinstance(version, str) else None
    return f"{match[1]}{int(match[2]) + 1}{match[3]}" if match else None
