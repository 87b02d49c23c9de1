"""Members of an answer that the contract does not show to anyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.contract import Contract

MAX_DEPTH = 12
JOINS = ("allOf", "anyOf", "oneOf")


def undocumented(contract: Contract, schemas: Sequence[Any], value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every member that stands in an object whose members the contract names, without being one of them.

    A member that is documented as `writeOnly` is never to be shown, and counts. An object that takes any member, or
    has no members documented, holds data and not secrets of the server: nothing is told of it.
    """
    if depth > MAX_DEPTH:
        return
    nodes = [node for schema in schemas for node in _joined(contract, schema)]
    if isinstance(value, list):
        items = [node["items"] for node in nodes if "items" in node]
        for member in value if items else ():
            yield from undocumented(contract, items, member, depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(contract, nodes, value, depth)


def _of_object(
    contract: Contract, nodes: Sequence[Mapping[str, Any]], value: Mapping[str, Any], depth: int
) -> Iterator[tuple[str, Any]]:
    named: dict[str, list[Any]] = {}
    for node in nodes:
        for name, schema in (node.get("properties") or {}).items():
            named.setdefault(name, []).append(schema)
    is_open = any(node.get("additionalProperties", False) is not False or "patternProperties" in node for node in nodes)
    for name, member in value.items():
        if name not in named:
            if named and not is_open:
                yield name, member
            continue
        if any(contract.schema(schema).get("writeOnly") is True for schema in named[name]):
            yield name, member
        yield from undocumented(contract, named[name], member, depth + 1)


def _joined(contract: Contract, schema: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """A schema and every schema that it is joined of."""
    node = contract.schema(schema)
    yield node
    for key in JOINS:
        for branch in node.get(key, ()) if depth < MAX_DEPTH else ():
            yield from _joined(contract, branch, depth + 1)
