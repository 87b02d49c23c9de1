"""Plants things in a list: fresh ones whose members a case chooses, so that it knows what the list must show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import things
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import acting
from harness.promises import subject as subjects
from harness.promises.resource.needs import needs
from harness.promises.walking import Way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange
    from harness.promises.paging import Paging
    from harness.promises.subject import Subject
    from harness.stage import Stage

PLANTED, STRANGER = "planted", "stranger"
SOURCES = ("page", "filter", "sort")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """What makes the items of a list: the resource, the operations that bring a thing into it, an item's id."""

    resource: Resource
    then: tuple[str, ...]
    id: str


def source(contract: Contract, operation: Operation) -> Source | None:
    """What makes the items of a list, as its promises say or as its resource shows; None where nothing does."""
    entries = [entry for key in SOURCES if isinstance(entry := contract.promise(key, operation), dict)]
    told = next((entry for entry in entries if "resource" in entry), {})
    resource = contract.resource(told["resource"]) if told else contract.resource_of(operation.id)
    if resource is None or resource.create not in contract.by_id or (not told and resource.list != operation.id):
        return None
    return Source(resource, tuple(told.get("then", ())), told.get("id", resource.id))


def brings(contract: Contract, resource: Resource) -> tuple[str, ...]:
    """What brings a thing of the resource into the first list that says so, where others see it, as a publish does."""
    found = (source(contract, operation) for operation in contract.operations)
    return next((one.then for one in found if one is not None and one.resource is resource and one.then), ())


@dataclass(slots=True)
class Bed:
    """What a case planted: all by one maker where the API lets one make several, else each by a fresh one.

    `word` is what its steps are called; what the list must show is `planted`.
    """

    stage: Stage
    source: Source
    planted: list[Subject]
    word: str = PLANTED

    @property
    def names(self) -> list[str]:
        """The ids of what was planted."""
        return [subject.id for subject in self.planted]

    def plant(self, row: Mapping[str, Any], *, apart: Sequence[str] = ()) -> Steps[Subject]:
        """One thing more, with these members; what it refers to is what the first refers to, but for places `apart`."""
        stage, resource = self.stage, self.source.resource
        create = stage.contract.by_id[resource.create]
        members, path, maker = dict(row), None, None
        if self.planted:
            first = self.planted[0]
            shared = things.references(stage.contract, first.sent)
            members = {**{place: value for place, value in shared.items() if place not in apart}, **members}
            path, maker = dict(first.path), first.owner
        else:
            members = {**(yield from needs(stage, create)), **members}
        step = f"{self.word}|{len(self.planted)}"
        try:
            thing = yield from things.make(stage, resource, maker=maker, members=members, path=path, step=step)
        except CannotTell:
            if maker is None:
                raise
            maker = yield from things.identity_for(stage, create)
            thing = yield from things.make(stage, resource, maker=maker, members=members, path=path, step=step)
        subject = subjects.of_thing(stage.contract, thing)
        for name in self.source.then:
            yield from acting.brought(stage, stage.contract.by_id[name], subject)
        self.planted.append(subject)
        return subject

    def way(self, operation: Operation, paging: Paging) -> Steps[Way]:
        """How the maker, or one that may where the maker may not, walks the list that holds what was planted."""
        first = self.planted[0]
        identity = first.owner
        if not subjects.may(self.stage.contract, operation, identity):
            identity = yield from things.identity_for(self.stage, operation)
        path = {item.name: first.path[item.name] for item in operation.path_parameters if item.name in first.path}
        return Way(operation, paging, identity, self.source.id, path)


def bed(stage: Stage, operation: Operation) -> Bed:
    """An empty bed for a list; raises CannotTell where nothing says what makes its items."""
    found = source(stage.contract, operation)
    if found is None:
        raise CannotTell(f"{operation.id}: nothing says what makes its items; name the resource")
    return Bed(stage, found, [])


def stranger(stage: Stage, operation: Operation) -> Steps[None]:
    """One thing of the same kind under another parent, where a list lies under one: no list but that one's shows it."""
    found = source(stage.contract, operation)
    if found is None or not operation.path_parameters:
        return
    try:
        yield from Bed(stage, found, [], STRANGER).plant({})
    except CannotTell:
        return


def planted(resource: Resource, exchanges: Sequence[Exchange]) -> dict[str, Exchange]:
    """The ids of what a history shows as planted, each with the answer that made it, in the order of planting."""
    found: dict[str, Exchange] = {}
    for exchange in exchanges:
        if exchange.request.step.startswith(f"{PLANTED}|") and exchange.outcome is Outcome.OK:
            try:
                found[things.id_of(resource, exchange)] = exchange
            except CannotTell:
                continue
    return found
