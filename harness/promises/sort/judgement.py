"""What the answers of the cases of `sort` say."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import walking
from harness.promises.look import GATES, Look
from harness.promises.paging import paging
from harness.promises.planting import planted, source
from harness.promises.sort.cases import UNKNOWN
from harness.promises.sort.model import broken
from harness.promises.sort.orders import ASCENDING, DESCENDING, KEY, Order, Orders, orders
from harness.promises.walking import walks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.walking import Walk
    from harness.verdict import Verdict

SERVER_ERROR = 500
TITLES: Mapping[str, tuple[str, Severity]] = {
    "sort.order": ("is not in the order that was asked for", Severity.MEDIUM),
    "sort.pages": ("loses or repeats a thing between pages of a sorted list", Severity.HIGH),
    "sort.ties": ("orders equal things anew each time", Severity.MEDIUM),
    "sort.unknown": ("takes an order that it does not have", Severity.LOW),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges every walk by the order that it asked for, and what answered to an order that there is not."""
    look = Look(KEY, operation, TITLES)
    told = orders(contract, operation)
    if told is None:
        return look.verdict()
    origin = source(contract, operation)
    made = list(planted(origin.resource, exchanges)) if origin else []
    alike: dict[str, list[Walk]] = defaultdict(list)
    for walked in walks(exchanges, paging(contract, operation), origin.id if origin else "/id").values():
        order = told.asked(walked.told)
        if walking.unanswered(walked):
            look.reasons.append(walking.unanswered(walked))
        elif order is not None:
            _ordered(look, told, order, walked)
            _once(look, walked, made)
            alike[_name(order)].append(walked)
    for name, same in alike.items():
        _same(look, name, same, made)
    for exchange in exchanges:
        word, _, name = exchange.request.step.partition("|")
        if word == UNKNOWN:
            _unknown(look, told, exchange, name)
    return look.verdict()


def _name(order: Order) -> str:
    return f"{order.key} {DESCENDING if order.descending else ASCENDING}"


def _ordered(look: Look, told: Orders, order: Order, walked: Walk) -> None:
    values = [pointer.get(item, order.member) for item in walked.items]
    look.examined += max(0, len(values) - 1)
    at = broken(values, descending=order.descending, nulls=told.nulls)
    if at is None:
        return
    shown = [None if value is pointer.MISSING else value for value in values[at : at + 2]]
    promised = f"The list is in the order of {order.member}, {DESCENDING if order.descending else ASCENDING}."
    look.found("sort.order", _name(order), promised, f"{shown[0]!r} stood before {shown[1]!r}.", *_pages(walked, at))


def _pages(walked: Walk, at: int) -> list[Exchange]:
    """The pages on which the items at an index and after it stand."""
    found, before = [], 0
    for page in walked.pages:
        count = len(walked.paging.items_of(page) or ())
        if before <= at + 1 and at < before + count:
            found.append(page)
        before += count
    return found


def _once(look: Look, walked: Walk, made: Sequence[str]) -> None:
    """In a list that was walked whole, what was planted stands once; where others stand too, they may shift it."""
    names = walked.names
    if not walked.whole or set(names) - set(made):
        return
    look.examined += len(made)
    wrong = [name for name in made if names.count(name) != 1]
    if wrong:
        lost = sum(name not in names for name in wrong)
        seen = f"Of {len(made)} things {lost} came on no page, {len(wrong) - lost} on several."
        look.found("sort.pages", "", "Each thing comes once, in every order.", seen, *walked.pages)


def _same(look: Look, name: str, same: Sequence[Walk], made: Sequence[str]) -> None:
    """Walks of one order that show the same things show them in one sequence."""
    for one, two in pairwise(same):
        if not made or any(sorted(walked.names) != sorted(made) for walked in (one, two)):
            continue
        look.examined += 1
        if one.names != two.names:
            promised = "What is equal keeps one order, whatever the size of a page."
            seen = f"{len(made)} things came in another sequence with another size."
            look.found("sort.ties", name, promised, seen, *one.pages[:2], *two.pages[:3])


def _unknown(look: Look, told: Orders, exchange: Exchange, name: str) -> None:
    value = dict(exchange.request.query).get(name, "")
    if exchange.status in GATES or (exchange.outcome is Outcome.UNKNOWN and exchange.status != SERVER_ERROR):
        look.reasons.append(f"{name}={value} gave {exchange.status or exchange.error or 'no answer'}")
        return
    look.examined += 1
    if exchange.status in told.refused:
        return
    promised = f"An unknown {name} is refused with {' or '.join(map(str, told.refused))}."
    look.found("sort.unknown", name, promised, f"{name}={value} was answered {exchange.status}.", exchange)
