"""What lies under one thing is not found under another of its kind (RESTler's resource hierarchy)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case import one
from harness.errors import CannotTell
from harness.finding import Finding, Severity
from harness.promises import subject as subjects
from harness.promises.resource.steps import first, step, succeeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Steps
    from harness.contract import Operation, Resource
    from harness.exchange import Exchange
    from harness.stage import Stage

NEAR, FAR = "near", "far"
TWO = 2


def nested(operation: Operation, resource: Resource) -> bool:
    """Whether the operation reads a declared thing whose path names what it lies under too."""
    return resource.declared and operation.id == resource.read and len(operation.path_parameters) >= TWO


def under_another(operation: Operation, resource: Resource, stage: Stage) -> Steps[None]:
    """Two things under a parent each; the first is read under its own parent, and under the other's."""
    stage.familiar = stage.actors.company()
    subject = yield from subjects.made(stage, resource)
    other = yield from subjects.made(stage, resource, subject.owner)
    if not subject.path or any(other.path.get(name) == value for name, value in subject.path.items()):
        raise CannotTell(f"{operation.id}: no two {resource.name} under different parents can be made")
    yield from subjects.read(stage, subject, step(NEAR))
    path = {**subjects.path_of(stage.contract, operation, subject), **other.path}
    yield from one(stage.request(operation.id, path=path, identity=subject.owner, step=step(FAR)))


def judged(operation: Operation, exchanges: Sequence[Exchange]) -> tuple[int, tuple[Finding, ...]]:
    """How many were told apart, and the finding where the other parent shows the thing."""
    near, far = first(exchanges, NEAR), first(exchanges, FAR)
    if near is None or far is None or not succeeded(near) or not far.status or far.status >= 500:  # noqa: PLR2004 - the class of status
        return 0, ()
    if not succeeded(far) or subjects.shown(far) != subjects.shown(near):
        return 1, ()
    finding = Finding(
        "resource.hierarchy",
        f"{operation.id} shows a thing under a parent that is not its own",
        Severity.MEDIUM,
        operation.id,
        promised="What lies under one thing is not found under another.",
        seen=f"{near.request.path} and {far.request.path} were both answered {far.status}, with the same thing.",
        witnesses=(near.id, far.id),
    )
    return 1, (finding,)
