"""The cases of `version`: stale write, race of writers, write without a version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Pause, one, together
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import precondition, writing
from harness.promises import subject as subjects
from harness.promises.version import steps as words
from harness.promises.version.steps import KEY, Written, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.stage import Stage

WRITERS = 8
ROUNDS = 3
WHOLE_SECONDS = "if-unmodified-since"
SECOND_S = 1.1
MAX_OTHERS = 4
Form = dict[str, Any]


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """A stale write and a race for each form, and a write without a version where that is promised to be refused.

    What has no JSON body, such as a delete or an upload, comes stale after an update; of several at one instant nothing
    can be said.
    """
    told = contract.promise(KEY, operation)
    found = []
    if operation.json_body() is None:
        headers = [form for form in told["forms"] if form["in"] == "header"]
        found = [
            Case(KEY, operation.id, f"stale-{form['name']}", partial(_gone, operation, told, form)) for form in headers
        ]
        missing = (
            [Case(KEY, operation.id, "missing", partial(_gone, operation, told, None))] if "missing" in told else []
        )
        return [*found, *missing]
    for form in told["forms"]:
        name = form["name"]
        found.append(Case(KEY, operation.id, f"stale-{name}", partial(_stale, operation, told, form)))
        if name.lower() != WHOLE_SECONDS:
            found.append(Case(KEY, operation.id, f"race-{name}", partial(_race, operation, told, form)))
    if "missing" in told:
        found.append(Case(KEY, operation.id, "missing", partial(_missing, operation, told)))
    return found


@dataclass(frozen=True, slots=True)
class _Ground:
    """A fresh thing as its owner sees it, and a valid write to it that tells no version."""

    subject: subjects.Subject
    seen: Exchange
    request: Request
    member: writing.Member
    values: list[Any]

    def write(self, word: str, value: Any, form: Mapping[str, Any] | None, version: Any, number: int = 0) -> Request:
        """A write of a value; with a version in the form, or with none."""
        body = pointer.put(self.request.json(), self.member.place, value)
        request = precondition.with_body(self.request, body)
        if form is not None:
            request = precondition.with_version(request, form, version)
        return replace(request, step=self.said(word, form, number))

    def said(self, word: str, form: Mapping[str, Any] | None = None, number: int = 0) -> str:
        """What the step of a write says."""
        return Written(word, number, name_of(form) if form else "", self.member.place, self.member.shown).step


def _ground(stage: Stage, operation: Operation, told: Mapping[str, Any], count: int) -> Steps[_Ground]:
    resource = stage.contract.resource(told["resource"])
    if resource is None:
        raise CannotTell(f"there is no resource {told['resource']!r}; declare it under x-promises.resource")
    in_body = [form["name"] for form in told["forms"] if form["in"] == "body"]
    members = writing.telling(stage, operation, resource, without=in_body)
    subject = yield from subjects.made(stage, resource, members=members)
    seen = yield from _seen(stage, subject, words.SEEN)
    writer = subject.owner
    if not subjects.may(stage.contract, operation, writer):
        writer = yield from things.identity_for(stage, operation)
    member, values = writing.first_changeable(
        stage, operation, resource, subjects.shown(seen), count=count, without=in_body
    )
    request = yield from things.valid(
        stage,
        operation,
        identity=writer,
        members={member.place: values[0]},
        path=subjects.path_of(stage.contract, operation, subject),
    )
    return _Ground(subject, seen, precondition.bare(request, told["forms"]), member, values)


def _seen(stage: Stage, subject: subjects.Subject, step: str) -> Steps[Exchange]:
    seen = yield from subjects.read(stage, subject, step)
    if subjects.shown(seen) is None:
        raise CannotTell(f"a {subject.resource.name} just made cannot be read by its owner")
    assert seen is not None, "what shows a body was read"
    return seen


def _version(form: Mapping[str, Any], seen: Exchange) -> Any:
    version = precondition.seen(form, seen)
    if version is None:
        raise CannotTell(f"{seen.operation} shows no version at {form['from']}")
    return version


def _stale(operation: Operation, told: Mapping[str, Any], form: Form, stage: Stage) -> Steps[None]:
    """Two clients see one version; the first writes, then the second, who does not know."""
    ground = yield from _ground(stage, operation, told, 2)
    version = _version(form, ground.seen)
    if form["name"].lower() == WHOLE_SECONDS:
        yield Pause(SECOND_S)
    first = yield from one(ground.write(words.FIRST, ground.values[0], form, version))
    if first.outcome is Outcome.REFUSED:
        seen = yield from _seen(stage, ground.subject, words.SEEN_AGAIN)
        yield from one(ground.write(words.FIRST_AGAIN, ground.values[0], form, _version(form, seen)))
        return
    if first.outcome is not Outcome.OK:
        return
    yield from subjects.read(stage, ground.subject, words.SHOWN_FIRST)
    yield from one(ground.write(words.SECOND, ground.values[1], form, version))
    latest = yield from subjects.read(stage, ground.subject, words.SHOWN_SECOND)
    if form is told["forms"][0] and form["name"].lower() != WHOLE_SECONDS:
        yield from _others(operation, told, form, stage, ground, latest)


def _others(
    operation: Operation, told: Mapping[str, Any], form: Form, stage: Stage, ground: _Ground, latest: Exchange | None
) -> Steps[None]:
    """Writes of other members, each alone and with the newest version: each is a change, whichever member it is of."""
    contract, resource = stage.contract, ground.subject.resource
    declared = operation.json_body()
    validator = contract.validator(declared.pointer) if declared is not None else None
    in_body = [item["name"] for item in told["forms"] if item["in"] == "body"]
    found = writing.changeable(stage, operation, resource, subjects.shown(latest), without=in_body)
    others = [member for member in found if member.place != ground.member.place]
    for number, member in enumerate(others[:MAX_OTHERS], 1):
        version = precondition.seen(form, latest) if latest is not None else None
        if version is None:
            return
        try:
            value = writing.values(stage, operation, member, 1, (pointer.get(subjects.shown(latest), member.shown),))[0]
        except CannotTell:
            continue
        alone = precondition.with_body(ground.request, pointer.put({}, member.place, value))
        request = precondition.with_version(alone, form, version)
        if validator is not None and not validator.is_valid(request.json()):
            continue
        step = Written(words.OTHER, number, name_of(form), member.place, member.shown).step
        if (yield from one(replace(request, step=step))).outcome is not Outcome.OK:
            continue
        latest = yield from subjects.read(stage, ground.subject, f"{words.SHOWN_OTHER}{number}")


def _gone(operation: Operation, told: Mapping[str, Any], form: Form | None, stage: Stage) -> Steps[None]:
    """One client changes the thing; another, who does not know, acts on what it saw before, or tells no version."""
    resource = stage.contract.resource(told["resource"])
    update = stage.contract.by_id.get(resource.update) if resource is not None else None
    if resource is None or update is None:
        raise CannotTell(f"{operation.id}: nothing makes a version of {told['resource']} stale; declare its update")
    forms = precondition.forms(stage.contract, update, resource)
    ground = yield from _ground(stage, update, {"resource": resource.name, "forms": forms}, 1)
    if form is None:
        yield from one(replace((yield from _call(stage, operation, told, ground)), step=ground.said(words.UNVERSIONED)))
        return
    version = _version(form, ground.seen)
    if form["name"].lower() == WHOLE_SECONDS:
        yield Pause(SECOND_S)
    write = precondition.current(ground.write(words.FIRST, ground.values[0], None, None), forms, ground.seen)
    first = yield from one(replace(write, step=ground.said(words.FIRST, form)))
    if first.outcome is not Outcome.OK:
        return
    yield from subjects.read(stage, ground.subject, words.SHOWN_FIRST)
    call = precondition.with_version((yield from _call(stage, operation, told, ground)), form, version)
    yield from one(replace(call, step=ground.said(words.SECOND, form)))
    yield from subjects.read(stage, ground.subject, words.SHOWN_SECOND)


def _call(stage: Stage, operation: Operation, told: Mapping[str, Any], ground: _Ground) -> Steps[Request]:
    """A valid call on the ground's thing that tells no version."""
    who = ground.subject.owner
    if not subjects.may(stage.contract, operation, who):
        who = yield from things.identity_for(stage, operation)
    path = subjects.path_of(stage.contract, operation, ground.subject)
    return precondition.bare((yield from things.valid(stage, operation, identity=who, path=path)), told["forms"])


def _race(operation: Operation, told: Mapping[str, Any], form: Form, stage: Stage) -> Steps[None]:
    """Rounds of writers that saw one version, released at one instant."""
    writers = _writers(stage.contract, operation)
    ground = yield from _ground(stage, operation, told, writers)
    seen = ground.seen
    for number in range(ROUNDS):
        if number:
            values = writing.values(
                stage, operation, ground.member, writers, (pointer.get(subjects.shown(seen), ground.member.shown),)
            )
            ground = replace(ground, values=values)
        version = _version(form, seen)
        group = tuple(ground.write(words.WRITER, value, form, version, number) for value in ground.values)
        yield from together(group)
        seen = yield from _seen(stage, ground.subject, f"{words.SHOWN}|{number}")


def _writers(contract: Contract, operation: Operation) -> int:
    """As many writers as leave half of the smallest quota untouched over all rounds; at least two."""
    quotas: list[int] = [limit["quota"] for limit in contract.promise("rate-limit", operation) or ()]
    return max(2, min([WRITERS, *(quota // (2 * ROUNDS) for quota in quotas)]))


def _missing(operation: Operation, told: Mapping[str, Any], stage: Stage) -> Steps[None]:
    """A write that is right in everything but tells no version."""
    ground = yield from _ground(stage, operation, told, 1)
    yield from one(ground.write(words.UNVERSIONED, ground.values[0], None, None))
    yield from subjects.read(stage, ground.subject, words.SHOWN_FIRST)
