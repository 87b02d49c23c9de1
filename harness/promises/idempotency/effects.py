"""How many effects a body of `idempotency` had: what a list shows of it, or what was drawn for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract import pointer
from harness.promises import subject as subjects
from harness.promises.idempotency import steps as words
from harness.promises.idempotency.steps import about
from harness.promises.ledger.account import number
from harness.promises.ledger.annotation import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.idempotency.annotation import Told
    from harness.promises.idempotency.steps import Said


def effects(
    contract: Contract,
    operation: Operation,
    declared: Told,
    known: Said,
    call: Exchange,
    exchanges: Sequence[Exchange],
) -> int | None:
    """How many effects a body had: what the list shows, or what was drawn for it where that is more."""
    listed, drawn = _count(declared, known, call, exchanges), _drawn(contract, operation, known, call, exchanges)
    return listed if drawn <= max(1, listed or 0) else drawn


def _drawn(contract: Contract, operation: Operation, known: Said, call: Exchange, exchanges: Sequence[Exchange]) -> int:
    """How many times what a body draws was drawn; 0 where no ledger is declared or it was not read before and after."""
    drawing = ledger(contract, operation)
    read = {
        word: next((e for e in exchanges if about(e, word) == known.body), None) for word in (words.HAD, words.LEFT)
    }
    if drawing is None or any(subjects.shown(exchange) is None for exchange in read.values()):
        return 0
    had, left = (number(pointer.get(subjects.shown(exchange), drawing.quantity)) for exchange in read.values())
    each = number(pointer.get(call.request.json(), drawing.first(drawing.draw)))
    return int((had - left) / each) if had is not None and left is not None and each else 0


def _count(declared: Told, known: Said, call: Exchange, exchanges: Iterable[Exchange]) -> int | None:
    """How many things the list shows that a body made; None where it was not read, or tells none from another."""
    resource, sent = declared.resource, call.request.json()
    wanted = {place: pointer.get(sent, place) for place in known.marks}
    pages = [exchange for exchange in exchanges if about(exchange, words.COUNTED) == known.body]
    if resource is None or not wanted or not pages:
        return None
    found: set[str] = set()
    for page in pages:
        items = pointer.get(subjects.shown(page), resource.items)
        for item in items if isinstance(items, list) else ():
            if any(pointer.get(item, place) == value for place, value in wanted.items()):
                found.add(str(pointer.get(item, resource.id)))
    return len(found)
