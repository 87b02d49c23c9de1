"""Turns what the protocol carries into what the contract's types are read from: the values of JSON, and files."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from msgspec import UNSET

from reference_impl.rpc.codec import date_text
from reference_impl.rpc.values import BigInt, Malformed, MapValue, RegExp, SetValue, Url

_SIMPLE: dict[type, Any] = {datetime: date_text, BigInt: int, Url: str}
_FIELD_LENGTH = 200


def plain(value: Any, field: str = "input") -> Any:
    """Return the JSON value that stands for a value in the contract: an undefined member is absent.

    A Date is its RFC 3339 text, a bigint an integer, a URL its text, a Set an array, a Map with text keys an object.
    Malformed for what the contract has no word for: NaN, a regular expression, undefined in an array.
    """
    if isinstance(value, MapValue):
        value = _object(value, field)
    elif isinstance(value, SetValue):
        value = value.items
    if isinstance(value, dict):
        return {key: plain(item, _under(field, f".{key}")) for key, item in value.items() if item is not UNSET}
    if isinstance(value, (list, tuple)):
        return [plain(item, _under(field, f"[{place}]")) for place, item in enumerate(value)]
    if type(value) in _SIMPLE:
        return _SIMPLE[type(value)](value)
    if isinstance(value, RegExp) or value is UNSET or (isinstance(value, float) and math.isnan(value)):
        raise Malformed(field, "expected a value of JSON")
    return value


def _object(value: MapValue, field: str) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, item in value.entries:
        if not isinstance(key, str):
            raise Malformed(field, "expected a Map whose keys are text")
        members[str(key)] = item
    return members


def _under(field: str, step: str) -> str:
    """Return the name of a part, cut: deep nesting under long names would multiply."""
    return (field + step)[:_FIELD_LENGTH]
