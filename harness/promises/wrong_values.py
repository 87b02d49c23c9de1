"""Values that a schema refuses, one rule broken at a time: the boundaries of a contract, drawn from its schemas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract, Operation, Parameter

MAX_DEPTH = 4
MAX_TEXT = 10_000
MAX_ITEMS = 1_000
WRONG_TEXT = "no-such-value"
FORMATS = {"uuid": "not-a-uuid", "email": "not an address", "date-time": "yesterday", "date": "yesterday"}
PLAUSIBLE = {"date-time": "2001-02-03T04:05:06Z", "date": "2001-02-03", "email": "another@example.test"}
UNEXPECTED = "unexpectedMember"
# One item again: no fault where the schema allows it, but a place at which servers fall over.
TWICE, UNIQUE = "an item twice", "uniqueItems"
# What a client gains by writing it, first.
WORTH = ("total", "price", "amount", "role", "roles")
SET = ("status", "id", "version")
MAX_COMPUTED = 6
# The first number that 64 bits with a sign do not hold, and one that none of a usual width does.
SIGNED, HUGE = 2**63, 10**20


@dataclass(frozen=True, slots=True)
class Wrong:
    """One value at one place of a request that breaks one rule; `remove` takes the member away instead.

    A list with an item TWICE breaks none.
    """

    place: str
    rule: str
    value: Any = None
    remove: bool = False

    @property
    def label(self) -> str:
        """How a step names it."""
        return f"{self.place or '/'} {self.rule}"


def in_body(contract: Contract, operation: Operation, *, allowed: bool = False) -> list[Wrong]:
    """Everything that breaks the JSON body's schema in one place, worst first: extra members, bounds, gaps, types.

    With `allowed` also what the schema allows and servers fall over.
    """
    declared = operation.json_body()
    if declared is None or not declared.pointer:
        return []
    found = list(_of_schema(contract, declared.schema, "", 0, required=True))
    found = [wrong for wrong in found if allowed or wrong.rule != TWICE]
    found += _computed(contract, operation, declared.schema)
    order = {"computed": 0, "extra member": 1, "missing": 3, "type": 4}
    return sorted(found, key=lambda wrong: order.get(wrong.rule.split(":")[0], 2))


def of_parameter(contract: Contract, parameter: Parameter) -> list[str]:
    """Texts that a parameter refuses: out of its bounds, of another type, not in its list; and what clients try.

    Of the last some may be allowed: a number below 0, or one that 64 bits do not hold.
    """
    schema = joined(contract, parameter.schema)
    kind = type_of(schema)
    if kind in {"integer", "number"}:
        wrong = [str(value.value) for value in _of_number(schema, "", kind) if not isinstance(value.value, str)]
        whole = ["1.5", str(SIGNED), str(HUGE)] if kind == "integer" else []
        return list(dict.fromkeys([*wrong, "-1", "-5", "abc", *whole]))
    if kind == "boolean":
        return ["maybe"]
    if "enum" in schema:
        return [WRONG_TEXT]
    texts = [value.value for value in _of_string(schema, "") if isinstance(value.value, str)]
    return [text for text in texts if text.strip(" \0")]


def _of_schema(contract: Contract, node: Any, place: str, depth: int, *, required: bool) -> Iterator[Wrong]:
    schema = joined(contract, node)
    if schema.get("readOnly") or depth > MAX_DEPTH:
        return
    if required and place and not place.endswith("/0"):
        yield Wrong(place, "missing", remove=True)
    kind = type_of(schema)
    if "enum" in schema:
        yield Wrong(place, "enum", WRONG_TEXT)
    elif kind in {"integer", "number"}:
        yield from _of_number(schema, place, kind)
    elif kind == "string":
        yield from _of_string(schema, place)
    elif kind == "boolean":
        yield Wrong(place, "type", "maybe")
    elif kind == "array":
        yield from _of_array(contract, schema, place, depth)
    elif kind == "object" and schema.get("properties"):
        yield from _of_object(contract, schema, place, depth)


def _of_number(schema: Mapping[str, Any], place: str, kind: str) -> Iterator[Wrong]:
    step = schema.get("multipleOf", 1)
    for rule, sign in (("minimum", -1), ("maximum", 1)):
        if rule in schema:
            yield Wrong(place, rule, stepped(schema[rule], sign * step))
        exclusive = f"exclusive{rule.capitalize()}"
        if isinstance(schema.get(exclusive), int | float):
            yield Wrong(place, exclusive, schema[exclusive])
    low, high = schema.get("minimum", 1), schema.get("maximum", 2)
    if kind == "integer" and low + 0.5 < high:
        yield Wrong(place, "type: fraction", low + 0.5)
    elif "multipleOf" in schema and step < 1 and low + step / 2 < high:
        yield Wrong(place, "multipleOf", low + step / 2)
    yield Wrong(place, "type", "abc")


def stepped(bound: float, step: float) -> float:
    """The number one step from a bound: whole where both are, else without the rounding of floats."""
    return bound + step if isinstance(bound, int) and isinstance(step, int) else round(bound + step, 6)


def _of_string(schema: Mapping[str, Any], place: str) -> Iterator[Wrong]:
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    pattern, form = schema.get("pattern"), schema.get("format")
    if low > 0:
        yield Wrong(place, "minLength", "a" * (low - 1))
    if high is not None and high <= MAX_TEXT:
        yield Wrong(place, "maxLength", "a" * (high + 1))
    if form in FORMATS:
        yield Wrong(place, f"format: {form}", FORMATS[form])
    elif pattern is not None:
        wrong = next((text for text in ("not, this: \u2603", "", "\0") if not _finds(pattern, text)), None)
        if wrong is not None:
            yield Wrong(place, "pattern", wrong)
    yield Wrong(place, "type", 12345)


def _finds(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return True


def _of_array(contract: Contract, schema: Mapping[str, Any], place: str, depth: int) -> Iterator[Wrong]:
    if schema.get("minItems", 0) > 0:
        yield Wrong(place, "minItems", [])
    if schema.get("maxItems", MAX_ITEMS) < MAX_ITEMS:
        yield Wrong(place, "maxItems", schema["maxItems"] + 1)
    if schema.get("maxItems", MAX_ITEMS) > 1:
        yield Wrong(place, UNIQUE if schema.get(UNIQUE) is True else TWICE, 2)
    yield Wrong(place, "type", "abc")
    yield from _of_schema(contract, schema.get("items", {}), f"{place}/0", depth + 1, required=True)


def _of_object(contract: Contract, schema: Mapping[str, Any], place: str, depth: int) -> Iterator[Wrong]:
    if schema.get("additionalProperties") is False:
        yield Wrong(f"{place}/{UNEXPECTED}", "extra member", "unexpected")
    if place:
        yield Wrong(place, "type", "abc")
    if schema.get("minProperties", 0) > 0 and not schema.get("required"):
        yield Wrong(place, "minProperties", {})
    for name, member in schema["properties"].items():
        at = f"{place}/{pointer.escape(name)}"
        yield from _of_schema(contract, member, at, depth + 1, required=name in schema.get("required", ()))


def _computed(contract: Contract, operation: Operation, body: Mapping[str, Any]) -> Iterator[Wrong]:
    """Members of closed objects that the server computes: those of its answer, and such as it often has."""
    closed = [("", joined(contract, body))]
    closed += [
        (f"/{pointer.escape(name)}/0", joined(contract, joined(contract, member).get("items", {})))
        for name, member in closed[0][1].get("properties", {}).items()
        if type_of(joined(contract, member)) == "array"
    ]
    for place, schema in closed:
        own = schema.get("properties") or {}
        if not own or schema.get("additionalProperties") is not False:
            continue
        shown = _answered(contract, operation) if not place else {"price": {"type": "number"}}
        owners = [pointer.tokens(resource.owner)[-1] for resource in contract.resources if resource.owner]
        computed = dict.fromkeys((*WORTH, *owners, *SET))
        names = [name for name in computed if name in shown and name not in own]
        names += [name for name in shown if name not in own and name not in names]
        for name in names[:MAX_COMPUTED]:
            yield Wrong(f"{place}/{pointer.escape(name)}", "computed", _plausible(contract, shown[name]))


def _answered(contract: Contract, operation: Operation) -> Mapping[str, Any]:
    answer = operation.success()
    schema = joined(contract, answer.bodies[0].schema) if answer and answer.bodies else {}
    return schema.get("properties") or {}


def _plausible(contract: Contract, node: Any, depth: int = 0) -> Any:
    """A value of the member's type that a cheat would send; of a list one item, as an empty one may be refused."""
    schema = joined(contract, node)
    if schema.get("enum"):
        return schema["enum"][0]
    if type_of(schema) == "array":
        return [_plausible(contract, schema.get("items", {}), depth + 1)] if depth < MAX_DEPTH else []
    if schema.get("format") in PLAUSIBLE:
        return PLAUSIBLE[schema["format"]]
    values = {"integer": 1, "number": 0.01, "boolean": True, "object": {}}
    return values.get(type_of(schema), "00000000-0000-4000-8000-000000000000")


def joined(contract: Contract, node: Any, depth: int = 0) -> dict[str, Any]:
    """A schema with its allOf joined and the first useful branch of anyOf and oneOf taken."""
    schema = dict(contract.schema(node))
    parts = list(schema.get("allOf", ()))
    for key in ("anyOf", "oneOf"):
        branches = [contract.schema(branch) for branch in schema.get(key, ())]
        parts += [branch for branch in branches if branch.get("type") != "null"][:1]
    for part in parts if depth < MAX_DEPTH else ():
        other = joined(contract, part, depth + 1)
        properties = {**other.get("properties", {}), **schema.get("properties", {})}
        required = [*other.get("required", ()), *schema.get("required", ())]
        schema = {**other, **schema, **({"properties": properties, "required": required} if properties else {})}
    return schema


def type_of(schema: Mapping[str, Any]) -> str:
    """The one type of a schema beside null; empty where it does not say."""
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), None)
    return str(declared) if declared else "object" if "properties" in schema else ""
