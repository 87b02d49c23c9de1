"""Reads a case's exchanges as an account: what was there, what was drawn and given back, what is left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Exchange, Outcome
from harness.promises.ledger.model import Draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.promises.ledger.annotation import Ledger

BEFORE, DRAW, RESTORE, AFTER = "before", "draw", "restore", "after"


@dataclass(frozen=True, slots=True)
class Held:
    """One thing as it was read before the draws and, where it could be, after them. `unit` is the price of one."""

    key: str
    initial: Decimal
    unit: Decimal | None
    read: Exchange
    final: Decimal | None = None
    last: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The whole case. `exchanges` are the draws' by number, `restores` all givings back by the number of their draw."""

    things: tuple[Held, ...]
    draws: tuple[Draw, ...]
    exchanges: dict[int, Exchange]
    restores: dict[int, tuple[Exchange, ...]]


def number(value: Any) -> Decimal | None:
    """The exact decimal of a JSON number or of a string that is one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def exact(body: bytes | None) -> Any:
    """The JSON value with numbers as decimals, as they were written; None where it is not JSON."""
    try:
        return json.loads(body or b"null", parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def account(ledger: Ledger, exchanges: Sequence[Exchange]) -> Account:
    """The account of a case-run."""
    by_step = [(*exchange.request.step.partition(":")[::2], exchange) for exchange in exchanges]
    draws = {int(at): exchange for word, at, exchange in by_step if word == DRAW}
    restores: dict[int, tuple[Exchange, ...]] = {}
    for word, at, exchange in by_step:
        if word == RESTORE:
            restores[int(at)] = (*restores.get(int(at), ()), exchange)
    things: dict[str, Held] = {}
    for word, at, exchange in by_step:
        found = _held(ledger, exchange) if word in {BEFORE, AFTER} else None
        if found is not None and word == BEFORE:
            things[at] = found
        elif found is not None and at in things:
            known = things[at]
            things[at] = Held(known.key, known.initial, known.unit, known.read, found.initial, exchange)
    return Account(
        things=tuple(things.values()),
        draws=tuple(
            Draw(at, lines(ledger, exchange), exchange.outcome, exchange.id, _restored(restores.get(at, ())))
            for at, exchange in sorted(draws.items())
        ),
        exchanges=draws,
        restores=restores,
    )


def lines(ledger: Ledger, exchange: Exchange) -> tuple[tuple[str, Decimal], ...]:
    """The lines of a draw's request; none where it is not as it was made."""
    body = exact(exchange.request.body)
    keys, quantities = pointer.find(body, ledger.key), pointer.find(body, ledger.draw)
    pairs = zip((str(key) for key in keys), (number(quantity) for quantity in quantities), strict=False)
    return tuple((key, quantity) for key, quantity in pairs if quantity is not None)


def _held(ledger: Ledger, exchange: Exchange) -> Held | None:
    if exchange.outcome is not Outcome.OK or exchange.response is None:
        return None
    body = exact(exchange.response.body)
    key, quantity = pointer.get(body, ledger.resource.id), number(pointer.get(body, ledger.quantity))
    if not isinstance(key, str | int) or quantity is None:
        return None
    unit = number(pointer.get(body, ledger.unit)) if ledger.unit else None
    return Held(str(key), quantity, unit, exchange)


def _restored(exchanges: Sequence[Exchange]) -> Outcome | None:
    """OK where any giving back happened, UNKNOWN where one may have, else REFUSED; None where none was tried."""
    outcomes = {exchange.outcome for exchange in exchanges}
    ranked = (Outcome.OK, Outcome.PARTIAL, Outcome.UNKNOWN, Outcome.REFUSED)
    return next((outcome for outcome in ranked if outcome in outcomes), None)
