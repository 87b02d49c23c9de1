"""One rule of a schema as a line of Python over a body, for a test that stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract

TYPES = {
    "string": "isinstance(value, str)",
    "boolean": "isinstance(value, bool)",
    "null": "value is None",
    "array": "isinstance(value, list)",
    "object": "isinstance(value, dict)",
    "number": "isinstance(value, (int, float)) and not isinstance(value, bool)",
    "integer": "isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value)",
}
NUMBER, TEXT, LIST = (f"not isinstance(value, {kind}) or " for kind in ("(int, float)", "str", "list"))
BOUNDS = {
    "minimum": f"{NUMBER}value >= {{}}",
    "maximum": f"{NUMBER}value <= {{}}",
    "exclusiveMinimum": f"{NUMBER}value > {{}}",
    "exclusiveMaximum": f"{NUMBER}value < {{}}",
    "minLength": f"{TEXT}len(value) >= {{}}",
    "maxLength": f"{TEXT}len(value) <= {{}}",
    "pattern": f"{TEXT}re.search({{}}, value)",
    "minItems": f"{LIST}len(value) >= {{}}",
    "maxItems": f"{LIST}len(value) <= {{}}",
    "enum": "value in {}",
    "const": "value == {}",
}
DEEPEST = 8
LACKING = "its sequence lacks the step that shows it"


class Unstated(Exception):
    """Why no test that stands alone can be written."""


def check(contract: Contract, schema: Any, place: str, rule: str, answer: str) -> list[str]:
    """The line that holds every value at a place of an answer's body to one rule; raises Unstated where none can."""
    where = "" if place == "/" else place
    if rule == "missing":
        holder, _, token = where.rpartition("/")
        (name,) = pointer.tokens(f"/{token}")
        return [f"each({answer}, {holder!r}, lambda value: {name!r} in value)"]
    node = _below(contract, schema, pointer.tokens(where))
    if node is None:
        raise Unstated("its schema is not told by one place of the contract")
    if rule == "extra member":
        names = sorted(node.get("properties") or {})
        return [f"each({answer}, {where!r}, lambda value: set(value) <= set({names!r}))"]
    if rule == "type" and "type" in node:
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        test = " or ".join(f"({TYPES[kind]})" for kind in kinds if kind in TYPES)
        return [f"each({answer}, {where!r}, lambda value: {test})"]
    if rule in BOUNDS and rule in node:
        return [f"each({answer}, {where!r}, lambda value: {BOUNDS[rule].format(repr(node[rule]))})"]
    raise Unstated(f"the rule {rule} of a schema needs a validator")


def _below(contract: Contract, schema: Any, tokens: list[str], depth: int = 0) -> Mapping[str, Any] | None:
    """The schema of the value that the tokens lead to, `*` being any item; None where that is not one schema."""
    node = contract.schema(schema)
    if not tokens:
        return node
    if depth > DEEPEST:
        return None
    token, rest = tokens[0], tokens[1:]
    properties = node.get("properties") or {}
    if token in properties:
        return _below(contract, properties[token], rest, depth + 1)
    for key in ("items", "additionalProperties"):
        if token == "*" and isinstance(node.get(key), dict):  # noqa: S105 - any item of a pointer
            return _below(contract, node[key], rest, depth + 1)
    branches = [branch for key in ("allOf", "anyOf", "oneOf") for branch in node.get(key, ())]
    found = [inner for branch in branches if (inner := _below(contract, branch, tokens, depth + 1)) is not None]
    return found[0] if len(found) == 1 else None
