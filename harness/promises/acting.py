"""Acts on a fresh thing as one that may: makes it, calls an operation on it with the version it has, deletes it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import one
from harness.contract import pointer
from harness.contract.example import Examples
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import precondition
from harness.promises import subject as subjects
from harness.promises.resource.needs import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage


def made(
    stage: Stage, operation: Operation, resource: Resource, step: str, members: Mapping[str, Any] | None = None
) -> Steps[Subject]:
    """A fresh thing whose maker may also call the operation, where one identity may do both."""
    create = stage.contract.by_id[resource.create]
    if operation.id != create.id and subjects.is_self(stage.contract, resource) and not members:
        return (yield from _identity(stage, operation, resource))
    maker = yield from things.identity_for(stage, create)
    if not subjects.may(stage.contract, operation, maker):
        other = yield from things.identity_for(stage, operation)
        maker = other if subjects.may(stage.contract, create, other) else maker
    needed = yield from needs(stage, create)
    thing = yield from things.make(stage, resource, maker=maker, members={**needed, **(members or {})}, step=step)
    return subjects.of_thing(stage.contract, thing)


def _identity(stage: Stage, operation: Operation, resource: Resource) -> Steps[Subject]:
    """A fresh identity as a thing, in the hands of one with the right to act on it, who outlives its delete."""
    subject = yield from subjects.made(stage, resource)
    roles = (stage.contract.promise("owner", operation) or {}).get("roles")
    return replace(subject, owner=(yield from stage.actors.with_role(stage, roles[0]))) if roles else subject


def actor(stage: Stage, operation: Operation, subject: Subject) -> Steps[Identity]:
    """The subject's owner where that may call the operation, else one that may."""
    if subjects.may(stage.contract, operation, subject.owner):
        return subject.owner
    return (yield from things.identity_for(stage, operation))


def call(
    stage: Stage, operation: Operation, subject: Subject, seen: Exchange | None, step: str, identity: Identity
) -> Steps[Request]:
    """A valid request of an operation on the subject, with the version that was seen."""
    path = subjects.path_of(stage.contract, operation, subject)
    request = yield from things.valid(stage, operation, identity=identity, path=path)
    forms = precondition.forms(stage.contract, operation, subject.resource)
    return replace(precondition.current(request, forms, seen or subject.made), step=step)


def brought(stage: Stage, operation: Operation, subject: Subject, step: str = things.SETUP) -> Steps[None]:
    """The subject after an operation that brings it where it can be seen, as a publish does; CannotTell if refused."""
    identity = yield from actor(stage, operation, subject)
    done = yield from one((yield from call(stage, operation, subject, None, step, identity)))
    if done.outcome is not Outcome.OK:
        raise CannotTell(f"{operation.id} answered {done.status or done.error} to a fresh {subject.resource.name}")


def place_of(contract: Contract, operation: Operation, resource: Resource) -> str:
    """Where the body of an operation refers to the resource; empty where it does not or no body can be drawn."""
    body = operation.json_body()
    try:
        drawn = Examples(contract, Random(0), "x").value(body.schema if body else {})  # noqa: S311 - a draw, no secret
    except CannotTell:
        return ""
    for place, _ in pointer.leaves(drawn):
        names = [name for name in pointer.tokens(place) if not name.isdigit()]
        if names and things.referred(contract, names[-1]) is resource:
            return place
    return ""


def reference(subject: Subject) -> Any:
    """The id as the API wrote it: a number stays one."""
    answer = subject.made.response.json() if subject.made and subject.made.response else None
    found = pointer.get(answer, subject.resource.id)
    return found if isinstance(found, int) else subject.id
