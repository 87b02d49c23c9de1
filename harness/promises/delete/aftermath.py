"""What else follows a delete: children, counts, unique values, a way back, files; and one that is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import SETTLE_S, Pause, one
from harness.contract import pointer
from harness.contract.form import asked_of
from harness.contract.padding import padded
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting, broken_files, following
from harness.promises import subject as subjects
from harness.promises.delete import steps as words
from harness.promises.resource.needs import needs
from harness.promises.resource.steps import step, succeeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.case import Steps
    from harness.contract import Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.delete.terms import Terms
    from harness.promises.subject import Subject
    from harness.stage import Stage


# So many bytes more have a content of their own.
LEAST_MORE, MOST_MORE = 64, 4096


def aftermath(told: Terms) -> list[tuple[str, Any, bool]]:
    """The cases that the terms ask for: name, steps, and whether nothing else may run beside it."""
    found: list[tuple[str, Any, bool]] = [
        (f"child-{child['resource']}", partial(_child, child), False) for child in told.told.get("children", ())
    ]
    if "used" in told.told:
        found.append(("used", partial(_used, told.told["used"]), False))
    if "unique" in told.told:
        found.append(("unique", partial(_unique, told.told["unique"]), False))
    found += [(f"count-{number}", partial(_count, number), True) for number in range(len(told.told.get("counts", ())))]
    if "restore" in told.told:
        found.append(("restore", _restore, False))
    if "files" in told.told:
        found.append(("files", _files, False))
    return found


def _deleting(stage: Stage, operation: Operation, subject: Subject, word: str) -> Steps[Exchange]:
    """One delete of the subject, with the version that it has."""
    seen = yield from subjects.read(stage, subject)
    identity = yield from acting.actor(stage, operation, subject)
    return (yield from one((yield from acting.call(stage, operation, subject, seen, step(word, subject.id), identity))))


def _named(stage: Stage, name: str) -> Resource:
    found = stage.contract.resource(name)
    if found is None or found.read not in stage.contract.by_id:
        raise CannotTell(f"there is no resource {name!r} that can be read; declare it under x-promises.resource")
    return found


def _below(stage: Stage, subject: Subject, resource: Resource, word: str) -> Steps[Subject]:
    """A fresh thing of another resource under the subject, or that refers to it; made by it where it is a person."""
    create = stage.contract.by_id[resource.create]
    path: dict[str, str] = {}
    members: dict[str, Any] = dict((yield from needs(stage, create)))
    for parameter in create.path_parameters:
        segments = create.path.split("/")
        near = segments[max(0, segments.index(f"{{{parameter.name}}}") - 1)]
        if subject.resource in {things.named(stage.contract, near), things.referred(stage.contract, parameter.name)}:
            path[parameter.name] = subject.id
    place = acting.place_of(stage.contract, create, subject.resource)
    if not path and place:
        members = {place: acting.reference(subject)}
    maker = None
    if not path and not place:
        if not subjects.is_self(stage.contract, subject.resource):
            raise CannotTell(f"{create.id}: nothing in it refers to a {subject.resource.name}")
        maker = subject.owner
    thing = yield from things.make(stage, resource, maker=maker, members=members, path=path, step=step(word))
    return subjects.of_thing(stage.contract, thing)


def _child(child: Mapping[str, str], operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """What lies under the thing is read before its delete and after it; by another, where its maker is the thing."""
    resource = _named(stage, child["resource"])
    own = subjects.is_self(stage.contract, told.resource)
    subject = yield from _whole(stage, operation, told, own=own)
    below = yield from _below(stage, subject, resource, words.CHILD)
    if own:
        roles = (stage.contract.promise("owner", operation) or {}).get("roles")
        other = yield from stage.actors.with_role(stage, roles[0] if roles else "")
        subject, below = replace(subject, owner=other), replace(below, owner=other)
    yield from subjects.read(stage, below, step(words.CHILD_BEFORE, child["resource"]))
    deleted = yield from _deleting(stage, operation, subject, words.DELETED)
    if succeeded(deleted):
        yield from subjects.read(stage, below, step(words.CHILD_AFTER, child["resource"]))


def _whole(stage: Stage, operation: Operation, told: Terms, *, own: bool) -> Steps[Subject]:
    if own:
        return (yield from subjects.made(stage, told.resource))
    return (yield from acting.made(stage, operation, told.resource, step(words.MADE)))


def _used(used: Mapping[str, Any], operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """A thing that another refers to is not deleted, and is as it was; once the other is gone it is."""
    resource = _named(stage, used["resource"])
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    user = yield from _below(stage, subject, resource, words.CHILD)
    yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    yield from _deleting(stage, operation, subject, words.REFUSED)
    yield from subjects.read(stage, subject, step(words.KEPT, subject.id))
    yield from subjects.read(stage, subject, step(words.KEPT_AGAIN, subject.id))
    if resource.delete in stage.contract.by_id:
        ended = yield from _deleting(stage, stage.contract.by_id[resource.delete], user, words.FREED)
        if succeeded(ended):
            yield from _deleting(stage, operation, subject, words.DELETED)


def _unique(unique: Mapping[str, Any], operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """A value that no two living things may have, sent again while its thing lives and after that was deleted."""
    create = stage.contract.by_id[told.resource.create]
    thing = yield from things.make(stage, told.resource, step=step(words.MADE))
    subject = subjects.of_thing(stage.contract, thing)
    value = pointer.get(thing.sent, unique["member"])
    if value is pointer.MISSING:
        raise CannotTell(f"{create.id}: its body has no {unique['member']}")
    yield from one((yield from _again(stage, create, thing.maker, unique["member"], value, words.TAKEN)))
    deleted = yield from _deleting(stage, operation, subject, words.DELETED)
    if succeeded(deleted):
        yield from one((yield from _again(stage, create, thing.maker, unique["member"], value, words.TAKEN_AFTER)))


def _again(stage: Stage, create: Operation, maker: Identity, member: str, value: Any, word: str) -> Steps[Request]:
    request: Request = yield from things.valid(stage, create, identity=maker, members={member: value}, step=step(word))
    return request


def _count(number: int, operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """A count before and after; alone, as others' things count too."""
    count = stage.contract.by_id[told.told["counts"][number]["operation"]]
    reader = yield from things.identity_for(stage, count)
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    request = yield from things.valid(stage, count, identity=reader)
    yield from one(replace(request, step=step(words.COUNTED, number)))
    deleted = yield from _deleting(stage, operation, subject, words.DELETED)
    if succeeded(deleted):
        yield from one(replace(request, step=step(words.COUNTED_AFTER, number)))


def _restore(operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """A thing that was deleted and brought back is read as it was."""
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    yield from subjects.read(stage, subject, step(words.BEFORE, subject.id))
    deleted = yield from _deleting(stage, operation, subject, words.DELETED)
    if not succeeded(deleted):
        return
    restore = stage.contract.by_id[told.told["restore"]]
    identity = yield from acting.actor(stage, restore, subject)
    request = yield from acting.call(stage, restore, subject, None, step(words.RESTORED, subject.id), identity)
    if succeeded((yield from one(request))):
        yield from subjects.read(stage, subject, step(words.SHOWN, subject.id))


def _files(operation: Operation, told: Terms, stage: Stage) -> Steps[None]:
    """What a file of the thing is fetched by, before its delete and after it; once more a little later."""
    files = told.told["files"]
    add = stage.contract.by_id[files["operation"]]
    subject = yield from acting.made(stage, operation, told.resource, step(words.MADE))
    identity = yield from acting.actor(stage, add, subject)
    request = yield from acting.call(stage, add, subject, None, step(words.MADE), identity)
    added = yield from one(_own(stage, add, request))
    body = subjects.shown(added)
    urls = [text for place in files["members"] for text in pointer.find(body, place) if isinstance(text, str)]
    if not urls:
        raise CannotTell(f"{add.id} answered {added.status or added.error}, and no address at {files['members'][0]}")
    fetches = [following.request(stage.contract, added.request, url) for url in dict.fromkeys(urls)]
    for number, fetch in enumerate(fetches):
        yield from one(replace(fetch, step=step(words.FILE, number)))
    deleted = yield from _deleting(stage, operation, subject, words.DELETED)
    for number, fetch in enumerate(fetches) if succeeded(deleted) else ():
        after = yield from one(replace(fetch, step=step(words.FILE_AFTER, number)))
        if after.outcome is Outcome.OK:
            yield Pause(SETTLE_S)
            yield from one(replace(fetch, step=step(words.FILE_LATER, number)))


def _own(stage: Stage, operation: Operation, request: Request) -> Request:
    """The request with a file that is no other's: a store that keeps each content once keeps what others sent."""
    form, file = operation.form_body(), broken_files.data(request)
    if form is None or file is None:
        return request
    kinds = {kind.split(";")[0].strip().lower() for kind in asked_of(stage.contract, form).split(",")}
    longer = padded(file, len(file) + LEAST_MORE + stage.random.randrange(MOST_MORE), kinds)
    if longer is None:
        raise CannotTell(f"{operation.id}: no file of a content of its own can be made of those that it takes")
    return broken_files.holding(request, longer)
