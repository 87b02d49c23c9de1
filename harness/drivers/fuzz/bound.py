"""Compares two requests of an operation, and says whether the value in which they differ stands at a plain bound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange

NAMING = re.compile(r"(id|ids|ref|key|code|number|no|cursor|token|page|offset)$", re.IGNORECASE)


def bound(contract: Contract, operation: Operation, exchange: Exchange, place: str, name: str) -> str:
    """Which plain bound of its schema a value stands at: minimum, maximum or enum; empty where at none.

    What names another thing (an id, a key, a cursor) may be refused for what it names.
    """
    if not name or NAMING.search(name):
        return ""
    body = operation.json_body()
    if place == "body":
        schema = (contract.schema(body.schema).get("properties") or {}).get(name) if body else None
        value = exchange.request.json().get(name)
    else:
        schema = next((item.schema for item in operation.parameters if (item.place, item.name) == (place, name)), None)
        value = _number(dict(exchange.request.query).get(name))
    rules = contract.schema(schema)
    if isinstance(value, str) and value in rules.get("enum", ()):
        return "enum"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return next((bound for bound in ("minimum", "maximum") if rules.get(bound) == value), "")


def _number(text: str | None) -> Any:
    """The integer that a query's text spells, else the text."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,18}", text) else text


def differing(one: Exchange, other: Exchange) -> tuple[str, str] | None:
    """Place and name of the one member in which two requests differ; None where they differ in more or elsewhere."""
    if one.request.path != other.request.path or one.request.identity.name != other.request.identity.name:
        return None
    found = [("query", name) for name in _changed(dict(one.request.query), dict(other.request.query))]
    bodies = one.request.json(), other.request.json()
    if isinstance(bodies[0], dict) and isinstance(bodies[1], dict):
        found += [("body", name) for name in _changed(*bodies)]
    elif one.request.body != other.request.body:
        return None
    return found[0] if len(found) == 1 else None


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """Names whose values differ, `1` and `true` told apart."""
    return {
        name
        for name in one.keys() | other.keys()
        if repr(one.get(name, pointer.MISSING)) != repr(other.get(name, pointer.MISSING))
    }
