"""Whether a request breaks the contract's schema beyond doubt, so that a 2xx answer to it is a fault."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from harness.contract.operation import is_json
from harness.exchange import header
from harness.promises.misfit import MASKED, Misfit, Side, misfits
from harness.promises.schema.reading import is_unsure, kinds, lists, readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Body, Contract, Operation, Parameter
    from harness.exchange import Request

# Headers that HTTP itself rules: a recipient may pass over one it cannot read (RFC 9110), or takes any text.
FREE_HEADERS = re.compile(
    r"accept.*|if-.*|range|prefer|content-.*|authorization|cookie|origin|host|user-agent|via|forwarded|x-forwarded-.*"
    r"|traceparent|tracestate|baggage|.*(?:request|correlation|trace)-?id|cache-control|pragma|last-event-id",
    re.IGNORECASE,
)


def violations(contract: Contract, operation: Operation, request: Request) -> list[Misfit]:
    """Every rule that the request clearly breaks; the misfit's place begins with path, query, header or body."""
    found = [
        misfit for parameter in operation.parameters for misfit in _parameter(contract, operation, parameter, request)
    ]
    return [*found, *_body(contract, operation, request)]


def _parameter(contract: Contract, operation: Operation, parameter: Parameter, request: Request) -> Iterator[Misfit]:
    values = _values(operation, parameter, request)
    if values is None or not parameter.pointer:
        return
    at = f"{parameter.place} {parameter.name}"
    types = kinds(contract, parameter.schema)
    if not values:
        if parameter.required and "default" not in parameter.schema and not types & {"array", "object"}:
            yield Misfit(at, "missing", "it is required and was not sent")
        return
    if "object" in types or any(is_unsure(value) or MASKED in value for value in values):
        return
    broken = [_broken(contract, parameter, types, reading) for reading in _ways(values, types)]
    if broken and all(broken):
        for misfit in broken[0]:
            yield Misfit(at, misfit.rule, misfit.message, misfit.value)


def _ways(values: Sequence[str], types: set[str]) -> Iterator[Iterator[Any]]:
    """The ways to read a parameter, each with candidate values; a repeated one may be read as any of its values."""
    if not types or "array" in types:
        yield lists(values)
    if types != {"array"}:
        for value in values:
            yield readings(value)


def _broken(contract: Contract, parameter: Parameter, types: set[str], candidates: Iterator[Any]) -> list[Misfit]:
    """What the plainest candidate of a declared type breaks; nothing where any fits or is not clearly wrong."""
    found = []
    for candidate in candidates:
        wrong = misfits(contract, parameter.pointer, candidate, Side.CLIENT)
        if not wrong:
            return []
        found.append((_is_of(candidate, types), wrong))
    plainest = next((wrong for fits, wrong in found if fits), None)
    return plainest if plainest is not None else found[-1][1]


def _is_of(value: Any, types: set[str]) -> bool:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    name = names.get(type(value), "null")
    return name in types or (name == "integer" and "number" in types)


def _values(operation: Operation, parameter: Parameter, request: Request) -> list[str] | None:
    """The values sent for a parameter, decoded; None where they cannot be told or mean nothing."""
    if parameter.place == "query":
        names = {parameter.name, f"{parameter.name}[]"}
        nested = any(name.startswith((f"{parameter.name}[", f"{parameter.name}.")) for name, _ in request.query)
        values = [value for name, value in request.query if name in names]
        return None if nested and not values else values
    if parameter.place == "header":
        if FREE_HEADERS.fullmatch(parameter.name):
            return None
        return [value for name, value in sent_headers(request) if name.lower() == parameter.name.lower()]
    if parameter.place != "path":
        return None
    match = _template(operation.path).fullmatch(request.path)
    names_in_order = re.findall(r"\{([^{}]+)\}", operation.path)
    if match is None or parameter.name not in names_in_order:
        return None
    return [unquote(match[names_in_order.index(parameter.name) + 1], errors="replace")]


@lru_cache(maxsize=1024)
def _template(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^{}]+\})", path)
    return re.compile("".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts))


def sent_headers(request: Request) -> tuple[tuple[str, str], ...]:
    """The headers that went out: the request's, and its identity's unless the request brings its own credentials."""
    if header(request.headers, "Authorization") is not None:
        return request.headers
    return (*request.identity.headers, *request.headers)


def _body(contract: Contract, operation: Operation, request: Request) -> Iterator[Misfit]:
    headers = sent_headers(request)
    if not request.body:
        if operation.body_required and _nothing_is_wrong(contract, operation):
            yield Misfit("body", "missing", "a body is required and none was sent")
        return
    declared = _declared(operation, header(headers, "Content-Type"))
    if declared is None or header(headers, "Content-Encoding") is not None:
        return
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return
    if MASKED in text and _parsed(text) is _BROKEN:
        return
    value = _parsed(text)
    if value is _BROKEN:
        if text.strip("\ufeff \t\r\n\0") and not _is_lenient_json(text):
            yield Misfit("body", "malformed", f"it is not JSON: {text[:60]!r}")
        return
    wrong = misfits(contract, declared.pointer, value, Side.CLIENT)
    if wrong and not _repeats_a_key(text):
        for misfit in wrong:
            yield Misfit(f"body {misfit.place or '/'}", misfit.rule, misfit.message, misfit.value)


def _nothing_is_wrong(contract: Contract, operation: Operation) -> bool:
    """Whether an absent body cannot stand for null or an empty object either."""
    declared = operation.json_body()
    if declared is None or not declared.pointer or len(operation.bodies) > 1:
        return False
    stand_ins: tuple[Any, ...] = (None, {})
    return all(misfits(contract, declared.pointer, stand_in, Side.CLIENT) for stand_in in stand_ins)


def _declared(operation: Operation, content_type: str | None) -> Body | None:
    """The JSON body that the contract declares for a content type; None where servers may read it otherwise."""
    if content_type is None:
        return None
    essence, _, parameters = content_type.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        return None
    wanted = essence.strip().lower()
    return next((body for body in operation.bodies if body.media_type.lower() == wanted and is_json(wanted)), None)


_BROKEN: Any = object()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return _BROKEN


def _refused(constant: str) -> Any:
    raise ValueError(constant)


def _is_lenient_json(text: str) -> bool:
    """Whether some parsers take it though it is not JSON: NaN, comments, commas at the end, very deep nesting."""
    if re.search(r"\bNaN\b|\bInfinity\b|//|/\*|,\s*[\]}]|'", text) or text.count("[") + text.count("{") > 200:  # noqa: PLR2004 - parsers stop from there on
        return True
    try:
        json.loads(text.strip("\ufeff \t\r\n\0"), strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _repeats_a_key(text: str) -> bool:
    """Whether an object names a member twice: parsers take the first, the last or none (RFC 8259, 4)."""
    repeated = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        result = dict(members)
        repeated = repeated or len(result) < len(members)
        return result

    json.loads(text, object_pairs_hook=pairs)
    return repeated
