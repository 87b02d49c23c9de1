"""The values that the RPC protocol has beside those of JSON, as Python holds them.

A Date is an aware `datetime`, undefined is `msgspec.UNSET`, NaN is the float; the rest stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Malformed(ValueError):
    """What a client sent is not of the protocol: `field` says where, the text why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class BigInt(int):
    """A bigint, whatever its size; an ordinary int is a number as long as a number holds it exactly."""


class Url(str):
    """An absolute URL as text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RegExp:
    """A regular expression of JavaScript: carried, never compiled."""

    source: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class SetValue:
    """A Set in its order; its items need not be hashable."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MapValue:
    """A Map in its order; its keys are any values."""

    entries: tuple[tuple[Any, Any], ...]
