"""What the cases of `cache` stand on: a thing to change, the forms in which a read asks for it, and changes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness import things
from harness.case import one, together
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import paging as pages
from harness.promises import precondition
from harness.promises import subject as subjects
from harness.promises.cache import steps as words
from harness.promises.cache.steps import step
from harness.promises.filter.narrowing import narrowing
from harness.promises.resource.needs import needs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.cache.annotation import Cause, Told
    from harness.promises.paging import Query
    from harness.promises.subject import Subject
    from harness.stage import Stage

READERS = 4
SHARE = 10


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a read: what its query asks, and who asks."""

    name: str
    query: Query
    reader: Identity


@dataclass(slots=True)
class Ground:
    """A fresh thing, and how it is read. `marked` are the members by which a form of the query finds it."""

    stage: Stage
    operation: Operation
    told: Told
    resource: Resource
    subject: Subject
    forms: tuple[Form, ...] = ()
    marked: tuple[str, ...] = ()
    path: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        """Whether the read shows many things."""
        return self.operation.id == self.resource.list

    def request(self, form: Form, text: str) -> Steps[Request]:
        """A read in a form."""
        request: Request = yield from things.valid(self.stage, self.operation, identity=form.reader, path=self.path)
        asked = {name for name, _ in form.query}
        query = (*(pair for pair in request.query if pair[0] not in asked), *form.query)
        return replace(request, query=query, step=text)

    def read(self, text: str) -> Steps[None]:
        """Reads in every form, several at one instant so that each has a connection of its own."""
        count = readers(self.stage.contract, self.operation)
        for form in self.forms:
            request = yield from self.request(form, f"{text}|{form.name}")
            yield from together((request,) * count)

    def thing(self, word: str) -> Steps[Exchange | None]:
        """The thing as its own read shows it."""
        return (yield from subjects.read(self.stage, self.subject, step(words.THING, word)))


def readers(contract: Contract, operation: Operation) -> int:
    """As many reads at once as leave nine tenths of the smallest quota untouched; at least two."""
    quotas: list[int] = [limit["quota"] for limit in contract.promise("rate-limit", operation) or ()]
    return max(2, min([READERS, *(quota // SHARE for quota in quotas)]))


def prepared(stage: Stage, operation: Operation, told: Told) -> Steps[Ground]:
    """A fresh thing and the forms in which it is shown; raises CannotTell where nothing says what is."""
    resource = told.resource
    if resource is None or operation.id not in {resource.list, resource.read}:
        raise CannotTell(f"nothing says which thing {operation.id} shows; declare it under x-promises.resource")
    if resource.create not in stage.contract.by_id:
        raise CannotTell(f"no operation makes a {resource.name}; declare one under x-promises.resource")
    found = narrowing(stage.contract, operation, stage.unique("m")) if operation.id == resource.list else None
    members = yield from needs(stage, stage.contract.by_id[resource.create])
    thing = yield from things.make(stage, resource, members={**members, **(found.row(0) if found else {})})
    subject = subjects.of_thing(stage.contract, thing)
    ground = Ground(stage, operation, told, resource, subject)
    if not ground.is_list:
        ground.path = subjects.path_of(stage.contract, operation, subject)
    else:
        names = (item.name for item in operation.path_parameters)
        ground.path = {name: subject.path[name] for name in names if name in subject.path}
    reader = yield from reader_of(stage, operation, told, subject)
    query = found.query(subject) if found else _referring(stage.contract, operation, subject)
    ground.marked = (found.rule.sent,) if found else ()
    ground.forms = tuple(_forms(stage.contract, ground, reader, query))
    return ground


def reader_of(stage: Stage, operation: Operation, told: Told, subject: Subject) -> Steps[Identity]:
    """Who reads: nobody where anyone may and answers are not their caller's own, else the owner, else one that may."""
    nobody = stage.anonymous()
    if not told.private and subjects.may(stage.contract, operation, nobody):
        return nobody
    if subjects.may(stage.contract, operation, subject.owner):
        return subject.owner
    return (yield from things.identity_for(stage, operation))


def _forms(contract: Contract, ground: Ground, reader: Identity, narrowed: tuple[str, str] | None) -> Iterator[Form]:
    yield Form("plain", (), reader)
    if not ground.is_list:
        if reader.name != ground.subject.owner.name and subjects.may(contract, ground.operation, ground.subject.owner):
            yield Form("owner", (), ground.subject.owner)
        return
    paging = pages.paging(contract, ground.operation)
    # A size that no other case has asked for of late: what is kept for it is this case's own.
    size = ground.stage.random.randint(paging.largest // 2 + 1, paging.largest)
    sized = ((paging.size, str(size)),) if paging.size and paging.largest > 1 else ()
    if narrowed is not None:
        yield Form("narrowed", (narrowed, *sized), reader)
    elif sized:
        yield Form("sized", sized, reader)


def _referring(contract: Contract, operation: Operation, subject: Subject) -> tuple[str, str] | None:
    """A query parameter named after something that the thing refers to, with the id of that."""
    for place, value in things.references(contract, subject.sent).items():
        meant = things.referred(contract, [name for name in pointer.tokens(place) if not name.isdigit()][-1])
        for parameter in operation.parameters:
            near = things.named(contract, parameter.name) or things.referred(contract, parameter.name)
            if parameter.place == "query" and meant is not None and near is meant:
                return parameter.name, str(value)
    return None


def another(ground: Ground) -> Steps[Request]:
    """A create of a second thing beside the first: under the same path, referring to the same, with its mark."""
    stage, subject = ground.stage, ground.subject
    create = stage.contract.by_id[ground.resource.create]
    sent = dict(pointer.leaves(subject.sent))
    kept = {place: sent[place] for place in ground.marked if place in sent}
    kept |= things.references(stage.contract, subject.sent)
    return (yield from _call(stage, create, subject.path, subject.owner, kept, everything=False))


def aimed(ground: Ground, cause: Cause, seen: Exchange | None) -> Steps[Request]:
    """A call of a cause that changes the thing; raises CannotTell where nothing tells how it is aimed at it."""
    stage, subject, contract = ground.stage, ground.subject, ground.stage.contract
    operation = contract.by_id.get(cause.operation)
    if operation is None:
        raise CannotTell(f"{cause.operation!r} is no operation of the document; compare the spelling")
    acted = subjects.acted_on(contract, operation)
    if acted is not None and acted[0] == ground.resource:
        request = yield from _call(stage, operation, subjects.path_of(contract, operation, subject), subject.owner)
        return precondition.current(request, precondition.forms(contract, operation, subject.resource), seen)
    if cause.at and acted is not None and acted[0].create != operation.id:
        members, path = _at(cause.at, subject)
        thing = yield from things.make(stage, acted[0], members=members, path=path)
        made = subjects.of_thing(contract, thing)
        return (yield from _call(stage, operation, subjects.path_of(contract, operation, made), made.owner))
    if cause.at:
        members, path = _at(cause.at, subject)
        return (yield from _call(stage, operation, path, None, members, everything=not acted))
    for place, value in things.references(contract, subject.sent).items():
        names = [name for name in pointer.tokens(place) if not name.isdigit()]
        if acted is not None and things.referred(contract, names[-1]) == acted[0]:
            return (yield from _call(stage, operation, {acted[1]: str(value)}, None))
    raise CannotTell(f"{cause.operation}: nothing tells how it is aimed at a {ground.resource.name}; tell `at`")


def _call(
    stage: Stage,
    operation: Operation,
    path: Mapping[str, str] | None,
    caller: Identity | None,
    members: Mapping[str, str] | None = None,
    *,
    everything: bool = True,
) -> Steps[Request]:
    """A valid call with all its members, by the caller where that one may."""
    identity = caller
    if identity is None or not subjects.may(stage.contract, operation, identity):
        identity = yield from things.identity_for(stage, operation)
    request: Request = yield from things.valid(
        stage, operation, identity=identity, members=members, path=path, everything=everything
    )
    return request


def _at(at: str, subject: Subject) -> tuple[dict[str, str], dict[str, str] | None]:
    """The members of a body and the values of a path that name the thing."""
    if at.startswith("path:"):
        return {}, {at.removeprefix("path:"): subject.id}
    return {at: subject.id}, None


def acknowledged(request: Request, text: str) -> Steps[Exchange]:
    """Sends a write; raises CannotTell where it is not acknowledged, as nothing follows from it then."""
    exchange = yield from one(replace(request, step=text))
    if exchange.outcome is not Outcome.OK:
        raise CannotTell(f"{exchange.operation} answered {exchange.status or exchange.error} in its place as a change")
    return exchange
