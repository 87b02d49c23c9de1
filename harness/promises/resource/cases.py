"""The cases of `resource`: what each operation of a thing's life must do to the others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Pause, one
from harness.contract import pointer
from harness.contract.example import Examples
from harness.contract.resource import ACTIONS
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import precondition, writing
from harness.promises import subject as subjects
from harness.promises.resource import mass
from harness.promises.resource import steps as words
from harness.promises.resource.listing import walk
from harness.promises.resource.needs import needs
from harness.promises.resource.steps import KEY, step, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

SETTLE_S = 1.0
MAX_USERS_OF = 2


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation makes, lists, changes or deletes a thing that can be made and looked at."""
    return bool(cases(contract, operation, Random(0)))  # noqa: S311 - nothing is drawn


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """The cases of the operation's part in the life of its resource."""
    resource = contract.resource_of(operation.id)
    off = contract.defaults.get(KEY) is False or operation.promises.get(KEY) is False
    if resource is None or off or resource.create not in contract.by_id:
        return ()
    return tuple(
        Case(KEY, operation.id, name, partial(steps, operation, resource))
        for name, steps in _parts(contract, operation, resource)
    )


def _parts(contract: Contract, operation: Operation, resource: Resource) -> Iterator[tuple[str, Any]]:
    action = next(action for action in ACTIONS if getattr(resource, action) == operation.id)
    if action == "list" and resource.declared:
        yield "listed", _listed
    if resource.read not in contract.by_id:
        return
    if action == "create":
        yield "create", _create
        yield "mass-assignment", mass.on_create
    elif action == "update":
        yield "update", _update
        if resource.delete and (resource.declared or operation.method == "PATCH"):
            yield "update-after-delete", _update_after_delete
        yield "mass-assignment", mass.on_update
    elif action == "delete":
        yield "delete", _delete
        for user in _users_of(contract, resource) if resource.declared else ():
            yield f"used-{user.id}", partial(_used, user)


def _users_of(contract: Contract, resource: Resource) -> list[Operation]:
    """Operations whose bodies refer to a thing of the resource by a required member, each of another resource."""
    found = []
    for operation in contract.operations:
        other = contract.resource_of(operation.id)
        body = operation.json_body()
        if body is not None and other is not None and other.name != resource.name and other.create == operation.id:
            found += [operation] if _place_of(contract, operation, resource) else []
    return found[:MAX_USERS_OF]


def _place_of(contract: Contract, operation: Operation, resource: Resource) -> str:
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


def _made(stage: Stage, operation: Operation, resource: Resource, word: str) -> Steps[Subject]:
    """A fresh thing whose maker may also call the operation, where one identity may do both."""
    create = stage.contract.by_id[resource.create]
    if operation.id != create.id and subjects.is_self(stage.contract, resource):
        return (yield from _identity(stage, operation, resource))
    maker = yield from things.identity_for(stage, create)
    if not subjects.may(stage.contract, operation, maker):
        other = yield from things.identity_for(stage, operation)
        maker = other if subjects.may(stage.contract, create, other) else maker
    members = yield from needs(stage, create)
    thing = yield from things.make(stage, resource, maker=maker, members=members, step=step(word))
    return subjects.of_thing(stage.contract, thing)


def _identity(stage: Stage, operation: Operation, resource: Resource) -> Steps[Subject]:
    """A fresh identity as a thing, in the hands of one with the right to act on it, who outlives its delete."""
    subject = yield from subjects.made(stage, resource)
    roles = (stage.contract.promise("owner", operation) or {}).get("roles")
    return replace(subject, owner=(yield from stage.actors.with_role(stage, roles[0]))) if roles else subject


def _actor(stage: Stage, operation: Operation, subject: Subject) -> Steps[Identity]:
    if subjects.may(stage.contract, operation, subject.owner):
        return subject.owner
    return (yield from things.identity_for(stage, operation))


def _call(
    stage: Stage, operation: Operation, subject: Subject, seen: Exchange | None, text: str, identity: Identity
) -> Steps[Request]:
    """A valid request of an operation on the subject, with the version that was seen."""
    path = subjects.path_of(stage.contract, operation, subject)
    request = yield from things.valid(stage, operation, identity=identity, path=path)
    forms = precondition.forms(stage.contract, operation, subject.resource)
    return replace(precondition.current(request, forms, seen or subject.made), step=text)


def _create(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    subject = yield from _made(stage, operation, resource, words.MADE)
    read = yield from subjects.read(stage, subject, step(words.READ, subject.id))
    if read is not None and read.outcome is Outcome.REFUSED:
        yield Pause(SETTLE_S)
        yield from subjects.read(stage, subject, step(words.READ_LATER, subject.id))


def _listed(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """The list is walked twice before a thing is missed, as another's delete may shift a page under the first walk."""
    subject = yield from _made(stage, operation, resource, words.MADE)
    identity = yield from _actor(stage, operation, subject)
    for word in (words.LISTED, words.LISTED_LATER):
        walked = yield from walk(stage, subject, identity, word)
        if walked.page:
            return
        if not walked.whole:
            raise CannotTell(
                f"{operation.id}: the whole list could not be walked, so that nothing can be missing in it"
            )
        if resource.read in stage.contract.by_id:
            yield from subjects.read(stage, subject, step(words.FOUND_BY_ID, subject.id))
        yield Pause(SETTLE_S)


def _update(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    subject = yield from _made(stage, operation, resource, words.MADE)
    identity = yield from _actor(stage, operation, subject)
    before = yield from subjects.read(stage, subject, step(words.BEFORE))
    forms = precondition.forms(stage.contract, operation, resource)
    in_body = [form["name"] for form in forms if form["in"] == "body"]
    member, values = writing.first_changeable(stage, operation, resource, subjects.shown(before), without=in_body)
    request = yield from _call(stage, operation, subject, before, "", identity)
    body = pointer.put(request.json(), member.place, values[0])
    text = step(words.UPDATED, member.place, member.shown)
    updated = yield from one(replace(precondition.with_body(request, body), step=text))
    if not succeeded(updated):
        return
    shown = yield from subjects.read(stage, subject, step(words.SHOWN))
    if not resource.declared and not writing.equal(pointer.get(subjects.shown(shown), member.shown), values[0]):
        yield Pause(SETTLE_S)
        yield from subjects.read(stage, subject, step(words.SHOWN_LATER))


def _delete(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    subject = yield from _made(stage, operation, resource, words.MADE)
    identity = yield from _actor(stage, operation, subject)
    before = yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    pages = 0
    if resource.declared and resource.list in stage.contract.by_id:
        pages = (yield from walk(stage, subject, identity, words.LISTED_BEFORE)).page
    request = yield from _call(stage, operation, subject, before, step(words.DELETED, subject.id), identity)
    deleted = yield from one(request)
    if not succeeded(deleted):
        return
    gone = yield from subjects.read(stage, subject, step(words.GONE, subject.id))
    if gone is not None and gone.outcome is Outcome.OK and not resource.declared:
        yield Pause(SETTLE_S)
        yield from subjects.read(stage, subject, step(words.GONE_LATER, subject.id))
    if pages:
        yield from walk(stage, subject, identity, words.LISTED_AFTER, most=pages)
    if resource.again:
        yield from one(replace(request, step=step(words.DELETED_AGAIN, subject.id)))


def _deleted(stage: Stage, subject: Subject, seen: Exchange | None) -> Steps[Exchange]:
    """Deletes the subject, as one that may; raises CannotTell where that is refused."""
    operation = stage.contract.by_id[subject.resource.delete]
    identity = yield from _actor(stage, operation, subject)
    request = yield from _call(stage, operation, subject, seen, step(words.DELETED, subject.id), identity)
    deleted = yield from one(request)
    if not succeeded(deleted):
        raise CannotTell(f"{operation.id} answered {deleted.status or deleted.error} in the set-up of a deleted thing")
    return deleted


def _update_after_delete(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """Each version that a deleted thing might have is tried, or a stale one would be refused for being stale."""
    subject = yield from _made(stage, operation, resource, words.MADE)
    identity = yield from _actor(stage, operation, subject)
    before = yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    request = yield from _call(stage, operation, subject, before, "", identity)
    forms = precondition.forms(stage.contract, operation, resource)
    deleted = yield from _deleted(stage, subject, before)
    yield from subjects.read(stage, subject, step(words.GONE, subject.id))
    tries = [request]
    for form in forms:
        old, new = precondition.seen(form, before), precondition.seen(form, deleted)
        versions = [version for version in (new, precondition.following(old)) if version is not None]
        tries += [precondition.with_version(precondition.bare(request, forms), form, item) for item in versions]
    for tried in tries:
        updated = yield from one(replace(tried, step=step(words.UPDATED_AFTER, subject.id)))
        if updated.outcome is Outcome.OK:
            return


def _used(user: Operation, operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """A living thing can be referred to, which shows that the request is right; a deleted one cannot."""
    identity = yield from things.identity_for(stage, user)
    place = _place_of(stage.contract, user, resource)
    living = yield from _made(stage, operation, resource, words.MADE)
    yield from _refer(stage, user, identity, living, place, words.USED)
    subject = yield from _made(stage, operation, resource, words.MADE)
    before = yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    yield from _deleted(stage, subject, before)
    yield from subjects.read(stage, subject, step(words.GONE, subject.id))
    yield from _refer(stage, user, identity, subject, place, words.USED_AFTER)


def _refer(stage: Stage, user: Operation, identity: Identity, subject: Subject, place: str, word: str) -> Steps[None]:
    members = yield from needs(stage, user)
    request = yield from things.valid(stage, user, identity=identity, members={**members, place: _id_of(subject)})
    yield from one(replace(request, step=step(word, user.id)))


def _id_of(subject: Subject) -> Any:
    """The id as the API wrote it: a number stays one."""
    found = (
        pointer.get(subject.made.response.json(), subject.resource.id) if subject.made and subject.made.response else ""
    )
    return found if isinstance(found, int) else subject.id
