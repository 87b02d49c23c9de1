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
Form = dict[str, Any]


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """A stale write and a race for each form, and a write without a version where that is promised to be refused."""
    told = contract.promise(KEY, operation)
    found = []
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
        said = Written(word, number, name_of(form) if form else "", self.member.place, self.member.shown)
        return replace(request, step=said.step)


def _ground(stage: Stage, operation: Operation, told: Mapping[str, Any], count: int) -> Steps[_Ground]:
    resource = stage.contract.resource(told["resource"])
    if resource is None:
        raise CannotTell(f"there is no resource {told['resource']!r}; declare it under x-promises.resource")
    subject = yield from subjects.made(stage, resource)
    seen = yield from _seen(stage, subject, words.SEEN)
    writer = subject.owner
    if not subjects.may(stage.contract, operation, writer):
        writer = yield from things.identity_for(stage, operation)
    in_body = [form["name"] for form in told["forms"] if form["in"] == "body"]
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
    yield from subjects.read(stage, ground.subject, words.SHOWN_SECOND)


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
