"""Where an answer of a list shows its items, and an item its id, as the contract tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract.resource import items_member

if TYPE_CHECKING:
    from harness.contract import Contract, Operation

KEYS = ("page", "filter", "sort")


def items(contract: Contract, listing: Operation) -> str:
    """The pointer of the items: what `page` declares, else what the resource or the schema shows."""
    told = contract.promise("page", listing)
    members = told.get("members", {}) if isinstance(told, dict) else {}
    resource = contract.resource_of(listing.id)
    return str(members.get("items", resource.items if resource else items_member(listing)))


def identity(contract: Contract, listing: Operation, about: Operation | None = None) -> str:
    """The pointer of an item's id: what the list's promises declare, else that of what the other operation acts on."""
    entries = [entry for key in KEYS if isinstance(entry := contract.promise(key, listing), dict)]
    told = next((entry for entry in entries if "resource" in entry), {})
    resource = contract.resource(told["resource"]) if told else contract.resource_of(listing.id)
    own = contract.resource_of(about.id) if about is not None else None
    found = resource or own
    return str(told.get("id") or (found.id if found else "/id"))
