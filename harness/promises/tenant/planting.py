"""What is planted in one tenant and looked for in another, and the ways in which an operation may name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.promises import subject as subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

PLANT = "plant"
SIZE = re.compile(r"^(limit|size|per_?page|page_?size|count|take|top)$", re.IGNORECASE)
TEXT = re.compile(r"search|query|filter|text|name|title|term|^q$|like|contains", re.IGNORECASE)
ID = re.compile(r"^ids?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to ask a list; `query` are the parameters beside the required ones."""

    name: str
    query: tuple[tuple[str, str], ...] = ()


def planted(stage: Stage, resource: Resource) -> Steps[Subject]:
    """A fresh thing with the case's mark in every text that can be written, or a marked identity; read back once."""
    step = f"{PLANT}:{stage.nonce}"
    if subjects.is_self(stage.contract, resource) and stage.actors.can_register:
        subject = yield from subjects.made(stage, resource)
    else:
        try:
            thing = yield from things.make(stage, resource, everything=True, step=step)
        except CannotTell:
            thing = yield from things.make(stage, resource, step=step)
        subject = subjects.of_thing(stage.contract, thing)
    yield from subjects.read(stage, subject, step)
    return subject


def written(stage: Stage, reading: Operation) -> Steps[None]:
    """The case's mark in what a tenant has one of, as its settings, where the path that reads it is written to too."""
    for operation in stage.contract.operations:
        if (
            operation.path == reading.path
            and operation.method in {"PUT", "PATCH"}
            and operation.json_body() is not None
        ):
            who = yield from privileged(stage, operation)
            step = f"{PLANT}:{stage.nonce}"
            yield from one((yield from things.valid(stage, operation, identity=who, step=step, everything=True)))
            return


def privileged(stage: Stage, operation: Operation) -> Steps[Identity]:
    """Who may call the operation and passes every owner's gate besides, where a role does; else one that may call."""
    contract = stage.contract
    owners = (contract.promise("owner", item) or {} for item in contract.operations)
    above = {role for owner in owners for role in owner.get("roles", ())}
    roles = contract.promise("roles", operation)
    allowed = set(roles["allow"]) if roles else {"signed-in"}
    for role in stage.actors.roles:
        if role in above and allowed & {role, "signed-in", "anyone"}:
            try:
                return (yield from things.in_role(stage, role))
            except CannotTell:
                break
    return (yield from things.identity_for(stage, operation))


def references(contract: Contract, operation: Operation, body: Any) -> Iterator[tuple[str, Resource]]:
    """The places of a body that name a thing, each with what it names: `productId`, `/ids/0` below /products."""
    for place, value in pointer.leaves(body):
        names = [token for token in pointer.tokens(place) if not token.isdigit()]
        if not names or isinstance(value, bool) or not isinstance(value, str | int):
            continue
        resource = things.referred(contract, names[-1])
        if resource is None and ID.match(names[-1]):
            near = (things.named(contract, segment) for segment in reversed(operation.path.split("/")) if segment)
            resource = next((found for found in near if found is not None), None)
        if resource is not None:
            yield place, resource


def variants(contract: Contract, operation: Operation, mark: str = "", subject: Subject | None = None) -> list[Variant]:
    """The ways to ask a list: as it is, with its largest page, with the mark in each text, by what the thing names."""
    found = [Variant("plain")]
    for parameter in operation.parameters:
        schema = contract.schema(parameter.schema)
        if parameter.place != "query" or parameter.required:
            continue
        if SIZE.match(parameter.name) and isinstance(schema.get("maximum"), int):
            found.append(Variant(parameter.name, ((parameter.name, str(schema["maximum"])),)))
        elif things.referred(contract, parameter.name) is not None:
            found += [
                Variant(parameter.name, ((parameter.name, str(value)),))
                for name, value in _members(subject)
                if name == parameter.name
            ]
        elif (
            mark
            and schema.get("type") == "string"
            and not {"enum", "format"} & set(schema)
            and TEXT.search(parameter.name)
        ):
            found.append(Variant(parameter.name, ((parameter.name, mark),)))
    return found


def _members(subject: Subject | None) -> Iterator[tuple[str, Any]]:
    """The members that were sent for the thing, by their names."""
    if subject is not None and isinstance(subject.sent, dict):
        yield from ((name, value) for name, value in subject.sent.items() if isinstance(value, str | int))
