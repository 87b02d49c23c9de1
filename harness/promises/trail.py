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
from harness.case import SETTLE_S, Case, Pause, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.finding import Severity
from harness.promises import subject as subjects
from harness.promises import survey, walking
from harness.promises.altered import path_values
from harness.promises.filter.rules import rules
from harness.promises.look import Look
from harness.promises.paging import paging
from harness.promises.promise import Promise
from harness.promises.resource.steps import succeeded
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
CREATED = 201
UNKNOWN = "neither its thing nor its caller's id is known; tell identities.*.facts.id"
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
    """The call, then the list until its entry is there; once more after as long as it may take, and a second at least.

    The caller reads the list where it may, as some show each their own.
    """
    contract = stage.contract
    told = contract.promise(KEY, operation)
    call = yield from survey.ready(contract, contract.by_id[entry["operation"]], stage, DID, everything=True)
    if call.json() == {}:
        raise CannotTell(f"{call.operation}: its body may have nothing, and what changes nothing need leave no entry")
    made = yield from one(call)
    if not succeeded(made):
        raise CannotTell(f"{made.operation} answered {made.status or made.error} to a valid call")
    if not _known(told, contract, made):
        raise CannotTell(f"{made.operation}: {UNKNOWN}")
    reader = made.request.identity
    if not subjects.may(contract, operation, reader):
        reader = yield from things.identity_for(stage, operation)
    narrowed = tuple(_narrowed(contract, operation, made))
    way = Way(operation, paging(contract, operation), reader, "/id", _path(contract, operation, made)).narrowed(
        *narrowed
    )
    _askable(operation, way)
    for word in (SOON, LATER):
        found = yield from walk(
            stage,
            way,
            label=labelled(word),
            size=way.paging.largest,
            most=MOST_PAGES,
            until=lambda walked: bool(_own(told, _entries(told, entry, walked, contract, made), made)),
        )
        if _own(told, _entries(told, entry, found, contract, made), made):
            return
        if word == SOON:
            yield Pause(max(SETTLE_S, told.get("within_s", 0)))


def _known(told: Mapping[str, Any], contract: Contract, made: Exchange) -> bool:
    """Whether an entry of the call could be told from others': by its thing, or by a caller that nobody else is."""
    return bool((told.get("subject") and subject_of(contract, made)) or made.request.identity.id)


def _path(contract: Contract, operation: Operation, made: Exchange) -> dict[str, str]:
    """The path of the list: what the call's own path names alike, else the thing that it made."""
    values = path_values(contract.by_id[made.operation], made.request)
    resource = contract.resource_of(made.operation)
    for parameter in operation.path_parameters:
        if (
            parameter.name not in values
            and resource is not None
            and things.referred(contract, parameter.name) is resource
        ):
            values[parameter.name] = subject_of(contract, made)
    if missing := [item.name for item in operation.path_parameters if not values.get(item.name)]:
        raise CannotTell(f"{operation.id}: nothing of {made.operation} tells {missing[0]!r} of its path")
    return {item.name: values[item.name] for item in operation.path_parameters}


def _askable(operation: Operation, way: Way) -> None:
    """Raises CannotTell where a list asks for more than its paging and what it is narrowed by."""
    told = {name for name, _ in way.extra}
    told |= {way.paging.page, way.paging.offset, way.paging.size, way.paging.cursor}
    for parameter in operation.parameters:
        if parameter.place == "query" and parameter.required and parameter.name not in told:
            raise CannotTell(f"{operation.id} asks for {parameter.name!r}, and which holds the entry is not known")


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
    if target is None or made.status == CREATED:  # what was made is another thing, of which nothing is known
        return ""
    return str(path_values(operation, made.request).get(target[1], ""))


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
    """The entries of the call as far as what it did, and to what, tells; without a thing, those of its caller."""
    wanted = {told.get("subject"): subject_of(contract, made), told.get("action"): entry.get("action", "")}
    wanted = {place: value for place, value in wanted.items() if place and value}
    if told.get("subject") not in wanted:  # others do the like
        wanted[told["actor"]] = made.request.identity.id
    return [
        item
        for item in walked.items
        if all(_says(pointer.get(item, str(place)), value) for place, value in wanted.items())
    ]


def _own(told: Mapping[str, Any], entries: Sequence[Any], made: Exchange) -> list[Any]:
    """Those that name the caller; all where its id is not known."""
    known = made.request.identity.id
    return [item for item in entries if not known or _says(pointer.get(item, told["actor"]), known)]


def _says(value: Any, text: str) -> bool:
    """Whether a member is an id or a word, in letters of either case."""
    return isinstance(value, str | int) and str(value).casefold() == text.casefold()


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """An entry of the call is there, and names its caller."""
    look = Look(KEY, operation, TITLES)
    told = contract.promise(KEY, operation)
    made = next((item for item in exchanges if item.request.step == DID), None)
    if not isinstance(told, dict) or made is None or not succeeded(made):
        return look.verdict()
    entry = next((entry for entry in told["of"] if entry["operation"] == made.operation), None)
    known = walks(exchanges, paging(contract, operation), "/id")
    walked = known.get(LATER) or known.get(SOON)
    if entry is None or walked is None or not _known(told, contract, made):
        return look.verdict()
    if walking.unanswered(walked):
        look.reasons.append(walking.unanswered(walked))
        return look.verdict()
    found = _entries(told, entry, walked, contract, made)
    if _own(told, found, made):
        look.examined += 1
    elif not walked.whole or (walked.paging.single and not walked.told):
        look.reasons.append(f"{operation.id} showed no entry of {made.operation}, and may hold more than was seen")
    else:
        look.examined += 1
        _lacking(look, told, entry, walked, found, made)
    return look.verdict()


def _lacking(
    look: Look, told: Mapping[str, Any], entry: Mapping[str, str], walked: Walk, found: Sequence[Any], made: Exchange
) -> None:
    """No entry of the call names its caller: either there is none, or it names another."""
    call = f"{made.request.method} {made.request.path}"
    if not found:
        promised = f"{look.operation.id} has an entry of each {made.operation}."
        seen = f"{call} was answered {made.status}, and none of {len(walked.items)} entries tells of it."
        look.found(MISSING, made.operation, promised, seen, made, walked.pages[-1])
    elif told.get("action") and entry.get("action"):  # else it may be one of something else that was done to it
        named = pointer.get(found[0], told["actor"])
        shown = repr(named) if isinstance(named, str | int) else "nobody"
        promised = f"{look.operation.id} tells who made a call."
        seen = f"{call} was made by {made.request.identity.id}, and its entry names {shown}."
        look.found(ACTOR, made.operation, promised, seen, made, walked.pages[-1])


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
