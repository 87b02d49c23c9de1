"""What JSON lets pass and this API refuses: U+0000 in texts, and a name that stands twice in one object."""

from __future__ import annotations

import json
from typing import Any

import msgspec

# PostgreSQL cannot store U+0000. The byte itself is no JSON, so it comes as this escape only.
ESCAPED_NUL = b"\\u0000"
_ESCAPE = b"\\u"


class TwiceError(ValueError):
    """A name stands twice in one object."""


def nul_in(value: Any, field: str = "") -> str | None:
    """Return where a JSON value holds U+0000, in a name or in a text; None when nowhere."""
    if isinstance(value, str):
        return field if "\0" in value else None
    if isinstance(value, dict):
        if any("\0" in key for key in value):
            return field
        parts = [(item, f"{field}.{key}" if field else key) for key, item in value.items()]
    elif isinstance(value, list):
        parts = [(item, f"{field}[{place}]") for place, item in enumerate(value)]
    else:
        return None
    return next((found for item, name in parts if (found := nul_in(item, name)) is not None), None)


class Names:
    """The member names of one type, by which most bodies are seen to name nothing twice without being read again."""

    def __init__(self, kind: Any) -> None:
        found = _names(msgspec.inspect.type_info(kind))
        self._closed = found is not None
        self._quoted = tuple(json.dumps(name).encode() for name in found or ())

    def twice_in(self, raw: bytes) -> str | None:
        """Return a name that stands twice in an object of this JSON text that fits the type; None when none does."""
        if self._closed and _ESCAPE not in raw and all(raw.count(name) < 2 for name in self._quoted):  # noqa: PLR2004 - twice
            return None
        return twice_in(raw)


def twice_in(raw: bytes | str) -> str | None:
    """Return a name that stands twice in an object of a JSON text; None when none does."""
    try:
        json.loads(raw, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except TwiceError as error:
        return str(error)
    return None


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise TwiceError(name)
        seen.add(name)


def _names(kind: Any) -> frozenset[str] | None:
    """Return the names that objects of a type may have, at any depth; None when they may have any."""
    if isinstance(kind, (msgspec.inspect.DictType, msgspec.inspect.AnyType)):
        return None
    parts: list[Any] = []
    own: frozenset[str] = frozenset()
    if isinstance(kind, msgspec.inspect.StructType):
        own = frozenset(field.encode_name for field in kind.fields)
        parts = [field.type for field in kind.fields]
    elif isinstance(kind, msgspec.inspect.Metadata):
        parts = [kind.type]
    elif isinstance(kind, msgspec.inspect.UnionType):
        parts = list(kind.types)
    elif isinstance(kind, (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.SetType)):
        parts = [kind.item_type]

    for part in parts:
        more = _names(part)
        if more is None:
            return None
        own |= more
    return own
