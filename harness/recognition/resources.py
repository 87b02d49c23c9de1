"""Resources as paths, links and names show them: which operations make, read, list, change and delete one thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.contract import naming
from harness.contract.makers import Makers, items_at
from harness.contract.resource import ACTIONS, singular
from harness.contract.shape import leaves
from harness.recognition.sign import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract, Operation

OWNERS = re.compile(r"(?:owner|author|creator|user|account|created_?by)(?:_?id)?", re.IGNORECASE)
VERSIONS = {"version", "revision", "lockversion", "rowversion"}
CONFLICT = 409
BRINGS = re.compile(r"publish|approve|activate|enable|release|confirm|submit", re.IGNORECASE)
ITEM = {"GET": "read", "PATCH": "update", "PUT": "update", "DELETE": "delete"}


def signs(contract: Contract) -> Iterator[Sign]:
    """Each resource that the document does not declare, with the members that it found."""
    declared = {operation for item in contract.resources if item.declared for operation in item.operations}
    makers = Makers(contract)
    names: set[str] = {item.name for item in contract.resources if item.declared}
    for create in makers.operations:
        items = {} if create.id in declared else _items(contract, create)
        if "read" not in items:
            continue
        name = _name(contract, create)
        if name in names:
            continue
        names.add(name)
        evidence = f"{create.method} {create.path} makes it, {items['read'].path} is one of it"
        evidence += _linked(contract, items["read"])
        listing = _listing(contract, create)
        brings = _brings(contract, items["read"]) if listing is not None else None
        if listing is not None and brings is not None:
            evidence += f"; list is left out, since {brings.id} may be what brings one into {listing.id}"
            listing = None
        actions = {"create": create, **items, **({"list": listing} if listing is not None else {})}
        entry: dict[str, Any] = {action: actions[action].id for action in ACTIONS if action in actions}
        if listing is not None:
            entry["items"] = items_at(contract, listing)
        yield Sign("resource", entry | _members(contract, makers, create, items), evidence, name=name)


def _items(contract: Contract, create: Operation) -> dict[str, Operation]:
    """The operations on one of what an operation makes, by what they do; a path's last part is its id."""
    found: dict[str, Operation] = {}
    for operation in contract.operations:
        parameters = operation.path_parameters
        last = operation.path.rstrip("/").rpartition("/")[2]
        if not parameters or last != f"{{{parameters[-1].name}}}" or operation.method not in ITEM:
            continue
        need = contract.prerequisites.need(operation, "path", parameters[-1].name)
        if need is not None and need.producer is not None and need.producer.operation == create.id:
            key = ITEM[operation.method]
            if key not in found or operation.method == "PATCH":
                found[key] = operation
    return found


def _name(contract: Contract, create: Operation) -> str:
    own = contract.resource_of(create.id)
    words = [word for word in create.path.split("/") if word and "{" not in word]
    return own.name if own is not None else singular(words[-1]) if words else create.id


def _linked(contract: Contract, read: Operation) -> str:
    need = contract.prerequisites.need(read, "path", read.path_parameters[-1].name)
    evidence = need.producer.evidence if need is not None and need.producer is not None else ()
    return f" ({'; '.join(item.text for item in evidence)})" if evidence else ""


def _brings(contract: Contract, read: Operation) -> Operation | None:
    """A write below the item's path whose name says that it makes the thing visible; None where there is none."""
    below = (item for item in contract.operations if item.path.startswith(f"{read.path}/") and not item.reads)
    return next((item for item in below if BRINGS.fullmatch(item.path.rpartition("/")[2])), None)


def _listing(contract: Contract, create: Operation) -> Operation | None:
    """The GET on the path of the create, where it answers a list."""
    found = (item for item in contract.operations if item.path == create.path and item.method == "GET")
    return next((item for item in found if items_at(contract, item) is not None), None)


def _members(contract: Contract, makers: Makers, create: Operation, items: dict[str, Operation]) -> dict[str, str]:
    """The pointers of id, owner and version in what a read answers.

    What a client writes is no owner, nor is a thing's own id; a version that no write is refused for is only told.
    """
    found: dict[str, str] = {}
    parameter = items["read"].path_parameters[-1].name
    identifier = makers.id_of(create, parameter, _name(contract, create))
    if identifier is not None:
        found["id"] = identifier.pointer
    written = {at for item in (create, items.get("update")) for at in _written(contract, item)} | {found.get("id")}
    shown = (leaf for leaf in makers.answer(items["read"]) if leaf.pointer.count("/") == 1)
    owner = next((leaf.pointer for leaf in shown if OWNERS.fullmatch(leaf.name) and leaf.pointer not in written), "")
    update = items.get("update")
    version = version_member(contract, update, makers, items["read"]) if update is not None and clashes(update) else ""
    return found | ({"owner": owner} if owner else {}) | ({"version": version} if version else {})


def version_member(contract: Contract, update: Operation | None, makers: Makers, read: Operation) -> str:
    """The pointer of the version that a read shows and its update takes in the body; empty where there is none."""
    taken = _written(contract, update)
    shown = (leaf for leaf in makers.answer(read) if naming.plain(leaf.name) in VERSIONS and leaf.pointer in taken)
    return next((leaf.pointer for leaf in shown), "")


def clashes(operation: Operation) -> bool:
    """Whether it says that it refuses a write which saw an old version."""
    return any(answer.status == str(CONFLICT) for answer in operation.answers)


def _written(contract: Contract, operation: Operation | None) -> set[str]:
    """The pointers of what a client may write into the body of an operation."""
    body = operation.json_body() if operation is not None else None
    return {leaf.pointer for leaf in leaves(contract, body.schema, written=True)} if body is not None else set()
