"""What a request needs beyond its schema to succeed: stock to draw from, where a ledger says that it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import things
from harness.contract import pointer

if TYPE_CHECKING:
    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.stage import Stage

PLENTY = 1000


def supply(contract: Contract, resource: Resource) -> dict[str, Any]:
    """The members that make a thing with plenty of what a ledger draws from it."""
    create = contract.by_id.get(resource.create)
    body = create.json_body() if create else None
    properties = contract.schema(body.schema).get("properties", {}) if body else {}
    found = {}
    for operation in contract.operations:
        ledger = contract.promise("ledger", operation)
        name = pointer.tokens(ledger["quantity"])[-1] if ledger and ledger["resource"] == resource.name else ""
        if name in properties:
            most = contract.schema(properties[name]).get("maximum", PLENTY)
            found[f"/{pointer.escape(name)}"] = min(PLENTY, int(most))
    return found


def needs(stage: Stage, operation: Operation) -> Steps[dict[str, Any]]:
    """The members by which a request draws one from a fresh thing that has plenty; none where nothing is drawn."""
    ledger = stage.contract.promise("ledger", operation)
    resource = stage.contract.resource(ledger["resource"]) if ledger else None
    if ledger is None or resource is None:
        return {}
    thing = yield from things.make(stage, resource, members=supply(stage.contract, resource))
    return {_first(ledger["key"]): thing.id, _first(ledger["draw"]): 1}


def _first(place: str) -> str:
    return place.replace("*", "0")
