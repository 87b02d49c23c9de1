"""What `x-promises.filter` says: each parameter with its operator and the members of an item that it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.errors import CannotTell
from harness.promises.planting import source
from harness.promises.writing import base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation

KEY = "filter"
OPERATORS = ("equals", "contains", "min", "max", "above", "below", "in")

_POINTER = {"type": "string", "pattern": "^/"}
_PLACES = {"type": "array", "items": _POINTER, "minItems": 1}
_RULE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "operator": {"enum": list(OPERATORS)},
        "members": _PLACES,
        "sent": _POINTER,
        "maker": {"type": "boolean"},
        "fold": {"type": "boolean"},
        "shown": {"type": "boolean"},
        "separator": {"type": "string", "minLength": 1},
    },
    "required": ["operator", "members"],
    "additionalProperties": False,
}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "resource": {"type": "string", "minLength": 1},
        "then": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "id": _POINTER,
        "parameters": {"type": "object", "additionalProperties": _RULE, "minProperties": 1},
    },
    "required": ["parameters"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One parameter. `members` point into an item; `sent` into the body that makes one, empty where none sets it.

    `maker` says that its value is the id of who made the thing; `fold` whether letter case counts for nothing, None
    where that is not told. `shown` that it looks at nothing which the list does not show its caller.
    """

    parameter: str
    operator: str
    members: tuple[str, ...]
    sent: str = ""
    maker: bool = False
    fold: bool | None = None
    separator: str = ","
    shown: bool = False


def rules(contract: Contract, operation: Operation) -> tuple[Rule, ...]:
    """The rules of a list that are declared for parameters that it has."""
    told = contract.promise(KEY, operation)
    queries = {item.name for item in operation.parameters if item.place == "query"}
    if not isinstance(told, dict):
        return ()
    return tuple(
        Rule(
            name,
            entry["operator"],
            tuple(entry["members"]),
            entry.get("sent", "") or _sent(contract, operation, entry["members"]),
            entry.get("maker", False),
            entry.get("fold"),
            entry.get("separator", ","),
            entry.get("shown", False),
        )
        for name, entry in told["parameters"].items()
        if name in queries
    )


def _sent(contract: Contract, operation: Operation, members: list[str]) -> str:
    """The first of the members that the body of the create has."""
    return next((place for member in members if (place := sent_at(contract, operation, member))), "")


def sent_at(contract: Contract, operation: Operation, member: str) -> str:
    """Where the body of the create has an item's member: at the same place, or where the thing has its id.

    Empty where a client does not set it.
    """
    found = source(contract, operation)
    places = (member, f"{base(found.resource)}{member}") if found else ()
    return next((place for place in places if settable(contract, operation, place) is not None), "")


def settable(contract: Contract, operation: Operation, place: str) -> Mapping[str, Any] | None:
    """The schema of a member in the body that makes the items of a list; None where a client does not set it."""
    found = source(contract, operation)
    return written(contract, contract.by_id[found.resource.create], place) if found and place else None


def written(contract: Contract, write: Operation, place: str) -> Mapping[str, Any] | None:
    """The schema of a member in the body of a write; None where it has none there that a client sets."""
    body = write.json_body()
    if body is None:
        return None
    schema = contract.schema(body.schema)
    for name in pointer.tokens(place):
        parts = [schema, *(contract.schema(part) for part in schema.get("allOf", ()))]
        holder = next((part for part in parts if name in part.get("properties", {})), None)
        if holder is None:
            return None
        schema = contract.schema(holder["properties"][name])
    return None if schema.get("readOnly") is True else schema


def rule_named(contract: Contract, operation: Operation, parameter: str) -> Rule:
    """The rule of a parameter; raises CannotTell where there is none."""
    found = next((rule for rule in rules(contract, operation) if rule.parameter == parameter), None)
    if found is None:
        raise CannotTell(f"{operation.id} has no filter {parameter!r}")
    return found
