"""Which operations make, read, list, change and delete one thing: declared, else inferred from the paths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.contract import pointer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract.operation import Operation

ACTIONS = ("create", "read", "list", "update", "delete")


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of thing. The actions hold operation ids, empty where there is none.

    `id`, `owner` and `version` are JSON pointers into the body that create or read answers; `items` into a list's.
    `again` is the status that a second delete is promised to get; 0 where nothing is said of it.
    """

    name: str
    create: str = ""
    read: str = ""
    list: str = ""
    update: str = ""
    delete: str = ""
    id: str = "/id"
    owner: str = ""
    version: str = ""
    items: str = ""
    again: int = 0
    declared: bool = False

    @property
    def operations(self) -> tuple[str, ...]:
        """The ids of the operations that this resource has."""
        return tuple(filter(None, (getattr(self, action) for action in ACTIONS)))


def resources(operations: Sequence[Operation], declared: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Every resource: the declared ones as they are told, then what the paths show beside them."""
    told = tuple(Resource(name, **entry, declared=True) for name, entry in declared.items())
    taken = {operation for resource in told for operation in resource.operations}
    return told + tuple(r for r in _inferred(operations) if not taken & set(r.operations))


def _inferred(operations: Sequence[Operation]) -> list[Resource]:
    """A collection `/things` with POST, and its item `/things/{id}`: the shape that REST documents share."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path.rstrip("/"), {})[operation.method] = operation
    found = []
    for path, item in by_path.items():
        match = re.fullmatch(r"(?P<collection>.*/(?P<name>[^/{}]+))/\{[^/{}]+\}", path)
        if not match or "{" in match["collection"]:
            continue
        collection = by_path.get(match["collection"], {})
        if "POST" not in collection or "GET" not in item:
            continue
        change = item.get("PATCH") or item.get("PUT")
        found.append(
            Resource(
                singular(match["name"]),
                create=collection["POST"].id,
                read=item["GET"].id,
                list=collection["GET"].id if "GET" in collection else "",
                update=change.id if change else "",
                delete=item["DELETE"].id if "DELETE" in item else "",
                id=_id_member(item["GET"]),
                items=items_member(collection.get("GET")),
            )
        )
    return found


def singular(word: str) -> str:
    """An English collection's name for one of its members: categories -> category, addresses -> address."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _id_member(read: Operation) -> str:
    """The pointer of the id: a member named as the path's parameter, else `/id`."""
    parameter = read.path_parameters[-1].name if read.path_parameters else "id"
    answer = read.success()
    properties = answer.bodies[0].schema.get("properties", {}) if answer and answer.bodies else {}
    return f"/{pointer.escape(parameter)}" if parameter in properties else "/id"


def items_member(listing: Operation | None) -> str:
    """The pointer of the list in a listing's body: the body itself, or its one array member."""
    answer = listing.success() if listing else None
    schema = answer.bodies[0].schema if answer and answer.bodies else {}
    arrays = [name for name, member in (schema.get("properties") or {}).items() if _is_array(member)]
    return f"/{pointer.escape(arrays[0])}" if len(arrays) == 1 else ""


def _is_array(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "array"
