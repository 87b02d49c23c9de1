"""Turns values into the protocol's `json` and `meta` and back, as RPCJsonSerializer of @orpc/client 1.16 does.

`meta` lists what JSON cannot say: items [code, ...path], those of a part before those of the whole. Sources: the
RPC protocol page of orpc.dev and what the npm client puts on the wire.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from reference_impl.rpc.values import BigInt, Malformed, MapValue, RegExp, SetValue, Url

if TYPE_CHECKING:
    from collections.abc import Callable

Path = tuple[str | int, ...]

EXACT = 2**53 - 1
"""The largest integer that a JavaScript number and all below it hold exactly."""
_BIGINT = re.compile(r"-?(?:0|[1-9][0-9]{0,4299})", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_REGEXP = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)
_FLAGS = re.compile(r"(?!.*(.).*\1)(?!.*u.*v)(?!.*v.*u)[dgimsuvy]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")


class Kind(IntEnum):
    """The codes of `meta`."""

    BIGINT = 0
    DATE = 1
    NAN = 2
    UNDEFINED = 3
    URL = 4
    REGEXP = 5
    SET = 6
    MAP = 7


@dataclass(slots=True)
class Encoded:
    """A value as JSON and what JSON could not say of it; `json` is UNSET for undefined."""

    json: Any
    meta: list[list[Any]] = field(default_factory=list)


def encode(value: Any) -> Encoded:
    """Return a value of JSON, structs, datetimes and the types of `values` as the protocol has it."""
    encoded = Encoded(UNSET)
    if value is not UNSET:
        encoded.json = _encode(value, (), encoded.meta)
    return encoded


def _encode(value: Any, path: Path, meta: list[list[Any]]) -> Any:
    if isinstance(value, msgspec.Struct):
        value = _members(value)
    if isinstance(value, dict):
        return {key: _encode(item, (*path, key), meta) for key, item in value.items() if item is not UNSET}
    if isinstance(value, (list, tuple)):
        return [_encode(item, (*path, place), meta) for place, item in enumerate(value)]
    found = _marked(value)
    if found is None:
        return value
    kind, plain = found
    if kind in {Kind.SET, Kind.MAP}:  # parts before the whole: the reader finds arrays on its way to them
        plain = _encode(plain, path, meta)
    meta.append([int(kind), *path])
    return plain


def _members(struct: msgspec.Struct) -> dict[str, Any]:
    """Return a struct as the object that msgspec writes for it."""
    told = struct.__struct_config__
    tag = {} if told.tag_field is None else {told.tag_field: told.tag}
    return {**tag, **{one.encode_name: getattr(struct, one.name) for one in msgspec.structs.fields(struct)}}


def _marked(value: Any) -> tuple[Kind, Any] | None:  # noqa: PLR0911 - one line a kind
    """Return the code of a value that JSON cannot say, and what stands for it in JSON."""
    if value is UNSET:
        return Kind.UNDEFINED, None
    if isinstance(value, datetime):
        return Kind.DATE, date_text(value)
    if isinstance(value, float) and math.isnan(value):
        return Kind.NAN, None
    if isinstance(value, BigInt) or (isinstance(value, int) and abs(value) > EXACT):
        return Kind.BIGINT, str(int(value))
    if isinstance(value, Url):
        return Kind.URL, str(value)
    if isinstance(value, RegExp):
        return Kind.REGEXP, f"/{value.source}/{value.flags}"
    if isinstance(value, SetValue):
        return Kind.SET, list(value.items)
    if isinstance(value, (set, frozenset)):
        return Kind.SET, sorted(value, key=repr)
    if isinstance(value, MapValue):
        return Kind.MAP, [list(entry) for entry in value.entries]
    return None


def date_text(moment: datetime) -> str:
    """Return what toISOString gives for a moment; a naive one is of UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def decode(json: Any, meta: Any = UNSET) -> Any:
    """Return the value of `json` and `meta`; changes `json`. Malformed when they do not fit each other."""
    root = {"json": json}
    for item in _listed(meta, "meta"):
        if not isinstance(item, list) or not item or type(item[0]) is not int or item[0] not in _READERS:
            raise Malformed("meta", "an item must be an array that begins with a known type code")
        holder, key = place(root, item[1:], "meta")
        holder[key] = _READERS[item[0]](holder[key])
    return root["json"]


def put(json: Any, maps: Any, files: list[Any]) -> Any:
    """Return `json` with the files where `maps` says."""
    root = {"json": json}
    paths = _listed(maps, "maps")
    if len(paths) != len(files):
        raise Malformed("maps", "it must name one place for each file")
    for path, file in zip(paths, files, strict=True):
        holder, key = place(root, path if isinstance(path, list) else [None], "maps")
        holder[key] = file
    return root["json"]


def place(root: dict[str, Any], path: list[Any], field_name: str) -> tuple[Any, Any]:
    """Return the array or object that holds what a path names, and its index or name there."""
    holder: Any = root
    key: Any = "json"
    for segment in path:
        holder, key = holder[key], segment
        fits = (isinstance(holder, dict) and isinstance(key, str) and key in holder) or (
            isinstance(holder, list) and type(key) is int and 0 <= key < len(holder)
        )
        if not fits:
            raise Malformed(field_name, "a path leads to nothing")
    if holder[key] is UNSET:
        raise Malformed(field_name, "a path leads to nothing")
    return holder, key


def _listed(value: Any, field_name: str) -> list[Any]:
    if value is UNSET or value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(field_name, "it must be an array")
    return value


def _bigint(value: Any) -> BigInt:
    if isinstance(value, str) and _BIGINT.fullmatch(value):
        return BigInt(value)
    raise Malformed("meta", "a bigint is text of at most 4300 decimal digits")


def _date(value: Any) -> datetime:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise Malformed("meta", "a date is text such as 2026-01-31T12:00:00.000Z")


def _nan(value: Any) -> float:
    if value is None:
        return math.nan
    raise Malformed("meta", "NaN stands as null")


def _undefined(value: Any) -> Any:
    if value is None:
        return UNSET
    raise Malformed("meta", "undefined stands as null")


def _url(value: Any) -> Url:
    if isinstance(value, str) and _SCHEME.fullmatch(value):
        return Url(value)
    raise Malformed("meta", "a URL is absolute text")


def _regexp(value: Any) -> RegExp:
    match = _REGEXP.fullmatch(value) if isinstance(value, str) else None
    if match is None or not _FLAGS.fullmatch(match[2]):
        raise Malformed("meta", "a regular expression is text such as /[a-z]/i")
    return RegExp(match[1], match[2])


def _set(value: Any) -> SetValue:
    if isinstance(value, list):
        return SetValue(tuple(value))
    raise Malformed("meta", "a Set stands as an array")


def _map(value: Any) -> MapValue:
    if isinstance(value, list) and all(isinstance(entry, list) and len(entry) == 2 for entry in value):  # noqa: PLR2004 - key and value
        return MapValue(tuple((entry[0], entry[1]) for entry in value))
    raise Malformed("meta", "a Map stands as an array of pairs")


_READERS: dict[int, Callable[[Any], Any]] = {
    Kind.BIGINT: _bigint,
    Kind.DATE: _date,
    Kind.NAN: _nan,
    Kind.UNDEFINED: _undefined,
    Kind.URL: _url,
    Kind.REGEXP: _regexp,
    Kind.SET: _set,
    Kind.MAP: _map,
}
