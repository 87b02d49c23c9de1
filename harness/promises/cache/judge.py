"""What the answers of the cases of `cache` say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import paging as pages
from harness.promises import subject as subjects
from harness.promises import walking
from harness.promises.cache import model, tags
from harness.promises.cache import steps as words
from harness.promises.cache.annotation import KEY, NS, Told, told
from harness.promises.cache.headers import contradictions
from harness.promises.cache.steps import CAUSE_PARTS, LARGE, SMALL, each, first, parts
from harness.promises.look import Look
from harness.promises.paging import names_of
from harness.promises.writing import equal
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.cache.ground import Ground
    from harness.promises.paging import Paging

SLACK_NS = NS
GONE = {404, 410}
SUCCESSES = range(200, 300)
TITLES: Mapping[str, tuple[str, Severity]] = {
    "cache.stale": ("shows what was before an acknowledged change", Severity.HIGH),
    "cache.went-back": ("shows an older version after a newer one", Severity.MEDIUM),
    "cache.outlived": ("shows what is older than promised", Severity.HIGH),
    "cache.crossed": ("gives an answer that is another's", Severity.CRITICAL),
    "cache.tag": ("has an entity tag that does not stand for its content", Severity.MEDIUM),
    "cache.not-modified": ("does not answer If-None-Match as HTTP asks", Severity.LOW),
    "cache.headers": ("tells caches otherwise than is promised", Severity.MEDIUM),
}
BY_WORD = {
    model.STALE: "cache.stale",
    model.OUTLIVED: "cache.outlived",
    model.WENT_BACK: "cache.went-back",
}


class _Case:
    """One case-run under judgement."""

    def __init__(self, contract: Contract, operation: Operation, declared: Told, exchanges: Sequence[Exchange]) -> None:
        self.contract, self.operation, self.told, self.exchanges = contract, operation, declared, exchanges
        self.look = Look(KEY, operation, TITLES)
        self.resource = declared.resource
        self.paging = pages.paging(contract, operation)
        self.is_list = self.resource is not None and operation.id == self.resource.list

    def sentence(self) -> str:
        """What is promised of the age and of changes."""
        causes = ", ".join(cause.operation for cause in self.told.causes)
        after = f", and never older than an acknowledged {causes}" if causes else ""
        return f"An answer of {self.operation.id} is at most {self.told.age_s:g} s old{after}."


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges the reads of one case, whichever it is, by their steps; and the headers of all of them."""
    declared = told(contract, operation)
    if declared is None:
        return Verdict(KEY, operation.id)
    case = _Case(contract, operation, declared, exchanges)
    _values(case)
    _cause(case)
    _apart(case)
    _sizes(case)
    tags.judged(case.look, exchanges)
    _headers(case)
    return case.look.verdict()


def _items(case: _Case, exchange: Exchange) -> list[Any]:
    if case.is_list:
        return case.paging.items_of(exchange) or []
    body = subjects.shown(exchange)
    return [] if body is None else [body]


def _shown_of(case: _Case, exchange: Exchange, name: str) -> Any:
    """The thing of that id as an answer shows it; None where it does not."""
    assert case.resource is not None, "only things of a resource are looked for"
    items = _items(case, exchange)
    return next((item for item in items if names_of([item], case.resource.id) == [name]), None)


def _value(item: Any, place: str) -> Any:
    """A member of an item of a list, which may stand there without what stands around the thing when it is read."""
    found = pointer.get(item, place)
    return pointer.get(item, f"/{place.rpartition('/')[2]}") if found is pointer.MISSING else found


def _subject(case: _Case) -> str:
    """The id of the thing that the case is about."""
    seen = first(case.exchanges, words.THING, words.BEFORE)
    names = names_of([subjects.shown(seen)], case.resource.id) if case.resource else []
    return names[0] if names else ""


def _of_value(written: Exchange) -> bool:
    """Whether a write says where its value stands, beside its word and its number."""
    return len(parts(written)) > CAUSE_PARTS


def _values(case: _Case) -> None:
    """Reads of a value that was written again and again, held against the model."""
    writes = [exchange for exchange in each(case.exchanges, words.WRITTEN) if _of_value(exchange)]
    name = _subject(case)
    before = first(case.exchanges, words.THING, words.BEFORE)
    if not writes or not name or before is None:
        return
    place, shown = parts(writes[0])[3:5]
    known = [
        pointer.get(subjects.shown(before), shown),
        *(pointer.get(write.request.json(), place) for write in writes),
    ]
    acknowledged = [
        model.Write(number, write.done_ns, case.told.forgets(write.operation))
        for number, write in enumerate(writes, 1)
        if write.outcome is Outcome.OK
    ]
    reads, sources = [], []
    for exchange in sorted(each(case.exchanges, words.READ), key=lambda one: one.sent_ns):
        value = _value(_shown_of(case, exchange, name), shown) if exchange.outcome is Outcome.OK else pointer.MISSING
        number = next((at for at, one in enumerate(known) if _same(one, value)), None)
        if number is not None:
            reads.append(model.Read(number, parts(exchange)[1], exchange.sent_ns, exchange.done_ns))
            sources.append(exchange)
    began_ns = min((write.done_ns for write in acknowledged), default=0)
    case.look.examined += sum(bool(acknowledged) and read.sent_ns > began_ns for read in reads)
    for fault in model.faults(acknowledged, reads, age_ns=case.told.age_ns, slack_ns=SLACK_NS):
        wrong = sources[fault.read]
        cause = writes[fault.expected - 1]
        waited_s = (wrong.sent_ns - cause.done_ns) / NS
        seen = f"{shown} is {known[reads[fault.read].number]!r}, {waited_s:.2f} s after {known[fault.expected]!r} was "
        seen += "shown" if fault.word == model.WENT_BACK else f"acknowledged by {cause.operation}"
        witness = sources[fault.before] if fault.before >= 0 else before
        code, kind = BY_WORD[fault.word], _kind(fault, cause.operation)
        case.look.found(code, kind, case.sentence(), f"{seen}.", witness, cause, wrong)


def _kind(fault: model.Fault, operation: str) -> str:
    """The form in which it shows says nothing of the fault: one is enough."""
    return "" if fault.word == model.WENT_BACK else f"after {operation}"


def _same(one: Any, other: Any) -> bool:
    return one is not pointer.MISSING and other is not pointer.MISSING and equal(one, other)


def fresh(ready: Ground, written: Exchange, exchange: Exchange) -> bool:
    """Whether a read shows what a write of a value wrote, or cannot show it."""
    place, shown = parts(written)[3:5]
    case = _Case(ready.stage.contract, ready.operation, ready.told, (written, exchange))
    item = _shown_of(case, exchange, ready.subject.id)
    return item is None or _same(pointer.get(written.request.json(), place), _value(item, shown))


def _cause(case: _Case) -> None:
    """Reads before and after an acknowledged call of a cause."""
    written, name = first(case.exchanges, words.WRITTEN), _subject(case)
    if written is None or case.resource is None or _of_value(written) or not name:
        return
    if written.operation == case.resource.create:
        made = names_of([subjects.shown(written)], case.resource.id)
        for exchange in each(case.exchanges, words.READ):
            _holds_made(case, written, made[0] if made else "", exchange)
    elif written.operation == case.resource.delete:
        for exchange in each(case.exchanges, words.READ):
            _lacks_deleted(case, written, name, exchange)
    else:
        _agrees(case, written, name)


def _holds_made(case: _Case, written: Exchange, made: str, exchange: Exchange) -> None:
    """A list that is whole holds what was just made, as it held what was made before it."""
    if not made or exchange.outcome is not Outcome.OK or not _whole(case.paging, exchange):
        return
    case.look.examined += 1
    if _shown_of(case, exchange, made) is None:
        seen = f"The whole list, asked for after {written.operation} was acknowledged, lacks what that made."
        case.look.found("cache.stale", f"after {written.operation}", case.sentence(), seen, written, exchange)


def _whole(paging: Paging, exchange: Exchange) -> bool:
    """Whether a first page is the whole list, as it ends there or as its total says."""
    items, total = paging.items_of(exchange), paging.total_of(exchange)
    told = items is not None and total is not None and len(items) >= total
    return told or walking.ended(paging, (exchange,))


def _lacks_deleted(case: _Case, written: Exchange, name: str, exchange: Exchange) -> None:
    primed = each(case.exchanges, words.PRIMED, parts(exchange)[1])
    if not any(_shown_of(case, one, name) is not None for one in primed) or not case.look.answered(exchange):
        return
    case.look.examined += 1
    if _shown_of(case, exchange, name) is not None:
        seen = f"After {written.operation} was acknowledged, what it deleted is shown."
        case.look.found("cache.stale", f"after {written.operation}", case.sentence(), seen, written, exchange)


def _agrees(case: _Case, written: Exchange, name: str) -> None:
    """An item of a list shows the members that a cause changed as the thing's own read shows them."""
    before, after, again = (
        subjects.shown(first(case.exchanges, words.THING, word)) for word in (words.BEFORE, words.AFTER, words.AGAIN)
    )
    if before is None or after is None:
        return
    changed = subjects.changes(before, after)
    restless = subjects.changes(after, again) if again is not None else {}
    for exchange in each(case.exchanges, words.READ):
        primed = each(case.exchanges, words.PRIMED, parts(exchange)[1])
        items = (_shown_of(case, one, name) for one in primed)
        old, new = next((item for item in items if item is not None), None), _shown_of(case, exchange, name)
        if old is None or new is None:
            continue
        held = {
            place: values
            for place, values in changed.items()
            if place not in restless and pointer.get(old, place) == values[0] is not pointer.MISSING
        }
        case.look.examined += bool(held)
        stale = [place for place, values in held.items() if pointer.get(new, place) == values[0]]
        if stale:
            seen = (
                f"After {written.operation} was acknowledged, {', '.join(stale[:3])} is as before; the thing shows it."
            )
            case.look.found("cache.stale", f"after {written.operation}", case.sentence(), seen, written, exchange)


def _apart(case: _Case) -> None:
    """What each of two tenants, or callers, planted is not in the other's answers."""
    planted = {
        side: parts(exchange)[3]
        for side in (words.HERE, words.THERE)
        for exchange in each(case.exchanges, words.THING, words.PLANTED, side)
    }
    if planted.keys() != {words.HERE, words.THERE}:
        return
    for side, other in ((words.HERE, words.THERE), (words.THERE, words.HERE)):
        for exchange in each(case.exchanges, words.APART, side):
            if not case.is_list and side == words.HERE:
                continue
            if exchange.status not in GONE and not case.look.answered(exchange):
                continue
            case.look.examined += 1
            if _shown_of(case, exchange, planted[other]) is not None:
                mine = next(iter(each(case.exchanges, words.APART, other)), None)
                own = exchange.request.identity.tenant
                kind = "tenant" if mine and mine.request.identity.tenant != own else "caller"
                promised = f"What is kept for one {kind} is never given to another."
                seen = f"An answer to one {kind} shows {planted[other]}, which is the other's."
                case.look.found("cache.crossed", kind, promised, seen, mine, exchange)


def _sizes(case: _Case) -> None:
    """A small page after a large one is small, if it is small when it is asked for first."""
    first_small = first(case.exchanges, words.SIZED, "12", "1")
    large, small = first(case.exchanges, words.SIZED, "21", "2"), first(case.exchanges, words.SIZED, "21", "1")
    shown = [_items(case, one) if one else [] for one in (first_small, large, small)]
    if first_small is None or large is None or small is None or [*map(len, shown[:2])] != [SMALL, LARGE]:
        return
    case.look.examined += 1
    if len(shown[2]) > 1 and shown[2] == shown[1]:
        seen = "A page of one, asked for after a page of two, is the page of two."
        promised = "What is kept for one query is never given to another."
        case.look.found("cache.crossed", "query", promised, seen, first_small, large, small, severity=Severity.MEDIUM)


def _headers(case: _Case) -> None:
    """The headers of every success of the operation, held against the promise."""
    tenant: Any = case.contract.promise("tenant", case.operation)
    ways = tenant.get("told", ()) if isinstance(tenant, dict) else ()
    header = next((way["name"] for way in ways if isinstance(way, dict) and way.get("in") == "header"), "")
    for exchange in case.exchanges:
        if exchange.operation == case.operation.id and exchange.status in SUCCESSES:
            for kind, seen in contradictions(case.told, header, exchange):
                case.look.found("cache.headers", kind, case.sentence(), seen, exchange)
