"""The thing that an operation acts upon: made fresh for a case, named in paths, read back, and compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import things
from harness.actors import SETUP
from harness.case import Steps, one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange
    from harness.identities import Identity
    from harness.stage import Stage


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing and its owner. `path` holds the values that its create's path had, for operations that nest alike."""

    resource: Resource
    id: str
    owner: Identity
    path: Mapping[str, str] = field(default_factory=dict)
    made: Exchange | None = None
    sent: Any = None


def acted_on(contract: Contract, operation: Operation) -> tuple[Resource, str] | None:
    """The resource that an operation acts upon, and the path parameter that names the thing; None where none is."""
    parameters = operation.path_parameters
    if not parameters:
        return None
    owner, version = contract.promise("owner", operation), contract.promise("version", operation)
    told = (owner or version or {}).get("resource", "")
    resource = contract.resource(told) if told else contract.resource_of(operation.id)
    if resource is not None and operation.id not in {resource.create, resource.list}:
        return resource, _parameter(contract, operation, resource)
    last = parameters[-1].name
    found = things.named(contract, _segment_before(operation, last)) or things.referred(contract, last)
    return (found, last) if found is not None else None


def _parameter(contract: Contract, operation: Operation, resource: Resource) -> str:
    names = [parameter.name for parameter in operation.path_parameters]
    if operation.id not in resource.operations:
        for name in names:
            near = things.named(contract, _segment_before(operation, name)) or things.referred(contract, name)
            if near is resource:
                return name
    return names[-1]


def _segment_before(operation: Operation, name: str) -> str:
    segments = operation.path.split("/")
    return segments[max(0, segments.index(f"{{{name}}}") - 1)] if f"{{{name}}}" in segments else ""


def may(contract: Contract, operation: Operation, identity: Identity) -> bool:
    """Whether the role gate lets an identity pass, as far as the contract tells."""
    roles = contract.promise("roles", operation)
    signed_in = identity.name != "anonymous"
    if not roles:
        return signed_in or not operation.secured or operation.optional_security
    allowed = set(roles["allow"])
    return "anyone" in allowed or (signed_in and ("signed-in" in allowed or bool(allowed & set(identity.roles))))


def is_self(contract: Contract, resource: Resource) -> bool:
    """Whether a thing of the resource is an identity, which owns itself."""
    told = (contract.promise("owner", operation) for operation in contract.operations)
    return any(owner and owner["resource"] == resource.name and owner.get("self") for owner in told)


def made(
    stage: Stage, resource: Resource, owner: Identity | None = None, members: Mapping[str, Any] | None = None
) -> Steps[Subject]:
    """A fresh thing of the owner's, or of an identity that may make one; where it is an identity, one registered."""
    if is_self(stage.contract, resource) and (stage.actors.can_register or not resource.create):
        return itself(stage, resource, owner if owner is not None else (yield from stage.actors.with_role(stage)))
    thing = yield from things.make(stage, resource, maker=owner, members=members)
    return of_thing(stage.contract, thing)


def own(stage: Stage, operation: Operation, resource: Resource, identity: Identity) -> Steps[Subject | None]:
    """A thing that the identity may act on if the role gate lets it pass; None where the owner's gate would decide."""
    create = stage.contract.by_id.get(resource.create)
    if is_self(stage.contract, resource):
        owned = stage.contract.promise("owner", operation) and identity.name != "anonymous"
        return (yield from made(stage, resource, identity if owned else None))
    if create is not None and may(stage.contract, create, identity):
        return (yield from made(stage, resource, identity))
    if stage.contract.promise("owner", operation):
        return None
    return (yield from made(stage, resource))


def of_thing(contract: Contract, thing: things.Thing) -> Subject:
    """The subject that a made thing is."""
    create = contract.by_id[thing.resource.create]
    path = _path_values(create.path, thing.exchange.request.path)
    return Subject(thing.resource, thing.id, thing.maker, path, thing.exchange, thing.sent)


def itself(stage: Stage, resource: Resource, identity: Identity) -> Subject:
    """The identity as a thing; raises CannotTell where its id is not known or it is not one to be spent."""
    if not stage.actors.can_register:
        raise CannotTell(f"a {resource.name} is an identity, and no fresh one can be had; tell identities.register")
    if not identity.id:
        raise CannotTell(f"the id of a registered {resource.name} is not known; tell it as identities.*.facts.id")
    return Subject(resource, identity.id, identity)


def path_of(contract: Contract, operation: Operation, subject: Subject) -> dict[str, str]:
    """The path values by which an operation names the subject."""
    values = {item.name: subject.path[item.name] for item in operation.path_parameters if item.name in subject.path}
    return {**values, _parameter(contract, operation, subject.resource): subject.id}


def read(stage: Stage, subject: Subject, step: str = SETUP) -> Steps[Exchange | None]:
    """The subject as its owner reads it, or one that may where the owner may not; None where it cannot be read."""
    operation = stage.contract.by_id.get(subject.resource.read)
    if operation is None:
        return None
    reader = subject.owner
    if not may(stage.contract, operation, reader):
        reader = yield from things.identity_for(stage, operation)
    path = path_of(stage.contract, operation, subject)
    request = yield from things.valid(stage, operation, identity=reader, path=path, step=step)
    return (yield from one(request))


def shown(exchange: Exchange | None) -> Any:
    """The JSON body of a successful answer; None where there is none."""
    if exchange is None or exchange.response is None or exchange.outcome is not Outcome.OK:
        return None
    return exchange.response.json()


def changes(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    """The places where two JSON values differ, each with both values; MISSING where one has none."""
    old, new = dict(pointer.leaves(before)), dict(pointer.leaves(after))
    return {
        place: (old.get(place, pointer.MISSING), new.get(place, pointer.MISSING))
        for place in dict.fromkeys((*old, *new))
        if old.get(place, pointer.MISSING) != new.get(place, pointer.MISSING)
    }


def lasting(before: Any, after: Any, again: Any) -> list[str]:
    """The places that changed from before to after and then kept still: not those that change with every read."""
    restless = changes(after, again)
    return [place for place in changes(before, after) if place not in restless]


def _path_values(template: str, concrete: str) -> dict[str, str]:
    parts = re.split(r"\{([^{}]+)\}", template)
    pattern = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    match = re.search(rf"{pattern}\Z", concrete)  # a tenant may stand before it
    return dict(zip(parts[1::2], match.groups(), strict=True)) if match else {}
