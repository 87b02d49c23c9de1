"""What the answers of the cases of `writes` say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.contract import pointer
from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import subject as subjects
from harness.promises.look import GATES, Look
from harness.promises.resource.steps import settled
from harness.promises.writes import bounds, numbers, texts
from harness.promises.writes.steps import (
    AFTER,
    AGAIN,
    BEFORE,
    KEPT,
    KEPT_TEXTS,
    KEY,
    LISTED,
    PUT,
    PUT_AGAIN,
    PUT_LESS,
    REFUSED,
    SHOWN,
    SHOWN_AGAIN,
    SHOWN_LESS,
)  # fmt: skip
from harness.promises.writing import shown_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.verdict import Verdict

GONE = {404, 410}
TITLES = {
    "writes.refused-effect": ("refuses a write and acts all the same", Severity.HIGH),
    "writes.refused-made": ("refuses to make a thing and lists it all the same", Severity.HIGH),
    bounds.CODE: ("refuses what its document allows at a bound", Severity.MEDIUM),
    "writes.number": ("keeps another number than it accepted", Severity.HIGH),
    "writes.text": ("keeps other words than it accepted", Severity.MEDIUM),
    "writes.put-again": ("does more when the same PUT comes again", Severity.MEDIUM),
    "writes.put-replaces": ("keeps by PUT what the new state leaves out", Severity.MEDIUM),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Judges whichever of the cases the exchanges hold."""
    look = Look(KEY, operation, TITLES)
    told = contract.promise(KEY, operation) is not None
    exchanges = settled(exchanges)
    steps = {exchange.request.step: exchange for exchange in exchanges}
    _unchanged(look, exchanges, told=told)
    _not_made(look, contract, operation, exchanges)
    _kept(look, contract, operation, exchanges)
    _spelt(look, contract, operation, exchanges)
    _twice(look, steps, told=told)
    bounds.judge(look, operation, exchanges)
    return look.verdict()


def _unchanged(look: Look, exchanges: Sequence[Exchange], *, told: bool) -> None:
    """After refused writes the thing is as it was; where nothing is declared, in what they sent."""
    last = max((index for index, item in enumerate(exchanges) if item.request.step == BEFORE), default=-1)
    rest = exchanges[last + 1 :]
    calls = [item for item in rest if item.request.step.startswith(REFUSED)]
    after = next((item for item in rest if item.request.step == AFTER), None)
    again = next((item for item in rest if item.request.step == AGAIN), None)
    if last < 0 or after is None:
        return
    if not calls:
        look.reasons.append(_why_nothing(look.operation, exchanges))
        return
    if any(call.outcome is not Outcome.REFUSED for call in calls):
        unknown = [call for call in calls if call.outcome is Outcome.UNKNOWN]
        look.reasons += [f"{call.operation} gave {call.status or call.error or 'no answer'}" for call in unknown]
        return
    before = exchanges[last]
    shown, now = subjects.shown(before), subjects.shown(after)
    if shown is None or (now is None and after.status not in GONE):
        return
    look.examined += len(calls)
    if now is None:
        what = "the thing was gone"
    else:
        still = subjects.shown(again) if again is not None else now
        places = subjects.lasting(shown, now, still)
        places = places if told else [place for place in places if _name(place) in _sent(calls)]
        what = f"{', '.join(places)} had changed" if places else ""
    if what:
        statuses = ", ".join(str(status) for status in dict.fromkeys(call.status for call in calls))
        seen = f"{len(calls)} writes were refused ({statuses}); afterwards {what}."
        promised = "A write that is refused changes nothing."
        look.found("writes.refused-effect", "", promised, seen, before, *calls[:2], after, again)


def _why_nothing(operation: Operation, exchanges: Sequence[Exchange]) -> str:
    """Why no refusal stands alone between two looks at the thing."""
    tried = [item.request.step for item in exchanges if item.request.step.startswith(f"{REFUSED} ")]
    if not tried:
        return f"nothing is known that {operation.id} refuses"
    return f"{operation.id} accepted the last call that it was to refuse: {tried[-1].replace(f'{REFUSED} ', '')}"


def _name(place: str) -> str:
    """The name of what stands at a place: what holds it (`data` of `/data/changed`) says nothing of it."""
    return next((name for name in reversed(pointer.tokens(place)) if not name.isdigit()), "")


def _names(place: str) -> set[str]:
    return {name for name in pointer.tokens(place) if not name.isdigit()}


def _sent(calls: Sequence[Exchange]) -> set[str]:
    found: set[str] = set()
    for call in calls:
        for place, _ in pointer.leaves(call.request.json()):
            found |= _names(place)
    return found


def _not_made(look: Look, contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """No mark of a create that was refused stands in the list."""
    resource = contract.resource_of(operation.id)
    lists = [item for item in exchanges if item.request.step.startswith(f"{LISTED} ") and item.outcome is Outcome.OK]
    calls = [item for item in exchanges if item.operation == operation.id and item.outcome is Outcome.REFUSED]
    calls = [item for item in calls if item.request.step.startswith(REFUSED) and item.status not in GATES]
    if resource is None or resource.create != operation.id or not lists:
        return
    for call in calls:
        look.examined += 1
        mark = pointer.get(call.request.json(), call.request.step.split(" ")[1])
        for listed in lists:
            if _stands(listed, resource.items, mark):
                promised = f"What {operation.id} refuses is not made."
                seen = f"A create of {mark!r} was answered {call.status}; {resource.list} lists it."
                look.found("writes.refused-made", "", promised, seen, call, listed)


def _stands(listed: Exchange, items: str, mark: Any) -> bool:
    found = pointer.get(subjects.shown(listed), items)
    return isinstance(mark, str) and any(value == mark for _, value in pointer.leaves(found))


def _kept(look: Look, contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """A number that was accepted is read as it was sent."""
    resource = contract.resource_of(operation.id)
    by_id = {item.id: item for item in exchanges}
    for read in exchanges:
        word, _, rest = read.request.step.partition(" ")
        known, _, place = rest.partition(" ")
        made = by_id.get(known)
        if word != KEPT or resource is None or made is None or not look.answered(read):
            continue
        at = shown_at(resource, place, subjects.shown(read))
        sent, kept = pointer.get(made.request.json(), place), pointer.get(subjects.shown(read), at) if at else None
        if not isinstance(kept, int | float) or isinstance(kept, bool):
            continue
        look.examined += 1
        if numbers.rounded(sent, kept, stepped=numbers.is_stepped(contract, operation, place)):
            promised = "A number that is accepted is kept, or it is refused."
            seen = f"{place} was sent as {sent!r}, answered {made.status}, and is read as {kept!r}."
            look.found("writes.number", place, promised, seen, made, read)


def _spelt(look: Look, contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """Words that were accepted are read as they were sent."""
    resource = contract.resource_of(operation.id)
    by_id = {item.id: item for item in exchanges}
    for read in exchanges:
        word, _, known = read.request.step.partition(" ")
        made = by_id.get(known)
        if word != KEPT_TEXTS or resource is None or made is None or not look.answered(read):
            continue
        for place in texts.places(contract, operation):
            at = shown_at(resource, place, subjects.shown(read))
            sent, kept = pointer.get(made.request.json(), place), pointer.get(subjects.shown(read), at) if at else None
            if not isinstance(sent, str) or not isinstance(kept, str):
                continue
            look.examined += 1
            if texts.spoilt(sent, kept):
                promised = "A text that is accepted is kept, or it is refused."
                seen = f"{place} was sent as {sent!r}, answered {made.status}, and is read as {kept!r}."
                look.found("writes.text", place, promised, seen, made, read)


def _twice(look: Look, steps: dict[str, Exchange], *, told: bool) -> None:
    """The same PUT again leaves what it says as it is; where declared, a PUT leaves nothing that it does not say."""
    first, shown, second, again = (steps.get(word) for word in (PUT, SHOWN, PUT_AGAIN, SHOWN_AGAIN))
    if first is None or shown is None or second is None or again is None or not look.answered(second):
        return
    before, after = subjects.shown(shown), subjects.shown(again)
    if before is None or after is None:
        return
    look.examined += 1
    body = first.request.json()
    named = {name for place, _ in pointer.leaves(body) for name in _names(place)} if body is not None else set()
    places = [place for place in subjects.changes(before, after) if _name(place) in named]
    promised = "RFC 9110, 9.2.2: the same PUT twice is the same as once."
    if second.outcome is Outcome.REFUSED:
        if told and second.status not in {409, 412, 428}:
            seen = f"The first was answered {first.status}, the second {second.status}."
            look.found("writes.put-again", "refused", promised, seen, first, second)
    elif places:
        seen = f"After the second {', '.join(places)} had changed."
        look.found("writes.put-again", "", promised, seen, first, shown, second, again)
    less, left = steps.get(PUT_LESS), steps.get(SHOWN_LESS)
    if less is None or left is None or less.outcome is not Outcome.OK or subjects.shown(left) is None:
        return
    look.examined += 1
    kept = _left(body, less.request.json(), subjects.shown(left))
    if kept:
        promised = "RFC 9110, 9.3.4: a PUT replaces the state; what it leaves out is not there any more."
        look.found("writes.put-replaces", "", promised, f"{', '.join(kept)} stayed as before.", first, less, left)


def _left(full: Any, less: Any, shown: Any) -> list[str]:
    """Members of the first state alone that are still shown with their values."""
    if not isinstance(full, dict) or not isinstance(less, dict) or not isinstance(shown, dict):
        return []
    return [
        name for name, value in full.items() if name not in less and value not in (None, "", [], {}, 0, False)
        and shown.get(name) == value
    ]  # fmt: skip
