"""Judges an account: conserved, never below zero, all or nothing, and the amount that the catalogue asks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from harness.codes import CODES
from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Finding
from harness.promises.ledger.account import Account, Held, account, exact, number
from harness.promises.ledger.annotation import KEY, Ledger, ledger
from harness.promises.ledger.model import Draw, is_sum_of, left
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange

NOT_CONSERVED, OVERDRAWN, PARTIAL, AMOUNT, REFUSAL = (
    "ledger.not-conserved",
    "ledger.overdrawn",
    "ledger.partial",
    "ledger.amount",
    "ledger.refusal",
)
# Who calls, how often and how long it took are refused whatever is asked for.
OF_THE_CALL = frozenset({401, 403, 408, 425, 429})
MAX_WITNESSES = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an account."""

    code: str
    kind: str
    promised: str
    seen: str
    witnesses: tuple[str, ...]


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """The verdict on one case-run; without an accepted draw or a last read it cannot tell."""
    declared = ledger(contract, operation)
    if declared is None:
        return Verdict(KEY, operation.id, reason="x-promises.ledger names no resource of the contract")
    whole = account(declared, exchanges)
    told: dict[tuple[str, str], Finding] = {}
    for fault in _faults(contract, operation, declared, whole):
        told.setdefault((fault.code, fault.kind), _finding(operation, fault))
    known = sum(draw.outcome is not Outcome.UNKNOWN for draw in whole.draws)
    return Verdict(
        KEY, operation.id, known, tuple(told.values()), "" if told else _untold(contract, operation, declared, whole)
    )


def settled(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> bool:
    """Whether nothing speaks against the account; a read that was not may have come too soon after the writes."""
    declared = ledger(contract, operation)
    if declared is None:
        return True
    whole = account(declared, exchanges)
    return not any(list(_conserved(held, whole, set())) for held in whole.things)


def _finding(operation: Operation, fault: Fault) -> Finding:
    return Finding(
        fault.code,
        CODES[fault.code].title,
        CODES[fault.code].severity,
        operation.id,
        fault.kind,
        fault.promised,
        fault.seen,
        fault.witnesses[:MAX_WITNESSES],
    )


def _untold(contract: Contract, operation: Operation, declared: Ledger, whole: Account) -> str:
    """Why it cannot be told: draws that should have been accepted were not, or what is left could not be read."""
    initial = {held.key: held.initial for held in whole.things}
    plain = [
        whole.exchanges[draw.number]
        for draw in whole.draws
        if all(quantity <= initial.get(key, quantity) for key, quantity in draw.wanted.items())
        and not _invalid(contract, operation, draw, whole)
        and not _told_by_client(declared, whole.exchanges[draw.number])
    ]
    if plain and not any(draw.outcome is Outcome.OK for draw in whole.draws):
        statuses = sorted({str(exchange.status or exchange.error) for exchange in plain})
        return f"none of {len(plain)} draws for which there was enough was accepted (answers {', '.join(statuses)})"
    unread = [held.key for held in whole.things if held.final is None]
    return f"what is left of {', '.join(unread)} could not be read" if unread else ""


def _faults(contract: Contract, operation: Operation, declared: Ledger, whole: Account) -> Iterator[Fault]:
    spoilt: set[str] = set()
    for draw in whole.draws:
        kind = _invalid(contract, operation, draw, whole)
        if kind and draw.outcome is Outcome.OK:
            spoilt |= draw.keys
            asked = ", ".join(str(quantity) for _, quantity in draw.lines)
            yield Fault(
                NOT_CONSERVED,
                kind,
                "a draw is of a quantity that the contract allows, and at least above zero",
                f"a draw of {asked} was accepted with {whole.exchanges[draw.number].status}",
                (draw.id,),
            )
    for held in whole.things:
        yield from _overdrawn(held, whole, spoilt)
        yield from _conserved(held, whole, spoilt)
    for draw in whole.draws:
        yield from _refusal(contract, operation, declared, draw, whole)
        if declared.total:
            yield from _amount(declared, draw, whole, spoilt)


def _invalid(contract: Contract, operation: Operation, draw: Draw, whole: Account) -> str:
    """Why the quantities are none to draw; empty where they are, or where the contract does not rule them out."""
    if any(quantity < 0 for _, quantity in draw.lines):
        return "negative quantity"
    odd = [quantity for _, quantity in draw.lines if quantity == 0 or quantity != quantity.to_integral_value()]
    if not odd or _is_allowed(contract, operation, whole.exchanges[draw.number]) is not False:
        return ""
    return "zero quantity" if odd[0] == 0 else "fraction"


def _is_allowed(contract: Contract, operation: Operation, exchange: Exchange) -> bool | None:
    """Whether the schema allows a draw's body; None where there is none that could be asked."""
    body = operation.json_body()
    validator = contract.validator(body.pointer) if body else None
    return None if validator is None else validator.is_valid(exchange.request.json())


def _refusal(contract: Contract, operation: Operation, declared: Ledger, draw: Draw, whole: Account) -> Iterator[Fault]:
    """A draw with nothing wrong in it but that there never was enough, refused in another way than is declared.

    One of several at once may be refused for having met another.
    """
    exchange = whole.exchanges[draw.number]
    alone = exchange.group == 0
    if draw.outcome is not Outcome.REFUSED or not alone or not declared.refused or exchange.status in OF_THE_CALL:
        return
    initial = {held.key: held.initial for held in whole.things}
    once = len(draw.keys) == len(draw.lines) and draw.keys <= set(initial)
    plain = once and all(quantity > 0 and quantity == quantity.to_integral_value() for _, quantity in draw.lines)
    lacking = [key for key, quantity in draw.wanted.items() if plain and quantity > initial[key]]
    if not lacking or exchange.status in declared.refused or _told_by_client(declared, exchange):
        return
    if _is_allowed(contract, operation, exchange):
        statuses = " or ".join(map(str, sorted(declared.refused)))
        promised = f"a draw of more than there is is refused with {statuses}"
        seen = f"a draw of {draw.wanted[lacking[0]]} of {initial[lacking[0]]} was answered with {exchange.status}"
        yield Fault(REFUSAL, "", promised, seen, (draw.id,))


def _overdrawn(held: Held, whole: Account, spoilt: set[str]) -> Iterator[Fault]:
    promised = f"of {held.initial} no more than {held.initial} is drawn and kept"
    draws = [draw for draw in whole.draws if draw.outcome is Outcome.OK and held.key in draw.keys]
    if held.final is not None and held.last is not None and held.final < 0:
        kind = "spoilt" if held.key in spoilt else _how(held, draws)
        yield Fault(OVERDRAWN, kind, promised, f"{held.final} is left", (*_ids(draws), held.last.id))
    elif held.key not in spoilt:
        for draw in draws:
            kept, taking = _kept(held, draws, whole, whole.exchanges[draw.number].done_ns)
            if kept > held.initial:
                seen = f"{kept} was drawn by {len(taking)} accepted draws before any of it was given back"
                yield Fault(OVERDRAWN, _how(held, taking), promised, seen, (held.read.id, *_ids(taking)))
                return


def _kept(held: Held, draws: Sequence[Draw], whole: Account, at_ns: int) -> tuple[Decimal, list[Draw]]:
    """How much was certainly out at an instant: drawn by then, its giving back not even begun."""
    taking = [
        draw
        for draw in draws
        if whole.exchanges[draw.number].done_ns <= at_ns
        and not any(
            back.sent_ns <= at_ns and back.outcome is not Outcome.REFUSED
            for back in whole.restores.get(draw.number, ())
        )
    ]
    return sum((draw.wanted[held.key] for draw in taking), Decimal(0)), taking


def _how(held: Held, draws: Sequence[Draw]) -> str:
    """What kind of draw did it: one that names a key twice is told apart from many at once."""
    for draw in draws:
        counts = [key for key, _ in draw.lines].count(held.key)
        if draw.wanted.get(held.key, 0) > held.initial:
            return "one key twice" if counts > 1 else "more than there is"
    return "many draws"


def _conserved(held: Held, whole: Account, spoilt: set[str]) -> Iterator[Fault]:
    """What is left against what must be; a lack that only refused draws of several keys explain is a part they took.

    What was given back may be missing as well: where that explains the lack too, it is not told which it was.
    """
    if held.final is None or held.last is None or held.key in spoilt or held.final < 0:
        return
    least, most = left(held.initial, held.key, whole.draws)
    if least <= held.final <= most or most < 0:
        return
    touching = [draw for draw in whole.draws if held.key in draw.keys]
    must = f"{most}" if least == most else f"{least} to {most}"
    accepted = sum(draw.outcome is Outcome.OK for draw in touching)
    promised = f"of {held.initial}, {must} is left after {accepted} accepted draws and what was given back"
    witnesses = (held.read.id, *_ids(touching), held.last.id)
    refused = [draw for draw in touching if draw.outcome is Outcome.REFUSED and len(draw.keys) > 1]
    parts = [draw.wanted[held.key] for draw in refused]
    back = [draw.wanted[held.key] for draw in touching if draw.restored is Outcome.OK]
    lack = least - held.final
    if lack > 0 and is_sum_of(lack, parts) and not is_sum_of(lack, back):
        seen = f"{held.final} is left: refused draws of several keys took {lack}"
        yield Fault(PARTIAL, "", promised, seen, (held.read.id, *_ids(refused), held.last.id))
    elif held.final > most:
        twice = any(sum(e.outcome is Outcome.OK for e in whole.restores.get(d.number, ())) > 1 for d in touching)
        kind = "given back twice" if twice else "too much left"
        yield Fault(NOT_CONSERVED, kind, promised, f"{held.final} is left", witnesses)
    else:
        yield Fault(NOT_CONSERVED, "too little left", promised, f"{held.final} is left", witnesses)


def _amount(declared: Ledger, draw: Draw, whole: Account, spoilt: set[str]) -> Iterator[Fault]:
    """The total of an accepted draw against its lines at the units that were read."""
    exchange = whole.exchanges[draw.number]
    units = {held.key: held.unit for held in whole.things}
    prices = [(units.get(key), quantity) for key, quantity in draw.lines]
    if draw.outcome is not Outcome.OK or exchange.response is None or draw.keys & spoilt or not prices:
        return
    if any(unit is None for unit, _ in prices):
        return
    total = number(pointer.get(exact(exchange.response.body), declared.total))
    due = sum(unit * quantity for unit, quantity in prices if unit is not None)
    if total is None or total == due:
        return
    sums = " + ".join(f"{quantity} x {unit}" for unit, quantity in prices)
    told = _told_by_client(declared, exchange)
    yield Fault(
        AMOUNT,
        "client's price" if told else "",
        f"the total is {due} ({sums}), whatever the client says",
        f"the total is {total}{f'; the client sent {told}' if told else ''}",
        (*(held.read.id for held in whole.things if held.key in draw.keys), draw.id),
    )


def _told_by_client(declared: Ledger, exchange: Exchange) -> str:
    """What a draw's request said of prices, as words; empty where it said nothing."""
    body = exact(exchange.request.body)
    places = (declared.total, f"{declared.lines}/*{declared.unit}" if declared.many else declared.unit)
    found = [(place, value) for place in places for value in pointer.find(body, place)]
    return ", ".join(f"{place} = {value}" for place, value in found)


def _ids(draws: Sequence[Draw]) -> tuple[str, ...]:
    return tuple(draw.id for draw in draws)
