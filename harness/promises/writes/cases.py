"""The cases of `writes`: refused calls with the thing looked at around them, bounds, numbers at tops, PUT twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import SETTLE_S, Case, Pause, one
from harness.contract import pointer
from harness.contract.shape import leaves
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import paging as pages
from harness.promises import precondition, survey, walking, wrong_values
from harness.promises import subject as subjects
from harness.promises.altered import dumped, path_values, with_wrong
from harness.promises.resource.needs import needs
from harness.promises.writes import bounds, numbers, texts
from harness.promises.writes.steps import (
    AFTER,
    AGAIN,
    BEFORE,
    KEPT,
    KEPT_TEXTS,
    KEY,
    LISTED,
    MADE,
    PUT,
    PUT_AGAIN,
    PUT_LESS,
    REFUSED,
    SHOWN,
    SHOWN_AGAIN,
    SHOWN_LESS,
)  # fmt: skip
from harness.things import referred

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

ACCEPTED = 202
MAX_REFUSED = 4
MAX_TRIALS = 11
MARK_LENGTH = 30
NAMES = {"name", "title", "label", "comment", "text", "subject"}
NOWHERE = "00000000-0000-4000-8000-000000000000"


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation writes a thing that can be looked at around it."""
    return bool(cases(contract, operation, Random(0)))  # noqa: S311 - nothing is drawn


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """The cases of a create, of a write on a thing, and of a PUT."""
    off = operation.promises.get(KEY) is False or contract.defaults.get(KEY) is False
    if off or operation.reads or survey.may_change_caller(operation):
        return ()
    return tuple(Case(KEY, operation.id, name, steps) for name, steps in _parts(contract, operation))


def _parts(contract: Contract, operation: Operation) -> Iterator[tuple[str, Any]]:
    own = contract.resource_of(operation.id)
    target = subjects.acted_on(contract, operation)
    made = own is not None and own.create == operation.id
    if (made or (target is not None and target[0].create in contract.by_id)) and bounds.edges(contract, operation):
        yield bounds.CASE, partial(bounds.tried, operation)
    if own is not None and own.create == operation.id and operation.json_body() is not None:
        if own.list in contract.by_id and _markable(contract, operation) and _breakable(contract, operation):
            yield "refused", partial(_not_made, operation, own)
        if own.read in contract.by_id and (numbers.trials(contract, operation) or texts.places(contract, operation)):
            yield "numbers", partial(_numbers, operation, own)
        return
    if target is None or target[0].read not in contract.by_id or target[0].create not in contract.by_id:
        return
    if operation.method != "DELETE" and (operation.json_body() is not None or precondition.forms(contract, operation)):
        yield "refused", partial(_unchanged, operation, target[0])
    if operation.method == "PUT":
        yield "again", partial(_twice, operation, target[0])


def _markable(contract: Contract, operation: Operation) -> str:
    """A member of the body that takes any text, so that what was refused can be looked for; empty where none does."""
    found = [
        name
        for name, told in texts.free(contract, operation, MARK_LENGTH).items()
        if referred(contract, name) is None and (name.lower() in NAMES or "pattern" not in told)
    ]
    return next((name for name in found if name.lower() in NAMES), found[0] if found else "")


def _breakable(contract: Contract, operation: Operation) -> bool:
    """Whether anything can be wrong in the body apart from the member that takes the mark."""
    declared = operation.json_body()
    spared = {"", f"/{pointer.escape(_markable(contract, operation))}"}
    shown = leaves(contract, declared.schema, written=True) if declared is not None else ()
    refers = any(referred(contract, leaf.name) is not None for leaf in shown)
    return refers or any(wrong.place not in spared for wrong in wrong_values.in_body(contract, operation))


def _not_made(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """Creates that are refused, each with a mark in its name; then the whole list, in which no mark may stand."""
    stage.familiar = stage.actors.company()
    maker = yield from things.identity_for(stage, operation)
    name = pointer.escape(_markable(stage.contract, operation))
    base = yield from things.valid(stage, operation, identity=maker, everything=True)
    tried = 0
    for request in _wrong(stage, operation, base, but=f"/{name}"):
        marked = pointer.put(request.json(), f"/{name}", stage.unique("m"))
        step = f"{REFUSED} /{name} {request.step}"
        answer = yield from one(replace(request, body=dumped(marked), step=step))
        tried += answer.outcome is Outcome.REFUSED
    if not tried:
        raise CannotTell(f"{operation.id} refused none of the bodies that break its schema")
    lister = stage.contract.by_id[resource.list]
    who = maker if subjects.may(stage.contract, lister, maker) else (yield from things.identity_for(stage, lister))
    paging = replace(pages.paging(stage.contract, lister), items=resource.items)
    way = walking.Way(lister, paging, who, resource.id, path_values(operation, base))
    yield from walking.walk(stage, way, label=lambda number: f"{LISTED} {number}", size=paging.largest)


def _wrong(stage: Stage, operation: Operation, base: Request, *, but: str = "") -> Iterator[Request]:
    """The request with one thing wrong at a time: a reference to nothing first, then what its schema refuses.

    Nothing is wrong at the place `but`, where a mark will stand.
    """
    body = base.json()
    for place, value in pointer.leaves(body):
        names = [name for name in pointer.tokens(place) if not name.isdigit()]
        if names and isinstance(value, str) and referred(stage.contract, names[-1]) is not None:
            yield replace(base, body=dumped(pointer.put(body, place, NOWHERE)), step=f"{place} unknown")
            break
    wrongs = [item for item in wrong_values.in_body(stage.contract, operation) if item.place not in {"", but}]
    stage.random.shuffle(wrongs)
    sent = 0
    for wrong in wrongs:
        request = with_wrong(base, wrong)
        if request is not None and sent < MAX_REFUSED:
            sent += 1
            yield request


def _subject(stage: Stage, operation: Operation, resource: Resource) -> Steps[tuple[Subject, Identity]]:
    """A fresh thing and one that may act on it: its maker, or another where the maker may not."""
    subject = yield from subjects.made(stage, resource)
    if subjects.may(stage.contract, operation, subject.owner):
        return subject, subject.owner
    return subject, (yield from things.identity_for(stage, operation))


def _request(
    stage: Stage, operation: Operation, subject: Subject, identity: Identity, seen: Exchange | None, step: str
) -> Steps[Request]:
    path = subjects.path_of(stage.contract, operation, subject)
    request = yield from things.valid(
        stage, operation, identity=identity, path=path, step=step, everything=operation.json_body() is not None
    )
    forms = precondition.forms(stage.contract, operation, subject.resource)
    return precondition.current(request, forms, seen or subject.made)


def _unchanged(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """Writes that are refused, one after another, and the thing before and after them all."""
    stage.familiar = stage.actors.company()
    subject, identity = yield from _subject(stage, operation, resource)
    before = yield from subjects.read(stage, subject, BEFORE)
    if subjects.shown(before) is None:
        raise CannotTell(f"{resource.read} shows nothing, so that no change can be seen")
    base = yield from _request(stage, operation, subject, identity, before, REFUSED)
    forms = precondition.forms(stage.contract, operation, subject.resource)
    bare = precondition.bare(base, forms)
    unseen = [
        replace(bare, step=f"{REFUSED} no version"),
        replace(precondition.with_version(bare, forms[0], '"0"'), step=f"{REFUSED} another version"),
    ] if forms else []  # fmt: skip
    before = yield from _sent(stage, subject, unseen, before)
    base = precondition.current(base, forms, before)
    wrong = [replace(call, step=f"{REFUSED} {call.step}") for call in _wrong(stage, operation, base)]
    before = yield from _sent(stage, subject, wrong, before)
    after = yield from subjects.read(stage, subject, AFTER)
    if subjects.changes(subjects.shown(before), subjects.shown(after)):
        yield from subjects.read(stage, subject, AGAIN)


def _sent(stage: Stage, subject: Subject, calls: Sequence[Request], before: Exchange | None) -> Steps[Exchange | None]:
    """Calls to be refused; the newest look at the thing, which is taken anew a while after each that is accepted."""
    for call in calls:
        answer = yield from one(call)
        if answer.status == ACCEPTED:
            raise CannotTell(f"{call.operation} answered 202: when it acts, and so what others did, cannot be told")
        if answer.outcome is Outcome.OK:
            yield Pause(SETTLE_S)
            before = yield from subjects.read(stage, subject, BEFORE)
    return before


def _twice(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """The same PUT twice, the thing after each; then one with no more than it must have."""
    stage.familiar = stage.actors.company()
    subject, identity = yield from _subject(stage, operation, resource)
    before = yield from subjects.read(stage, subject, BEFORE)
    request = yield from _request(stage, operation, subject, identity, before, PUT)
    answer = yield from one(request)
    if answer.outcome is not Outcome.OK:
        raise CannotTell(f"{operation.id} answered {answer.status or answer.error} to a body that fits its schema")
    forms = precondition.forms(stage.contract, operation, resource)
    shown = yield from subjects.read(stage, subject, SHOWN)
    yield from one(replace(precondition.current(request, forms, shown), step=PUT_AGAIN))
    shown = yield from subjects.read(stage, subject, SHOWN_AGAIN)
    told = stage.contract.promise(KEY, operation)
    if not told or not told.get("replaces") or operation.json_body() is None:
        return
    path = subjects.path_of(stage.contract, operation, subject)
    less = yield from things.valid(stage, operation, identity=identity, path=path, step=PUT_LESS)
    yield from one(precondition.current(less, forms, shown))
    yield from subjects.read(stage, subject, SHOWN_LESS)


def _numbers(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """A create with words of several alphabets, and one for each number and list; what is accepted is read."""
    stage.familiar = stage.actors.company()
    maker = yield from things.identity_for(stage, operation)
    members = yield from needs(stage, operation)
    base = yield from things.valid(stage, operation, identity=maker, members=members)
    body = base.json()
    fixed = {f"/{pointer.tokens(place)[0]}" for place in members if pointer.tokens(place)}
    trials = [trial for trial in numbers.trials(stage.contract, operation) if trial.place not in fixed]
    yield from _texts(operation, resource, stage, base)
    for trial in trials[:MAX_TRIALS]:
        fresh = _fresh(stage, operation, body)
        request = replace(base, body=dumped(pointer.put(fresh, trial.place, trial.value)), step=f"{MADE} {trial.place}")
        made = yield from one(request)
        if made.outcome is not Outcome.OK or not trial.kept:
            continue
        try:
            known = things.id_of(resource, made)
        except CannotTell:
            continue
        thing = things.Thing(resource, known, maker, made, request.json())
        yield from subjects.read(stage, subjects.of_thing(stage.contract, thing), f"{KEPT} {made.id} {trial.place}")


def _texts(operation: Operation, resource: Resource, stage: Stage, base: Request) -> Steps[None]:
    """A create whose words are of several alphabets; what is accepted is read."""
    body, declared = base.json(), operation.json_body()
    validator = stage.contract.validator(declared.pointer) if declared is not None else None
    for place in texts.places(stage.contract, operation):
        told = pointer.put(body, place, texts.text(stage.unique("t")))
        body = told if validator is None or validator.is_valid(told) else body
    if body == base.json():
        return
    made = yield from one(replace(base, body=dumped(body), step=f"{MADE} texts"))
    if made.outcome is not Outcome.OK:
        return
    try:
        known = things.id_of(resource, made)
    except CannotTell:
        return
    thing = things.Thing(resource, known, base.identity, made, body)
    yield from subjects.read(stage, subjects.of_thing(stage.contract, thing), f"{KEPT_TEXTS} {made.id}")


def _fresh(stage: Stage, operation: Operation, body: Any) -> Any:
    """The body with texts of its own where it takes any, since a name may have to be unlike all others."""
    name = _markable(stage.contract, operation)
    if name and isinstance(body, dict) and name in body:
        return {**body, name: stage.unique("m")}
    return body
