"""Reads the input of a call as RPCLink sends it: by POST as JSON or as a form with files, by GET in `data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from msgspec import UNSET

from reference_impl.contract.reading import json_value, refuse_twice
from reference_impl.contract.upload import Upload
from reference_impl.edge.bodies import is_json, read_bytes
from reference_impl.edge.exchange import Exchange, of
from reference_impl.edge.multipart import read_form
from reference_impl.errors import ApiError, invalid
from reference_impl.rpc.codec import decode, put
from reference_impl.rpc.plain import plain
from reference_impl.rpc.values import Malformed

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from reference_impl.settings import Settings

_MEMBERS = {"json", "meta"}


class InputReader:
    """Reads the input of one procedure's calls: plain values, and files where the procedure takes them."""

    def __init__(self, settings: Settings, *, files: bool) -> None:
        self._settings = settings
        self._files = files

    async def read(self, scope: Scope, receive: Receive) -> Any:
        """Return the input, UNSET when there is none; ApiError when it is not of the protocol."""
        exchange = of(scope)
        if exchange.method != "POST":
            data = parameter(scope["query_string"], "data")
            return value_of(_json(data, "data")) if data else UNSET
        parameter(scope["query_string"], None)
        kind = exchange.headers.get("content-type")
        if kind is not None and kind.partition(";")[0].strip().lower() == "multipart/form-data":
            return await self._form(exchange, receive)
        raw = await read_bytes(receive, self._settings.edge.body_limit_bytes)
        if not raw and kind is None:
            return UNSET
        if kind is None or not is_json(kind):
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "Send the input as application/json.")
        return value_of(_json(raw, "body")) if raw else UNSET

    async def _form(self, exchange: Exchange, receive: Receive) -> Any:
        if not self._files:
            raise ApiError("UNSUPPORTED_MEDIA_TYPE", "This procedure takes no files: send the input as JSON.")
        limit_bytes = self._settings.edge.upload_limit_bytes
        parts = await read_form(exchange.headers["content-type"], receive, limit_bytes)
        text = parts.pop("data", None)
        if not isinstance(text, str):
            raise invalid("data", "the form must have it as text")
        files = [parts.get(str(place)) for place in range(len(parts))]
        if not all(isinstance(file, Upload) for file in files):
            raise invalid("body", "the other parts of the form are files named 0, 1 and so on")
        envelope = _json(text, "data")
        if not isinstance(envelope, dict) or "maps" not in envelope:
            raise invalid("maps", "it must name one place for each file")
        return value_of(envelope, files)


def _json(raw: bytes | str, field: str) -> Any:
    """Return a JSON text's value; VALIDATION_ERROR when it is malformed or an object names a member twice."""
    value = json_value(raw, field)
    refuse_twice(raw)
    return value


def parameter(raw: bytes, expected: str | None) -> str:
    """Return the one query parameter that may stand there; VALIDATION_ERROR for any other."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError as error:
        raise invalid("query", "it is not well-formed") from error
    for name, _ in pairs:
        if name != expected:
            raise invalid("query", f"unknown parameter {name[:80]!r}")
    if len(pairs) > 1:
        raise invalid(pairs[0][0], "it may stand once only")
    return pairs[0][1] if pairs else ""


def value_of(envelope: Any, files: list[Any] | None = None) -> Any:
    """Return what `json`, `meta` and `maps` say, as values of JSON and files; UNSET for undefined."""
    members = _MEMBERS if files is None else {*_MEMBERS, "maps"}
    if not isinstance(envelope, dict) or not envelope.keys() <= members:
        raise invalid("body", f"expected an object of the members {', '.join(sorted(members))}")
    try:
        json = envelope.get("json", UNSET)
        if files is not None:
            json = put(json, envelope.get("maps"), files)
        value = decode(json, envelope.get("meta"))
        return value if value is UNSET else plain(value)
    except Malformed as error:
        raise invalid(error.field, error.message) from error
    except RecursionError as error:
        raise invalid("body", "it is nested too deeply") from error
