"""Writes values as {json, meta}: types that JSON can say go out as they do in REST, others with their meta."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import inspect

from reference_impl.edge.answers import encode as encode_json
from reference_impl.rpc.codec import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEYOND_JSON = (inspect.DateTimeType, inspect.SetType, inspect.FrozenSetType, inspect.AnyType)


class OutputWriter:
    """Writes values of one type."""

    def __init__(self, kind: Any) -> None:
        self._simple = kind is None or not beyond_json(kind)

    def write(self, value: Any) -> bytes:
        """Return the bytes of a value."""
        if self._simple:
            return b'{"json":%b}' % encode_json(value)
        encoded = encode(value)
        meta = {"meta": encoded.meta} if encoded.meta else {}
        return encode_json({"json": encoded.json, **meta})


@lru_cache(maxsize=256)
def beyond_json(kind: Any) -> bool:
    """Say whether values of a type may hold what JSON has no word for."""
    return any(isinstance(part, _BEYOND_JSON) for part in _parts(inspect.type_info(kind), set()))


def _parts(kind: Any, seen: set[int]) -> Iterator[inspect.Type]:
    """Give a type and all types within it."""
    if isinstance(kind, tuple):
        for part in kind:
            yield from _parts(part, seen)
    elif isinstance(kind, (inspect.Type, inspect.Field)) and id(kind) not in seen:
        seen.add(id(kind))
        if isinstance(kind, inspect.Type):
            yield kind
        for field in msgspec.structs.fields(kind):
            if field.name not in {"default", "default_factory", "cls"}:
                yield from _parts(getattr(kind, field.name), seen)
