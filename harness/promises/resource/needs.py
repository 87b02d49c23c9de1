"""What a request needs beyond its schema to succeed: stock to draw from, where a ledger says that it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import things

if TYPE_CHECKING:
    from harness.case import Steps
    from harness.contract import Operation
    from harness.stage import Stage


def needs(stage: Stage, operation: Operation) -> Steps[dict[str, Any]]:
    """The members by which a request draws one from a fresh thing that has plenty; none where nothing is drawn."""
    ledger = stage.contract.promise("ledger", operation)
    resource = stage.contract.resource(ledger["resource"]) if ledger else None
    if ledger is None or resource is None:
        return {}
    thing = yield from things.make(stage, resource)
    return {_first(ledger["key"]): thing.id, _first(ledger["draw"]): 1}


def _first(place: str) -> str:
    return place.replace("*", "0")
