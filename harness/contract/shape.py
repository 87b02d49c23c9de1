"""What a JSON Schema makes its values look like: branches joined as values are drawn, and the scalars within."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract.contract import Contract

MAX_DEPTH = 6
MAX_LEAVES = 500
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


def flattened(
    contract: Contract,
    node: Any,
    above: frozenset[str] = frozenset(),
    *,
    told: bool = False,
    heirs: tuple[str, ...] = (),
) -> Mapping[str, Any]:
    """The schema with allOf joined and the first useful branch of anyOf and oneOf taken; a circle of these is cut.

    A discriminator's member has the one value that names the branch; with `told` a schema around this one named it.
    `heirs` are the components of which this is a part by allOf, the outermost first.
    """
    above |= {_reference(node)}
    outer, heirs = heirs, (*heirs, *([_reference(node)] if _reference(node) else ()))
    schema = contract.schema(node)
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key not in {"allOf", "anyOf", "oneOf"}}
    parts = [(part, None if told else _kind(contract.schema(part), heirs)) for part in _list(schema.get("allOf"))]
    joined = len(parts)
    for key in ("anyOf", "oneOf"):
        branches = _list(schema.get(key))
        if any(_reference(branch) in outer for branch in branches):
            continue  # it is part of one of its branches
        useful = (branch for branch in branches if contract.schema(branch).get("type") != "null")
        parts += [
            (branch, _kind(schema, (_reference(branch),))) for branch in next(([item] for item in useful), branches[:1])
        ]
    for number, (part, kind) in enumerate(parts):
        if _reference(part) and _reference(part) in above:
            continue
        inner = heirs if number < joined else ()
        flat = flattened(contract, part, above, told=told or kind is not None, heirs=inner)
        properties = {**merged.get("properties", {}), **flat.get("properties", {})}
        required = [*merged.get("required", ()), *flat.get("required", ())]
        own = contract.schema(properties.get(kind[0])) if kind is not None else {}
        if kind is not None and "const" not in own and ("enum" not in own or kind[1] in _list(own["enum"])):
            properties[kind[0]], required = {**own, "const": kind[1]}, [*required, kind[0]]
        merged = {**flat, **merged}
        if properties:
            merged.update(properties=properties, required=required)
    return merged


def _kind(holder: Mapping[str, Any], references: tuple[str, ...]) -> tuple[str, str] | None:
    """The member and the value by which a discriminator tells a branch from the others; None where none does.

    Of several references, the outermost first, that to the first component that the mapping names decides, else the
    first.
    """
    told = holder.get("discriminator")
    name = told.get("propertyName") if isinstance(told, dict) else None
    components = [reference.rpartition("/")[2] for reference in references if reference]
    if not isinstance(name, str) or not components:
        return None
    mapping = told.get("mapping") if isinstance(told, dict) else None
    found = list(mapping.items()) if isinstance(mapping, dict) else []
    names = {str(target).rpartition("/")[2]: str(key) for key, target in reversed(found)}
    return name, next((names[component] for component in components if component in names), components[0])


def leaves(contract: Contract, node: Any, *, written: bool = False) -> Iterator[Leaf]:
    """The scalars of a schema in the document's order; without what is read only where `written`.

    At most five hundred, six levels deep; what a component holds of its own kind is not followed.
    """
    yield from islice(_leaves(contract, node, Leaf("", "", required=True), frozenset(), written=written), MAX_LEAVES)


def _leaves(contract: Contract, node: Any, at: Leaf, above: frozenset[str], *, written: bool) -> Iterator[Leaf]:
    """The scalars below a place, whose pointer and requiredness `at` has."""
    reference = _reference(node)
    if at.pointer.count("/") > MAX_DEPTH or (reference and reference in above):
        return
    above |= {reference}
    schema = flattened(contract, node)
    properties = schema.get("properties")
    if isinstance(properties, dict):
        must = set(_list(schema.get("required")))
        for name, member in properties.items():
            if not (written and contract.schema(member).get("readOnly")):
                place = f"{at.pointer}/{pointer.escape(str(name))}"
                below = Leaf(place, str(name), required=at.required and name in must)
                yield from _leaves(contract, member, below, above, written=written)
    elif "items" in schema:
        below = Leaf(f"{at.pointer}/*", at.name, required=at.required)
        yield from _leaves(contract, schema["items"], below, above, written=written)
    elif "object" not in _list(schema.get("type")) and schema.get("type") != "object":
        yield Leaf(at.pointer, at.name, at.required, schema, _component(node))


def _reference(node: Any) -> str:
    return str(node.get("$ref") or "") if isinstance(node, dict) else ""


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
