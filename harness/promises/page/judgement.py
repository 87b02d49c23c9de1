"""What the answers of the cases of `page` say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import walking
from harness.promises.look import GATES, Look
from harness.promises.page.cases import ANEW, BOUND, ID, INSERTED, OVER, PAST, PLAIN, WHOLE, contract_says
from harness.promises.paging import KEY, paging
from harness.promises.planting import planted, source
from harness.promises.walking import walks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.paging import Paging
    from harness.promises.walking import Walk
    from harness.verdict import Verdict

SERVER_ERROR = 500
TOTAL = "The total is the number of things on all pages."
TITLES: Mapping[str, tuple[str, Severity]] = {
    "page.missing": ("shows a thing on none of its pages", Severity.HIGH),
    "page.duplicate": ("shows a thing on two of its pages", Severity.HIGH),
    "page.order": ("has another order each time that it is walked", Severity.MEDIUM),
    "page.total": ("tells a total that is not what its pages hold", Severity.MEDIUM),
    "page.size": ("gives more than was asked for", Severity.MEDIUM),
    "page.past-end": ("has something past its end", Severity.LOW),
    "page.bounds": ("takes a page that is out of bounds", Severity.MEDIUM),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges the walks or the bounds, whichever the exchanges hold."""
    look = Look(KEY, operation, TITLES)
    shown = paging(contract, operation)
    origin = source(contract, operation)
    declared = contract_says(contract, operation)
    known = walks(exchanges, shown, origin.id if origin else ID)
    order = {exchange.id: index for index, exchange in enumerate(exchanges)}
    made = {} if origin is None else planted(origin.resource, exchanges)
    for name, walked in known.items():
        there = [key for key, create in made.items() if order[create.id] < order[walked.pages[0].id]]
        if name in {WHOLE, ANEW, INSERTED}:
            _each_once(look, name, walked, there, declared=declared)
        if declared and name in {WHOLE, ANEW}:
            _totals(look, walked)
        if declared:
            _sizes(look, name, walked)
    if declared and WHOLE in known and ANEW in known:
        _order(look, known[WHOLE], known[ANEW], list(made))
    for exchange in exchanges:
        word, *about = exchange.request.step.split("|")
        if word == PAST:
            _past(look, shown, exchange)
        if word == BOUND:
            _bound(look, shown, exchange, *about)
    return look.verdict()


def _each_once(look: Look, name: str, walked: Walk, there: Sequence[str], *, declared: bool) -> None:
    """What was there before the walk began is on one page, and on one only unless something was made meanwhile."""
    if walking.unanswered(walked):
        look.reasons.append(walking.unanswered(walked))
        return
    names = walked.names
    there = there or (sorted(set(names)) if declared else [])
    shown = [key for key in there if key in names]
    if not declared and not shown:
        return  # what can be made need not be in a list of which nobody says so
    promised = f"Walking {look.operation.id} shows each thing once."
    if walked.whole:
        look.examined += len(there)
        lost = [key for key in there if key not in names]
        if lost:
            meanwhile = " while others were made" if name == INSERTED else ""
            look.found(
                "page.missing",
                "inserts" if name == INSERTED else "",
                promised,
                f"{len(lost)} of {len(there)} things that were there are on none of the {len(walked.pages)} "
                f"pages{meanwhile}.",
                *walked.pages,
            )
    twice = [key for key in shown if names.count(key) > 1]
    if twice and name != INSERTED and len(set(walked.totals)) <= 1:  # nobody made more
        seen = f"{len(twice)} of {len(there)} things came twice on {len(walked.pages)} pages."
        look.found("page.duplicate", "", promised, seen, *walked.pages)


def _totals(look: Look, walked: Walk) -> None:
    """The total, and the number of pages, are what a whole walk saw; not judged where the list changed meanwhile."""
    totals, shown = walked.totals, walked.paging
    if not walked.whole or not totals:
        return
    for number, page in enumerate(walked.pages):
        total, items = shown.total_of(page), shown.items_of(page)
        least = number * (shown.size_of(page) or 0) + len(items or ())
        if shown.counts and items and total is not None and total < least:
            look.examined += 1
            seen = f"The page after {least - len(items)} things holds {len(items)}, and says that there are {total}."
            look.found("page.total", "", TOTAL, seen, page)
            return
    if len(set(totals)) > 1:
        look.reasons.append(f"the total of {look.operation.id} changed from {totals[0]} to {totals[-1]} on one walk")
        return
    look.examined += 1
    total, count = totals[0], len(walked.items)
    if total != count:
        seen = f"It says {total}; its {len(walked.pages)} pages hold {count}."
        look.found("page.total", "", TOTAL, seen, *walked.pages)
    size, pages = shown.size_of(walked.pages[0]), shown.pages_of(walked.pages[0])
    if pages is not None and size:
        look.examined += 1
        if pages != -(-total // size) and not (total == 0 and pages == 1):
            seen = f"It says {pages} pages for a total of {total} and a size of {size}."
            look.found("page.total", "pages", "The number of pages is the total by the size.", seen, walked.pages[0])


def _sizes(look: Look, name: str, walked: Walk) -> None:
    """No page holds more than was asked for; the first without a size holds the default, or all there is."""
    for page in walked.pages:
        size, items = walked.paging.size_of(page), walked.paging.items_of(page)
        if size is None or items is None:
            continue
        look.examined += 1
        total = walked.paging.total_of(page)
        if len(items) > size:
            asked = f"A page without a size holds {size} at most." if name == PLAIN else "A page holds what was asked."
            seen = f"It held {len(items)} where {size} {'are the default' if name == PLAIN else 'were asked for'}."
            look.found("page.size", PLAIN if name == PLAIN else "", asked, seen, page)
        elif name == PLAIN and total is not None and len(items) < min(size, total):
            seen = f"It held {len(items)} of {total}."
            look.found("page.size", "too few", f"A page without a size holds {size}.", seen, page)


def _order(look: Look, whole: Walk, anew: Walk, made: Sequence[str]) -> None:
    """Two walks show the same things in the same order, whatever the size of their pages."""
    if not (whole.whole and anew.answered):
        return
    first, second = whole.names, anew.names
    quiet = not set(second) - set(first) and len({*whole.totals, *anew.totals}) <= 1
    if quiet:
        first = first[: len(second)]
    else:
        shared = [key for key in made if key in first and key in second]
        first, second = ([key for key in dict.fromkeys(names) if key in shared] for names in (first, second))
    look.examined += 1
    if first != second:
        promised = "The order stays, whatever the size of a page."
        seen = f"The first {len(second)} things were others, or in another order, with another size."
        look.found("page.order", "", promised, seen, *whole.pages[:2], *anew.pages[:3])


def _past(look: Look, shown: Paging, exchange: Exchange) -> None:
    if not look.answered(exchange):
        return
    look.examined += 1
    items = shown.items_of(exchange)
    promised = f"A page past the end is {f'answered {shown.past}' if shown.past else 'empty'}."
    if (shown.past and exchange.status != shown.past) or (not shown.past and items is None):
        look.found("page.past-end", "status", promised, f"It was answered {exchange.status}.", exchange)
    elif items:
        look.found("page.past-end", "", promised, f"It held {len(items)} things.", exchange, severity=Severity.MEDIUM)


def _bound(look: Look, shown: Paging, exchange: Exchange, name: str, kind: str) -> None:
    """Refused as promised; a size over the most may be served as the most where that is promised."""
    value = dict(exchange.request.query).get(name, "")
    if exchange.status in GATES or (exchange.outcome is Outcome.UNKNOWN and exchange.status != SERVER_ERROR):
        look.reasons.append(f"{name}={value} gave {exchange.status or exchange.error or 'no answer'}")
        return
    look.examined += 1
    items = shown.items_of(exchange) or []
    if exchange.status in shown.refused:
        return
    if kind == OVER and shown.capped and exchange.outcome is Outcome.OK:
        if shown.most is not None and len(items) > shown.most:
            seen = f"{name}={value} gave {len(items)}."
            look.found("page.bounds", f"{name} {kind}", f"No page holds more than {shown.most}.", seen, exchange)
        return
    unbounded = shown.most is not None and len(items) > shown.most
    usual = Severity.LOW if exchange.outcome is Outcome.REFUSED else Severity.MEDIUM
    look.found(
        "page.bounds",
        f"{name} {kind}",
        f"{name}={value} is refused with {' or '.join(map(str, shown.refused))}.",
        f"It was answered {exchange.status}" + (f" with {len(items)} things." if items else "."),
        exchange,
        severity=Severity.HIGH if unbounded else usual,
    )
