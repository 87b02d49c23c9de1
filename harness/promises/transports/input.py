"""The one input that a call has over a transport without paths and queries: every parameter and member by its name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from harness.contract.form import MULTIPART, URLENCODED
from harness.errors import CannotTell
from harness.exchange import header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract, Operation
    from harness.exchange import Request

TYPED = {"integer", "number", "boolean"}
# Texts that a format may have a type of its own for: numbers, booleans and null of a form, dates, times, addresses.
TYPED_TEXT = re.compile(
    r"\s*(?:[-+]?\.?\d[\d.]*(?:e[-+]?\d+)?n?|true|false|null)?\s*\Z|\d{4}-?\d\d|\d\d:\d\d|P[\dT.]+[YMWDHS]|[a-z][a-z0-9+.-]*:",
    re.IGNORECASE,
)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
EXACT = 1 << 53
COMPOSED = ("array", "object")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a form: the member that holds it, its own name, its media type and its bytes."""

    member: str
    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Input:
    """The members of a call, and the files that stand in some of them: of the member `within`, where it is told."""

    members: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    within: str = ""


def is_plain(contract: Contract, operation: Operation, request: Request) -> bool:
    """Whether every transport writes a request's input alike: no value that one marks, and no form of more than texts.

    Marked are dates, sets and large numbers; what a list or an object of a form is elsewhere, the form does not tell.
    """
    told = joined(contract, operation, request)
    form = operation.form_body()
    shapes = contract.schema(form.schema).get("properties", {}) if form is not None else {}
    types = (contract.schema(shapes.get(name)).get("type", "object") for name in shapes if name in _names(told))
    return all(kind not in COMPOSED for kind in types) and _is_plain(dict(told.members))


def _names(told: Input) -> set[str]:
    return {*told.members, *(file.member for file in told.files)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return bool(UUID.fullmatch(value)) or not TYPED_TEXT.match(value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return abs(value) < EXACT
    if isinstance(value, list):
        return all(isinstance(item, dict) and _is_plain(item) for item in value)
    return all(_is_plain(item) for item in value.values())


def nested(contract: Contract, operation: Operation, request: Request) -> Input:
    """What a request says as an input that keeps path, query and body apart, as oRPC's detailed structure does."""
    body, files = _body(operation, request)
    held = {**body, **{file.member: {} for file in files}}
    parts = {"params": _path(contract, operation, request), "query": _query(contract, operation, request), "body": held}
    return Input({name: part for name, part in parts.items() if part}, files, "body")


def joined(contract: Contract, operation: Operation, request: Request) -> Input:
    """What a request of an operation says in path, query and body, as one input; raises CannotTell where it is none."""
    body, files = _body(operation, request)
    parts = (_path(contract, operation, request), _query(contract, operation, request), body)
    members: dict[str, Any] = {}
    for name, value in (pair for part in parts for pair in part.items()):
        if name in members:
            raise CannotTell(f"{operation.id} has {name!r} in two places, which cannot both stand in one input")
        members[name] = value
    return Input(members, files)


def _path(contract: Contract, operation: Operation, request: Request) -> dict[str, Any]:
    parts = re.split(r"\{([^{}]+)\}", operation.path)
    form = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    found = re.search(rf"{form}\Z", request.path)  # a tenant may stand before it
    values = found.groups() if found else ()
    return {
        name: _typed(contract, operation, "path", name, unquote(value))
        for name, value in zip(parts[1::2], values, strict=False)
    }


def _query(contract: Contract, operation: Operation, request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in request.query:
        value = _typed(contract, operation, "query", name, text)
        if _type(contract, operation, "query", name) == "array":
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def _type(contract: Contract, operation: Operation, place: str, name: str) -> Any:
    told = next((item for item in operation.parameters if (item.place, item.name) == (place, name)), None)
    return contract.schema(told.schema).get("type") if told else None


def _typed(contract: Contract, operation: Operation, place: str, name: str, text: str) -> Any:
    """The value that a parameter's text stands for."""
    kind = _type(contract, operation, place, name)
    if not TYPED & set(kind if isinstance(kind, list) else [kind]):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _body(operation: Operation, request: Request) -> tuple[dict[str, Any], tuple[File, ...]]:
    if not request.body:
        return {}, ()
    told = header(request.headers, "Content-Type") or ""
    essence = told.partition(";")[0].strip().lower()
    if essence == URLENCODED:
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True)), ()
    if essence == MULTIPART:
        return _form(operation, told, request.body)
    body = request.json()
    if not isinstance(body, dict):
        raise CannotTell(f"{operation.id} takes a body that is no object, which has no names to stand in one input")
    return body, ()


def _form(operation: Operation, content_type: str, body: bytes) -> tuple[dict[str, Any], tuple[File, ...]]:
    """The text members of a multipart body, and its files."""
    members: dict[str, Any] = {}
    files: list[File] = []
    for name, file_name, media_type, data in _parts(content_type, body):
        if name in members or any(file.member == name for file in files):
            raise CannotTell(f"{operation.id} takes a form with several parts named {name!r}, which one input cannot")
        if file_name:
            files.append(File(name, file_name, media_type, data))
        else:
            members[name] = data.decode("utf-8", "replace")
    return members, tuple(files)


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str, str, bytes]]:
    """The name, the file's name, the media type and the bytes of each part."""
    whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=HTTP)
    for part in whole.iter_parts():
        data = part.get_payload(decode=True)
        name = part.get_param("name", "", header="content-disposition")
        yield str(name), part.get_filename() or "", part.get_content_type(), data if isinstance(data, bytes) else b""
