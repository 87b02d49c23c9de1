"""Operations that take many items at once: the list in the request, and where the answer accounts for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import naming, pointer
from harness.contract.operation import is_json
from harness.contract.shape import flattened
from harness.promises.wrong_values import type_of
from harness.recognition.sign import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.contract import Contract, Operation

DONE = {"done", "created", "updated", "deleted", "inserted", "succeeded", "successful", "success", "processed"}
FAILED = {"failed", "failures", "errors", "rejected"}
SKIPPED = {"skipped", "ignored"}
TOTAL = {"total", "count", "received", "requested", "submitted"}
# What may count every item, those that failed too; and lists that may tell several faults of one item.
VAGUE_COUNTS, VAGUE_LISTS = {"processed"}, {"errors", "failures"}
RESULTS = {"results", "outcomes"}
INDEX = {"index", "row", "position"}
ERROR = {"error", "problem"}
THING = {"id", "item", "data", "value"}


def signs(contract: Contract, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Sign]:
    """The bulk operations whose answer accounts for the items.

    Sure where these are what makes a resource, or ids, and each can be in one of the counts only.
    """
    for operation in contract.operations:
        body = operation.json_body()
        if operation.reads or body is None or contract.promise("bulk", operation) is not None:
            continue
        items, form = _items(contract, body.schema)
        told = _told(contract, operation, resources) if form else {}
        if not told:
            continue
        name, why = _resource(contract, operation, form, resources)
        value = {"items": items, **({"resource": name} if name else {}), **told}
        evidence = f"its body has a list at {items or 'its root'}, and its answer tells {', '.join(told.values())}"
        evidence += f"; {why}" if name else "; what the items are is not known: write resource"
        sure = bool(name) and {"done", "failed"} <= set(told) and _is_whole(_counts(contract, operation), told)
        yield Sign("bulk", value, evidence, operation.id, sure=sure)


def _items(contract: Contract, schema: Any) -> tuple[str, Mapping[str, Any]]:
    """Where the body has its only list, and the form of an item; an empty form where there is not one list."""
    whole = flattened(contract, schema)
    if type_of(whole) == "array":
        return "", flattened(contract, whole.get("items"))
    found = [
        (f"/{pointer.escape(name)}", flattened(contract, member.get("items")))
        for name, member in _members(contract, whole).items()
        if type_of(member) == "array"
    ]
    return found[0] if len(found) == 1 else ("", {})


def _told(contract: Contract, operation: Operation, resources: Mapping[str, Any]) -> dict[str, str]:
    """The places of the account in the successful answer; empty where there is none."""
    counts = _counts(contract, operation)
    told = _named(counts, (("done", DONE), ("failed", FAILED), ("skipped", SKIPPED)))
    told = told if {"done", "failed"} <= set(told) else {}
    lists = {name: member for name, member in counts.items() if type_of(member) == "array"}
    results = _named(lists, (("results", RESULTS),))
    if results:
        entry = _members(contract, flattened(contract, lists[results["results"][1:]].get("items")))
        things = THING | {naming.plain(name) for name in resources}
        parts = _named(entry, (("index", INDEX), ("thing", things), ("error", ERROR)))
        results |= parts
    return {**told, **results} if told or {"thing", "error"} & set(results) else {}


def _counts(contract: Contract, operation: Operation) -> dict[str, Mapping[str, Any]]:
    """The whole numbers and the lists of the successful answer, by their names."""
    success = operation.success()
    body = next((item for item in success.bodies if is_json(item.media_type)), None) if success is not None else None
    members = _members(contract, flattened(contract, body.schema)) if body is not None else {}
    return {name: member for name, member in members.items() if type_of(member) in {"integer", "array"}}


def _is_whole(counts: Mapping[str, Any], told: Mapping[str, str]) -> bool:
    """Whether what is told is surely all that is counted, and counts each item once."""
    own = {pointer.tokens(place)[0] for place in (told.get(kind) for kind in ("done", "failed", "skipped")) if place}
    for name, member in counts.items():
        is_list = type_of(member) == "array"
        vague = _is_one_of(name, VAGUE_LISTS if is_list else VAGUE_COUNTS)
        if vague if name in own else not is_list and not _is_one_of(name, TOTAL):
            return False
    return True


def _is_one_of(name: str, names: set[str]) -> bool:
    return naming.plain(name) in set(map(naming.plain, names))


def _named(members: Mapping[str, Any], kinds: tuple[tuple[str, set[str]], ...]) -> dict[str, str]:
    """The pointer of the first member of each kind, known by its name."""
    told: dict[str, str] = {}
    for kind, names in kinds:
        found = next((name for name in members if _is_one_of(name, names)), None)
        told |= {kind: f"/{pointer.escape(found)}"} if found is not None else {}
    return told


def _members(contract: Contract, schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    properties = schema.get("properties")
    told = properties if isinstance(properties, dict) else {}
    return {name: flattened(contract, member) for name, member in told.items()}


def _resource(
    contract: Contract, operation: Operation, form: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str]:
    """The resource that the items make or name, and why; empty where none does."""
    words = {naming.plain(word) for word in operation.path.split("/")}
    for name, resource in resources.items():
        create = contract.by_id.get(resource.get("create", ""))
        body = create.json_body() if create is not None else None
        if create is None or body is None:
            continue
        collection = naming.plain(create.path.rstrip("/").rpartition("/")[2])
        own = set(_members(contract, flattened(contract, body.schema)))
        if own and own == set(_members(contract, form)):
            return name, f"its items have the members of what {create.id} takes"
        if type_of(form) in {"string", "integer"} and collection in words:
            return name, f"its items are scalars, and {collection} stands in its path"
    return "", ""
