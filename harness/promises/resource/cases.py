"""The cases of `resource`: what each operation of a thing's life must do to the others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from harness.case import SETTLE_S, Case, Pause, one
from harness.contract import pointer
from harness.contract.resource import ACTIONS
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting, precondition, writing
from harness.promises import subject as subjects
from harness.promises.resource import mass, nesting, sign_up
from harness.promises.resource import steps as words
from harness.promises.resource.entrance import entered
from harness.promises.resource.listing import walk
from harness.promises.resource.steps import KEY, step, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange
    from harness.promises.subject import Subject
    from harness.stage import Stage

MAX_USERS_OF = 2
MAX_ZEROS = 3


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation makes, lists, changes or deletes a thing that can be made and looked at."""
    return bool(cases(contract, operation, Random(0)))  # noqa: S311 - nothing is drawn


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """The cases of the operation's part in the life of its resource."""
    resource = sign_up.concerned(contract, operation)
    off = contract.defaults.get(KEY) is False or operation.promises.get(KEY) is False
    if resource is None or off or resource.create not in contract.by_id:
        return ()
    return tuple(
        Case(KEY, operation.id, name, partial(steps, operation, resource))
        for name, steps in _parts(contract, operation, resource)
    )


def _parts(contract: Contract, operation: Operation, resource: Resource) -> Iterator[tuple[str, Any]]:
    if contract.resource_of(operation.id) is None:
        yield "mass-assignment", mass.on_create if entered(contract, operation) else sign_up.tried
        return
    action = next(action for action in ACTIONS if getattr(resource, action) == operation.id)
    if action == "list" and resource.declared:
        yield "listed", _listed
    if resource.read not in contract.by_id:
        return
    if action == "read" and nesting.nested(operation, resource):
        yield "under-another", nesting.under_another
    elif action == "create":
        yield "create", _create
        yield "mass-assignment", mass.on_create
    elif action == "update":
        yield "update", _update
        yield "mass-assignment", mass.on_update


def _create(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    subject = yield from acting.made(stage, operation, resource, step(words.MADE))
    read = yield from subjects.read(stage, subject, step(words.READ, subject.id))
    if read is not None and read.outcome is Outcome.REFUSED:
        yield Pause(SETTLE_S)
        yield from subjects.read(stage, subject, step(words.READ_LATER, subject.id))


def _listed(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """The list is walked twice before a thing is missed, as another's delete may shift a page under the first walk."""
    subject = yield from acting.made(stage, operation, resource, step(words.MADE))
    identity = yield from acting.actor(stage, operation, subject)
    for word in (words.LISTED, words.LISTED_LATER):
        walked = yield from walk(stage, subject, identity, word)
        if walked.page:
            return
        if not walked.whole:
            raise CannotTell(
                f"{operation.id}: the whole list could not be walked, so that nothing is missing in it; {walked.reason}"
            )
        if resource.read in stage.contract.by_id:
            yield from subjects.read(stage, subject, step(words.FOUND_BY_ID, subject.id))
        yield Pause(SETTLE_S)


def _update(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    forms = precondition.forms(stage.contract, operation, resource)
    in_body = [form["name"] for form in forms if form["in"] == "body"]
    own = subjects.is_self(stage.contract, resource)
    members = {} if own else writing.telling(stage, operation, resource, without=in_body)
    subject = yield from acting.made(stage, operation, resource, step(words.MADE), members)
    identity = yield from acting.actor(stage, operation, subject)
    before = yield from subjects.read(stage, subject, step(words.BEFORE))
    member, values = writing.first_changeable(stage, operation, resource, subjects.shown(before), without=in_body)
    request = yield from acting.call(stage, operation, subject, before, "", identity)
    body = pointer.put(request.json(), member.place, values[0])
    text = step(words.UPDATED, member.place, member.shown)
    updated = yield from one(replace(precondition.with_body(request, body), step=text))
    if not succeeded(updated):
        return
    shown = yield from _after(stage, subject, (member.shown, values[0]), step(words.SHOWN), step(words.SHOWN_LATER))
    # Zero is what a server takes for nothing told.
    for number in writing.zeroed(stage, operation, resource, subjects.shown(shown), without=in_body)[:MAX_ZEROS]:
        request = yield from acting.call(stage, operation, subject, shown, "", identity)
        body = pointer.put(request.json(), number.place, 0)
        text = step(words.ZERO, number.place, number.shown)
        if not succeeded((yield from one(replace(precondition.with_body(request, body), step=text)))):
            return
        again = step(words.ZERO_SHOWN, number.place)
        shown = yield from _after(stage, subject, (number.shown, 0), again, again)


def _after(stage: Stage, subject: Subject, wrote: tuple[str, Any], first: str, later: str) -> Steps[Exchange | None]:
    """The thing after a write; of one that is not declared a while later where it does not show what was written."""
    shown = yield from subjects.read(stage, subject, first)
    if not subject.resource.declared and not writing.equal(pointer.get(subjects.shown(shown), wrote[0]), wrote[1]):
        yield Pause(SETTLE_S)
        shown = yield from subjects.read(stage, subject, later)
    return shown
