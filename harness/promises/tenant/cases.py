"""The cases of `tenant`: what is planted in one tenant is asked for in another, and tenants are told in every way.

`home` is the tenant in which things are planted, `away` the case's own: who calls there is at home there and has every
right there. The plants carry a mark of this case-run alone, since some of them are named in the other tenant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness import things
from harness.case import Case, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.promises import precondition, survey
from harness.promises import subject as subjects
from harness.promises.alike import unlike
from harness.promises.attempt import AFTER, AGAIN, BEFORE, each
from harness.promises.precondition import with_body
from harness.promises.tenant import telling
from harness.promises.tenant.planting import planted, privileged, references, variants, written
from harness.promises.tenant.steps import (
    ABSENT,
    AWAY,
    FIRST,
    FOREIGN,
    HOME,
    KEY,
    OTHER,
    OWN,
    PAIR,
    PLACE,
    SWAP,
    UNKNOWN,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

MOST_REFERENCES = 3
ONE_TENANT = "nothing can cross where harness.toml tells one tenant; name two or more under identities.tenants.names"


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case: what crosses, and how the tenant is told."""
    told = contract.promise(KEY, operation)
    return (Case(KEY, operation.id, "crossing", partial(_steps, operation, told)),)


def _steps(operation: Operation, told: Mapping[str, Any], stage: Stage) -> Steps[None]:
    """Whoever makes things is the same in all of it, and the caller too."""
    stage.familiar = stage.actors.company()
    home = _another(stage)
    caller = yield from _caller(stage, operation)
    ground = _Ground(operation, stage.elsewhere(home, marked=False), stage, caller)
    yield from each((_crossing(ground), _telling(ground, told, stage.elsewhere(home))))


@dataclass(frozen=True, slots=True)
class _Ground:
    """The two tenants of a case, and who calls in `away`."""

    operation: Operation
    home: Stage
    away: Stage
    caller: Identity

    def request(self, path: Mapping[str, str], *, everything: bool = False) -> Steps[Request]:
        request: Request = yield from things.valid(
            self.away, self.operation, identity=self.caller, path=path, everything=everything
        )
        return request


def _crossing(ground: _Ground) -> Steps[None]:
    """The operation in one tenant upon things of another: named in its path, named in its body, and in its lists."""
    operation = ground.operation
    target = subjects.acted_on(ground.away.contract, operation)
    parts: list[Steps[None]] = []
    if target is not None:
        parts.append(_named(ground, target[0]))
    if operation.json_body() is not None:
        parts.append(_referred(ground, target[0] if target else None))
    if operation.reads and not operation.path_parameters and not operation.streams:
        parts.append(_listed(ground))
    yield from each(parts)


def _another(stage: Stage) -> str:
    names = [name for name in stage.actors.tenants if name != stage.tenant]
    if not names or not stage.tenant:
        raise CannotTell(ONE_TENANT)
    return names[stage.random.randrange(len(names))]


def _caller(stage: Stage, operation: Operation) -> Steps[Identity]:
    identity = yield from privileged(stage, operation)
    shared = identity.headers and not stage.actors.can_register and operation.secured
    if shared and survey.may_change_caller(operation):
        raise CannotTell(f"{operation.id} {survey.CHANGES_CALLER}")
    return identity


def _named(ground: _Ground, resource: Resource) -> Steps[None]:
    """The path names a thing of the other tenant; before and after it, one that is nowhere."""
    subject = yield from planted(ground.home, resource)
    contract, operation = ground.away.contract, ground.operation
    request = yield from ground.request(subjects.path_of(contract, operation, subject))

    def naming(name: str, version: Exchange | None) -> Request:
        path = request.path.replace(f"/{quote(subject.id, safe='')}", f"/{quote(name, safe='')}")
        forms = precondition.forms(contract, operation, resource)
        return precondition.current(replace(request, path=path), forms, version or subject.made)

    yield from _held_against(ground, subject, "path", naming)


def _held_against(
    ground: _Ground, subject: Subject, label: str, naming: Callable[[str, Exchange | None], Request]
) -> Steps[None]:
    """One call that names the thing between two that name nothing; the thing at home before and after."""
    before = yield from subjects.read(ground.home, subject, f"{BEFORE}:{label}")
    names = [unlike(subject.id, ground.away.random), subject.id, unlike(subject.id, ground.away.random)]
    for name, step in zip(names, (ABSENT[0], FOREIGN, ABSENT[1]), strict=True):
        yield from one(replace(naming(name, before), step=f"{step}:{label}"))
    if ground.operation.reads or subjects.shown(before) is None:
        return
    after = yield from subjects.read(ground.home, subject, f"{AFTER}:{label}")
    if subjects.changes(subjects.shown(before), subjects.shown(after)):
        yield from subjects.read(ground.home, subject, f"{AGAIN}:{label}")


def _referred(ground: _Ground, target: Resource | None) -> Steps[None]:
    """The body names a thing of the other tenant, in one place at a time."""
    own, contract = None, ground.away.contract
    if target is not None:
        own = yield from _own(ground.away, ground.operation, target, ground.caller, things.SETUP)
    request = yield from _whole(ground, own)
    found = [
        (place, resource)
        for place, resource in references(contract, ground.operation, request.json())
        if resource.create != ground.operation.id
    ]
    for place, resource in found[:MOST_REFERENCES]:
        subject = yield from planted(ground.home, resource)

        def naming(name: str, _version: Exchange | None, place: str = place) -> Request:
            number = isinstance(pointer.get(request.json(), place), int) and name.isdigit()
            return with_body(request, pointer.put(request.json(), place, int(name) if number else name))

        yield from _held_against(ground, subject, f"body{place}", naming)


def _whole(ground: _Ground, own: _Own | None) -> Steps[Request]:
    """A valid request with every member, on an own thing where the operation acts on one."""
    contract, operation = ground.away.contract, ground.operation
    path = subjects.path_of(contract, operation, own.subject) if own else {}
    try:
        request = yield from ground.request(path, everything=True)
    except CannotTell:
        request = yield from ground.request(path)
    return own.current(contract, operation, request) if own else request


@dataclass(frozen=True, slots=True)
class _Own:
    """A thing of the case's own tenant, as it was read."""

    subject: Subject
    read: Exchange | None

    def current(self, contract: Contract, operation: Operation, request: Request) -> Request:
        forms = precondition.forms(contract, operation, self.subject.resource)
        return precondition.current(request, forms, self.read or self.subject.made)


def _own(stage: Stage, operation: Operation, resource: Resource, caller: Identity, step: str) -> Steps[_Own]:
    """A thing of the tenant's own, the caller's where only its maker may be let in."""
    owned = stage.contract.promise("owner", operation)
    free = bool(owned) and bool(set(owned.get("roles", ())) & set(caller.roles))
    create = stage.contract.by_id.get(resource.create)
    itself = bool(owned) and subjects.is_self(stage.contract, resource)
    makes = itself or (create is not None and subjects.may(stage.contract, create, caller))
    subject = yield from subjects.made(stage, resource, caller if makes and not free else None)
    return _Own(subject, (yield from subjects.read(stage, subject, step)))


def _listed(ground: _Ground) -> Steps[None]:
    """A list that shows the plant at home, asked in the same words elsewhere right after, while it may be kept."""
    contract, operation = ground.away.contract, ground.operation
    resource = contract.resource_of(operation.id)
    subject = None
    if resource is not None and resource.create:
        subject = yield from planted(ground.home, resource)
    elif resource is None:
        yield from written(ground.home, operation)
    maker = subject.owner if subject and subjects.may(contract, operation, subject.owner) else None
    at_home = maker or (yield from privileged(ground.home, operation))
    shown = variants(contract, operation, ground.home.nonce, subject) if subject else variants(contract, operation)
    for variant in shown:
        for stage, identity, step in ((ground.home, at_home, HOME), (ground.away, ground.caller, AWAY)):
            request = yield from things.valid(stage, operation, identity=identity, step=f"{step}:{variant.name}")
            yield from one(replace(request, query=(*request.query, *variant.query)))


def _telling(ground: _Ground, told: Mapping[str, Any], home: Stage) -> Steps[None]:
    """One request with credentials of another tenant, to a tenant that is not there, and told in every place."""
    stage, operation, caller = ground.away, ground.operation, ground.caller
    target = subjects.acted_on(stage.contract, operation)
    own = None
    if target is not None:
        own = yield from _own(stage, operation, target[0], caller, f"{BEFORE}:{OTHER}")
    path = subjects.path_of(stage.contract, operation, own.subject) if own else {}
    request = yield from things.valid(stage, operation, identity=caller, path=path)
    request = own.current(stage.contract, operation, request) if own else request
    if telling.places(told):
        stranger = yield from _caller(home, operation)
        if stranger.headers and (operation.secured or "other" in told):
            yield from _as_stranger(stage, request, replace(stranger, name=f"{stranger.name} of {home.tenant}"), own)
        if "unknown" in told:
            nobody = stage.elsewhere(f"nowhere-{stage.nonce[-8:]}").anonymous()
            for step in UNKNOWN:
                yield from one(replace(telling.by(stage, request, nobody), step=step))
    if operation.reads and not operation.streams:
        yield from _places(stage, told, request, home)


def _as_stranger(stage: Stage, request: Request, stranger: Identity, own: _Own | None) -> Steps[None]:
    """The request with credentials of the other tenant."""
    moved = stage.actors.moved(stranger, stage.tenant)
    yield from one(replace(telling.by(stage, request, moved), step=OTHER))
    before = subjects.shown(own.read) if own else None
    if own is None or before is None:
        return
    after = yield from subjects.read(stage, own.subject, f"{AFTER}:{OTHER}")
    if subjects.changes(before, subjects.shown(after)):
        yield from subjects.read(stage, own.subject, f"{AGAIN}:{OTHER}")


def _places(stage: Stage, told: Mapping[str, Any], request: Request, home: Stage) -> Steps[None]:
    """Each place by itself, and two at once that disagree, with credentials of either tenant."""
    known = telling.places(told)
    yield from one(replace(request, step=OWN))
    for place in known:
        alone = telling.told(stage, request, request.identity, [(place, stage.tenant)])
        yield from one(replace(alone, step=f"{PLACE}:{telling.name_of(place)}"))
    if "conflict" not in told:
        return
    stranger = yield from privileged(home, stage.contract.by_id[request.operation])
    for first, second in permutations(known, 2):
        if told["conflict"] == FIRST and known.index(first) > known.index(second):
            continue
        tenants = [(first, stage.tenant), (second, home.tenant)]
        label = f"{telling.name_of(first)} and {telling.name_of(second)}"
        both = telling.told(stage, request, request.identity, tenants)
        yield from one(replace(both, step=f"{PAIR}:{label}"))
        if told["conflict"] == FIRST and stranger.headers and "other" in told:
            theirs = replace(stranger, name=f"{stranger.name} of {home.tenant}", tenant=home.tenant)
            swapped = telling.told(stage, request, theirs, tenants)
            yield from one(replace(swapped, step=f"{SWAP}:{label}"))
