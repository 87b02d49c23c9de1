"""What `x-promises.sort` says: which parameter sorts by which member, in which directions, and what is the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.promises.paging import REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation

KEY = "sort"
ASCENDING, DESCENDING = "ascending", "descending"

_NAME = {"type": "string", "minLength": 1}
_POINTER = {"type": "string", "pattern": "^/"}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "resource": _NAME,
        "then": {"type": "array", "items": _NAME},
        "id": _POINTER,
        "keys": {"type": "object", "additionalProperties": _POINTER, "minProperties": 1},
        "by": _NAME,
        "direction": _NAME,
        "ascending": _NAME,
        "descending": _NAME,
        "default": {
            "type": "object",
            "properties": {"key": _NAME, "direction": {"enum": [ASCENDING, DESCENDING]}},
            "required": ["key", "direction"],
            "additionalProperties": False,
        },
        "nulls": {"enum": ["first", "last"]},
        "unknown": {"enum": ["refused", "ignored"]},
        "refused": {"type": "array", "items": {"type": "integer", "minimum": 400, "maximum": 499}, "minItems": 1},
    },
    "required": ["keys"],
    "dependentRequired": {"direction": ["by"]},
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Order:
    """The member that a list is sorted by, and whether the greatest comes first."""

    key: str
    member: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders that a list can be asked for. `forms` are the values of `direction`, or of `by` where there is none.

    `by` is empty where the list has one order only. `nulls` is empty where it is not told where they come.
    """

    keys: Mapping[str, str]
    by: str = ""
    direction: str = ""
    forms: tuple[str, str] = ("", "")
    default: Order | None = None
    nulls: str = ""
    strict: bool = True
    refused: tuple[int, ...] = REFUSED

    def query(self, order: Order) -> tuple[tuple[str, str], ...]:
        """The parameters that ask for an order."""
        form = self.forms[order.descending].replace("{key}", order.key)
        return ((self.by, order.key), (self.direction, form)) if self.direction else ((self.by, form),)

    def asked(self, told: Mapping[str, str]) -> Order | None:
        """The order that a request asks for, the default where it asks for none; None where that is not known."""
        if self.by not in told:
            return self.default
        for key, member in self.keys.items():
            for descending in (False, True):
                order = Order(key, member, descending)
                if all(told.get(name) == value for name, value in self.query(order)):
                    return order
        return None


def orders(contract: Contract, operation: Operation) -> Orders | None:
    """The orders of a list as its promise says; None where it says nothing."""
    told = contract.promise(KEY, operation)
    if not isinstance(told, dict):
        return None
    usual = ("asc", "desc") if "direction" in told else ("{key}", "-{key}")
    first = told.get("default", {})
    member = told["keys"].get(first.get("key"))
    return Orders(
        keys=told["keys"],
        by=told.get("by", ""),
        direction=told.get("direction", ""),
        forms=(told.get(ASCENDING, usual[0]), told.get(DESCENDING, usual[1])),
        default=Order(first["key"], member, first["direction"] == DESCENDING) if member else None,
        nulls=told.get("nulls", ""),
        strict=told.get("unknown") != "ignored",
        refused=tuple(told.get("refused", REFUSED)),
    )
