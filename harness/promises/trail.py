"""The promise `trail`: a list of who did what to which thing has an entry for each call that it is to tell of.

Each operation is called once, validly, by somebody fresh, and the list searched for the entry: narrowed by a filter of
its own where it has one for the thing or the caller, else page by page. An entry of the right thing and action that
names somebody else is a fault of its own, and the worse one.
Source: OWASP Top 10 2021, A09 (security logging failures).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Pause, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises import subject as subjects
from harness.promises import survey, walking
from harness.promises.altered import path_values
from harness.promises.filter.rules import rules
from harness.promises.look import Look
from harness.promises.paging import paging
from harness.promises.promise import Promise
from harness.promises.walking import Way, labelled, walk, walks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.walking import Walk
    from harness.stage import Stage
    from harness.verdict import Verdict

KEY = "trail"
DID, SOON, LATER = "did", "trail", "trail-later"
MOST_PAGES = 5
LONGEST_S = 10
MISSING, ACTOR = "trail.missing", "trail.actor"
TITLES: Mapping[str, tuple[str, Severity]] = {
    MISSING: ("has no entry of a call that it is to tell of", Severity.MEDIUM),
    ACTOR: ("names somebody else as who made a call", Severity.HIGH),
}
_NAME = {"type": "string", "minLength": 1}
_POINTER = {"type": "string", "pattern": "^/"}
_TOLD: Mapping[str, Any] = {
    "type": "object",
    "properties": {"operation": _NAME, "action": _NAME},
    "required": ["operation"],
    "additionalProperties": False,
}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "actor": _POINTER,
        "action": _POINTER,
        "subject": _POINTER,
        "of": {"type": "array", "items": _TOLD, "minItems": 1},
        "within_s": {"type": "number", "minimum": 0, "maximum": LONGEST_S},
    },
    "required": ["actor", "of"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation lists such entries."""
    return isinstance(contract.promise(KEY, operation), dict)


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One for each operation that is told of."""
    told = contract.promise(KEY, operation)
    if not isinstance(told, dict):
        return ()
    return tuple(
        Case(KEY, operation.id, f"after-{entry['operation']}", partial(_after, operation, entry))
        for entry in told["of"]
    )


def _after(operation: Operation, entry: Mapping[str, str], stage: Stage) -> Steps[None]:
    """The call, then the list until its entry is there; once more after as long as it may take."""
    contract = stage.contract
    told = contract.promise(KEY, operation)
    made = yield from one((yield from survey.ready(contract, contract.by_id[entry["operation"]], stage, DID)))
    if made.outcome is not Outcome.OK:
        raise CannotTell(f"{made.operation} answered {made.status or made.error} to a valid call")
    reader = yield from things.identity_for(stage, operation)
    way = Way(operation, paging(contract, operation), reader, "/id").narrowed(*_narrowed(contract, operation, made))
    for word in (SOON, LATER):
        found = yield from walk(
            stage,
            way,
            label=labelled(word),
            size=way.paging.largest,
            most=MOST_PAGES,
            until=lambda walked: bool(_entries(told, entry, walked, contract, made)),
        )
        if _entries(told, entry, found, contract, made) or not told.get("within_s"):
            return
        yield Pause(told["within_s"])


def subject_of(contract: Contract, made: Exchange) -> str:
    """The id of the thing that a call made or acted on; empty where neither its answer nor its path tells one."""
    operation = contract.by_id[made.operation]
    resource = contract.resource_of(operation.id)
    if resource is not None and resource.create == operation.id:
        try:
            return things.id_of(resource, made)
        except CannotTell:
            return ""
    target = subjects.acted_on(contract, operation)
    return str(path_values(operation, made.request).get(target[1], "")) if target is not None else ""


def _narrowed(contract: Contract, operation: Operation, made: Exchange) -> Iterator[tuple[str, str]]:
    """The parameter of the list by which the thing's entries are asked for, or else the caller's."""
    told = contract.promise(KEY, operation)
    known = {rule.members: rule.parameter for rule in rules(contract, operation) if rule.operator == "equals"}
    for place, value in ((told.get("subject"), subject_of(contract, made)), (told["actor"], made.request.identity.id)):
        if place and value and (place,) in known:
            yield known[place,], value
            return


def _entries(
    told: Mapping[str, Any], entry: Mapping[str, str], walked: Walk, contract: Contract, made: Exchange
) -> list[Any]:
    """The entries of the call as far as what it did, and to what, tells; with neither, those of its caller."""
    wanted = {told.get("subject"): subject_of(contract, made), told.get("action"): entry.get("action", "")}
    wanted = {place: value for place, value in wanted.items() if place and value}
    if told.get("subject") not in wanted:  # others do the like
        wanted[told["actor"]] = made.request.identity.id
    return [
        item
        for item in walked.items
        if all(str(pointer.get(item, str(place))) == value for place, value in wanted.items())
    ]


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """An entry of the call is there, and names its caller."""
    look = Look(KEY, operation, TITLES)
    told = contract.promise(KEY, operation)
    made = next((item for item in exchanges if item.request.step == DID), None)
    if not isinstance(told, dict) or made is None or made.outcome is not Outcome.OK:
        return look.verdict()
    entry = next((entry for entry in told["of"] if entry["operation"] == made.operation), None)
    known = walks(exchanges, paging(contract, operation), "/id")
    walked = known.get(LATER) or known.get(SOON)
    if entry is None or walked is None:
        return look.verdict()
    if walking.unanswered(walked):
        look.reasons.append(walking.unanswered(walked))
        return look.verdict()
    caller, call = made.request.identity, f"{made.request.method} {made.request.path}"
    found = _entries(told, entry, walked, contract, made)
    if not caller.id and not subject_of(contract, made):
        look.reasons.append(
            f"{made.operation}: neither its thing nor its caller's id is known; tell identities.*.facts.id"
        )
    elif not found and not walked.whole:
        look.reasons.append(f"{operation.id} showed no entry of {made.operation} on {len(walked.pages)} pages of more")
    elif not found:
        look.examined += 1
        promised = f"{operation.id} has an entry of each {made.operation}."
        seen = f"{call} was answered {made.status}, and none of {len(walked.items)} entries tells of it."
        look.found(MISSING, made.operation, promised, seen, made, walked.pages[-1])
    else:
        look.examined += 1
        actors = [pointer.get(item, told["actor"]) for item in found]
        if caller.id and caller.id not in map(str, actors):
            promised = f"{operation.id} tells who made a call."
            seen = f"{call} was made by {caller.id}, and its entry names {actors[0]!r}."
            look.found(ACTOR, made.operation, promised, seen, made, walked.pages[-1])
    return look.verdict()


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
