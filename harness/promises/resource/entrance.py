"""Operations that make a thing of a resource beside its create, such as a sign-up, which makes a user."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.contract import Contract, Operation, Resource

CREATED = "201"


def entered(contract: Contract, operation: Operation) -> Resource | None:
    """The resource of which the operation makes one, with the operation as its create; None where nothing tells it.

    It is told by the answer: 201, with the named schema that the create or the read of one resource answers.
    """
    answer = operation.success()
    aside = operation.method != "POST" or operation.path_parameters or operation.json_body() is None
    if aside or answer is None or answer.status != CREATED or contract.resource_of(operation.id) is not None:
        return None
    shown = set(_named(operation))
    found = [resource for resource in contract.resources if shown & set(_answered(contract, resource))]
    return replace(found[0], create=operation.id) if len(found) == 1 else None


def _answered(contract: Contract, resource: Resource) -> Iterator[str]:
    for name in (resource.create, resource.read):
        if name in contract.by_id:
            yield from _named(contract.by_id[name])


def _named(operation: Operation) -> Iterator[str]:
    """Where the schemas of an answer stand that the document has by name; one in its place is nobody else's."""
    answer = operation.success()
    for body in answer.bodies if answer else ():
        if body.pointer and not body.pointer.startswith("/paths/"):
            yield body.pointer
