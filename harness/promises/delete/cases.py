"""The cases of `delete`: what a thing shows before and after, and what cannot be done with it any more."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import SETTLE_S, Case, Pause, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting, precondition, walking
from harness.promises import subject as subjects
from harness.promises.delete import steps as words
from harness.promises.delete.aftermath import aftermath
from harness.promises.delete.terms import KEY, terms, then
from harness.promises.filter.cases import texts_of
from harness.promises.filter.rules import rules
from harness.promises.paging import names_of, paging
from harness.promises.planting import source
from harness.promises.resource.needs import needs
from harness.promises.resource.steps import step, succeeded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.delete.terms import Terms
    from harness.promises.subject import Subject
    from harness.promises.walking import Way
    from harness.stage import Stage


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """The delete itself, then a case for each thing that follows."""
    told = terms(contract, operation)
    if told is None:
        return ()
    found: list[tuple[str, Any, bool]] = [("delete", _delete, False)]
    found += [(f"write-{name}", partial(_write, name), False) for name in told.writes]
    found += [(f"reference-{name}", partial(_reference, name), False) for name in told.references]
    found += aftermath(told)
    return tuple(
        Case(KEY, operation.id, name, partial(steps, operation, told), alone=alone) for name, steps, alone in found
    )


def _delete(operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """Read and listed before, then neither; deleted once more."""
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    for name in then(stage.contract, told):
        yield from acting.brought(stage, stage.contract.by_id[name], subject)
    before = yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    ways = yield from _shown_in(stage, told, subject)
    identity = yield from acting.actor(stage, operation, subject)
    request = yield from acting.call(stage, operation, subject, before, step(words.DELETED, subject.id), identity)
    deleted = yield from one(request)
    if not succeeded(deleted):
        return
    gone = yield from subjects.read(stage, subject, step(words.GONE, subject.id))
    if gone is not None and gone.outcome is Outcome.OK and not told.strict:
        yield Pause(SETTLE_S)
        yield from subjects.read(stage, subject, step(words.GONE_LATER, subject.id))
    for name, way, pages in ways:
        label = partial(_page, words.UNLISTED, name)
        yield from walking.walk(stage, way, label=label, size=way.paging.largest, most=pages)
    if told.again:
        yield from one(replace(request, step=step(words.AGAIN, subject.id)))


def _page(word: str, name: str, number: int) -> str:
    return step(word, name, number)


def _shown_in(stage: Stage, told: Terms, subject: Subject) -> Steps[list[tuple[str, Way, int]]]:
    """The lists and their filters that show the subject: a name, how it is walked, and to which page."""
    found = []
    for name in told.lists:
        operation = stage.contract.by_id[name]
        identity = yield from acting.actor(stage, operation, subject)
        origin = source(stage.contract, operation)
        place = origin.id if origin is not None and origin.resource == told.resource else told.resource.id
        path = {item.name: subject.path[item.name] for item in operation.path_parameters if item.name in subject.path}
        way = walking.Way(operation, paging(stage.contract, operation), identity, place, path)
        pages = yield from _page_of(stage, way, subject, operation.id)
        if not pages:
            continue
        found.append((operation.id, way, len(pages.pages)))
        item = next((item for item in pages.items if names_of([item], place) == [subject.id]), None)
        for rule in rules(stage.contract, operation):
            text = next(iter(texts_of(rule, item)), "")
            if text:
                narrow = way.narrowed((rule.parameter, text))
                shown = yield from _page_of(stage, narrow, subject, f"{operation.id} {rule.parameter}")
                found += [(f"{operation.id} {rule.parameter}", narrow, len(shown.pages))] if shown else []
    return found


def _page_of(stage: Stage, way: Way, subject: Subject, name: str) -> Steps[walking.Walk | None]:
    """A walk as far as the page on which the subject is; None where it is on none that was seen."""
    walked = yield from walking.walk(
        stage,
        way,
        label=partial(_page, words.LISTED, name),
        size=way.paging.largest,
        until=lambda walked: subject.id in walked.names,
    )
    return walked if subject.id in walked.names else None


def gone(stage: Stage, operation: Operation, subject: Subject, seen: Exchange | None) -> Steps[Exchange]:
    """Deletes the subject, as one that may, and reads it then; raises CannotTell where that is refused."""
    identity = yield from acting.actor(stage, operation, subject)
    request = yield from acting.call(stage, operation, subject, seen, step(words.DELETED, subject.id), identity)
    deleted = yield from one(request)
    if not succeeded(deleted):
        raise CannotTell(f"{operation.id} answered {deleted.status or deleted.error} in the set-up of a deleted thing")
    yield from subjects.read(stage, subject, step(words.GONE, subject.id))
    return deleted


def _write(name: str, operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """What is taken while a thing lives, and then of one that was deleted, with each version that it might have.

    An update of the thing needs no living one: its own laws say that it works.
    """
    write = stage.contract.by_id[name]
    if not write.path_parameters:
        raise CannotTell(f"{name} names no {told.resource.name} in its path; tell it under references")
    if name != told.resource.update:
        living = yield from acting.made(stage, operation, told.resource, step(words.MADE))
        identity = yield from acting.actor(stage, write, living)
        yield from one((yield from acting.call(stage, write, living, None, step(words.WROTE, name), identity)))
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    before = yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    identity = yield from acting.actor(stage, write, subject)
    request = yield from acting.call(stage, write, subject, before, "", identity)
    deleted = yield from gone(stage, operation, subject, before)
    tries = [request]
    forms = precondition.forms(stage.contract, write, told.resource)
    for form in () if told.hard else forms:
        old, new = precondition.seen(form, before), precondition.seen(form, deleted)
        versions = [version for version in (new, precondition.following(old)) if version is not None]
        tries += [precondition.with_version(precondition.bare(request, forms), form, item) for item in versions]
    for tried in tries:
        wrote = yield from one(replace(tried, step=step(words.WROTE_AFTER, name)))
        if wrote.outcome is Outcome.OK:
            return


def _reference(name: str, operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """A living thing can be referred to, which shows that the request is right; a deleted one cannot."""
    user = stage.contract.by_id[name]
    place = acting.place_of(stage.contract, user, told.resource)
    if not place:
        raise CannotTell(f"{name}: no member of its body refers to a {told.resource.name}")
    identity = yield from things.identity_for(stage, user)
    living = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    yield from one((yield from referring(stage, user, identity, living, place, step(words.USED, name))))
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    before = yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    yield from gone(stage, operation, subject, before)
    yield from one((yield from referring(stage, user, identity, subject, place, step(words.USED_AFTER, name))))


def referring(stage: Stage, user: Operation, identity: Any, subject: Subject, place: str, label: str) -> Steps[Any]:
    """A valid request whose body refers to the subject."""
    members = yield from needs(stage, user)
    members = {**members, place: acting.reference(subject)}
    return (yield from things.valid(stage, user, identity=identity, members=members, step=label))
