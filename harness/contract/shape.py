"""What a JSON Schema makes its values look like: branches joined as values are drawn, and the scalars within."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract.contract import Contract

MAX_BRANCHES = 16
MAX_DEPTH = 6
GIVEN = ("const", "default", "enum", "example", "examples")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar of a schema: its pointer with `*` for a list's items, its name, and the component that it refers to.

    `required` says that every value of the whole schema that is drawn with required members only has it.
    """

    pointer: str
    name: str
    required: bool
    schema: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""

    @property
    def given(self) -> bool:
        """Whether the document gives a value for it."""
        return any(key in self.schema for key in GIVEN)


def flattened(contract: Contract, node: Any, depth: int = 0) -> Mapping[str, Any]:
    """The schema with allOf joined and the first useful branch of anyOf and oneOf taken."""
    schema = contract.schema(node)
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key not in {"allOf", "anyOf", "oneOf"}}
    if depth > MAX_BRANCHES:
        return merged
    parts = [*_list(schema.get("allOf"))]
    for key in ("anyOf", "oneOf"):
        branches = _list(schema.get(key))
        useful = (branch for branch in branches if contract.schema(branch).get("type") != "null")
        parts += next(([branch] for branch in useful), branches[:1])
    for part in parts:
        flat = flattened(contract, part, depth + 1)
        properties = {**merged.get("properties", {}), **flat.get("properties", {})}
        required = [*merged.get("required", ()), *flat.get("required", ())]
        merged = {**flat, **merged}
        if properties:
            merged.update(properties=properties, required=required)
    return merged


def leaves(
    contract: Contract, node: Any, *, written: bool = False, at: str = "", required: bool = True, depth: int = 0
) -> Iterator[Leaf]:
    """Every scalar of a schema, six levels deep, in the document's order; without what is read only where `written`."""
    schema = flattened(contract, node)
    if depth > MAX_DEPTH:
        return
    properties = schema.get("properties")
    if isinstance(properties, dict):
        must = set(_list(schema.get("required")))
        for name, member in properties.items():
            if written and contract.schema(member).get("readOnly"):
                continue
            below = f"{at}/{pointer.escape(str(name))}"
            more = required and name in must
            yield from leaves(contract, member, written=written, at=below, required=more, depth=depth + 1)
    elif "items" in schema:
        yield from leaves(contract, schema["items"], written=written, at=f"{at}/*", required=required, depth=depth + 1)
    elif "object" not in _list(schema.get("type")) and schema.get("type") != "object":
        names = [token for token in pointer.tokens(at) if token != "*"]  # noqa: S105 - a token of a pointer
        yield Leaf(at, names[-1] if names else "", required, schema, _component(node))


def _component(node: Any) -> str:
    """The pointer of the component that a node refers to; also through the `allOf` of one that 3.0 asks for."""
    told = node.get("$ref") if isinstance(node, dict) else None
    if told is None and isinstance(node, dict):
        parts = [part for key in ("allOf", "anyOf", "oneOf") for part in _list(node.get(key))]
        found = [part["$ref"] for part in parts if isinstance(part, dict) and "$ref" in part]
        told = found[0] if len(found) == 1 else None
    return str(told or "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
