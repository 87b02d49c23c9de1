"""The promise `owner`: who beside its owner may act on a thing, and what a stranger gets.

A stranger is another identity in the owner's own role, so that only ownership tells the two apart. Where strangers get
404 a thing that exists answers as one that does not. A role that is not told to act beside the owner is a stranger too,
however much else it may; as it may see the thing, either refusal is right for it, as it is where all may see a thing.
Source: OWASP API Security Top 10 2023, API1 (broken object level authorization).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, one
from harness.cell import LET_IN, Cell
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.promises import acting, planting, precondition
from harness.promises import subject as subjects
from harness.promises.alike import differences, unlike
from harness.promises.attempt import MAY, MAY_NOT, Attempt, attempt, attempts, each, seen_as
from harness.promises.promise import Promise
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation, Resource
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.stage import Stage

KEY = "owner"
OWNER, STRANGER, MADE_UP, VALID = "owner", "stranger", "made-up", "valid"
VIEWER, SHOWN = f"{STRANGER} who sees it", "shown"
STALE = "0"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "resource": {"type": "string", "minLength": 1},
        "roles": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True},
        "stranger": {"enum": [403, 404]},
        "self": {"type": "boolean"},
    },
    "required": ["resource"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says whose things it acts on."""
    return contract.promise(KEY, operation) is not None


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case: the owner, each role that may beside it, a stranger and any other role, each at a fresh thing."""
    told = contract.promise(KEY, operation)
    return (Case(KEY, operation.id, "matrix", partial(_steps, operation, told)),)


def _steps(operation: Operation, told: Mapping[str, Any], stage: Stage) -> Steps[None]:
    resource = stage.contract.resource(told["resource"])
    if resource is None:
        raise CannotTell(f"there is no resource {told['resource']!r}; declare it under x-promises.resource")
    stage.familiar = stage.actors.company()
    privileged, tried = tuple(told.get("roles", ())), set[str]()
    parts = [_as_stranger(stage, operation, told, resource, tried), _as_owner(stage, operation, told, resource)]
    parts += [_as_role(stage, operation, resource, role) for role in privileged]
    others = [role for role in stage.actors.roles if role not in privileged]
    parts += [_as_another(stage, operation, told, resource, role, tried) for role in others]
    shows = planting.brings(stage.contract, resource)
    if shows and operation.id not in shows and not operation.reads and resource.read in stage.contract.by_id:
        parts.append(_as_viewer(stage, operation, told, resource, shows))
    yield from each(parts)


def _as_owner(stage: Stage, operation: Operation, told: Mapping[str, Any], resource: Resource) -> Steps[None]:
    if told.get("self"):
        subject = subjects.itself(stage, resource, (yield from stage.actors.with_role(stage)))
    else:
        subject = yield from subjects.made(stage, resource)
    if subjects.may(stage.contract, operation, subject.owner):
        yield from attempt(stage, operation, subject=subject, identity=subject.owner, step=f"{MAY}:{OWNER}")


def _as_role(stage: Stage, operation: Operation, resource: Resource, role: str) -> Steps[None]:
    subject = yield from subjects.made(stage, resource)
    identity = yield from stage.actors.with_role(stage, role)
    if identity.name == subject.owner.name:
        identity = yield from stage.actors.known(stage, role, other_than=(subject.owner,))
    if subjects.may(stage.contract, operation, identity):
        yield from attempt(stage, operation, subject=subject, identity=identity, step=f"{MAY}:{role}")


def _as_another(
    stage: Stage, operation: Operation, told: Mapping[str, Any], resource: Resource, role: str, tried: set[str]
) -> Steps[None]:
    """One of a role that has no right over others' things and was not `tried` yet, where the role gate lets it pass."""
    if role in tried:
        return
    identity = yield from things.in_role(stage, role)
    if set(told.get("roles", ())) & set(identity.roles) or not subjects.may(stage.contract, operation, identity):
        return
    tried |= set(identity.roles)
    subject = yield from subjects.made(stage, resource)
    if identity.name == subject.owner.name:
        identity = yield from stage.actors.known(stage, role, other_than=(subject.owner,))
    label = f"{STRANGER} {role}"
    yield from attempt(stage, operation, subject=subject, identity=identity, step=f"{MAY_NOT}:{label}")


def _as_stranger(
    stage: Stage, operation: Operation, told: Mapping[str, Any], resource: Resource, tried: set[str]
) -> Steps[None]:
    """A stranger at the thing; where it gets 404, between two of its calls that name nothing, valid ones and not."""
    subject = yield from subjects.made(stage, resource)
    stranger = yield from _stranger(stage, operation, told, subject.owner)
    tried |= set(stranger.roles)
    if told.get("stranger", FORBIDDEN) != NOT_FOUND:
        yield from attempt(stage, operation, subject=subject, identity=stranger, step=f"{MAY_NOT}:{STRANGER}")
        return
    absent = [replace(subject, id=unlike(subject.id, stage.random)) for _ in range(2)]
    paths = [subjects.path_of(stage.contract, operation, one_of) for one_of in (absent[0], subject, absent[1])]
    request = yield from things.valid(stage, operation, identity=stranger, path=paths[1])
    named = [replace(request, path=stage.request(operation.id, path=path, identity=stranger).path) for path in paths]
    yield from one(replace(named[0], step=f"{MADE_UP}-1:valid"))
    yield from attempt(stage, operation, subject=subject, identity=stranger, step=f"{MAY_NOT}:{STRANGER}")
    yield from one(replace(named[2], step=f"{MADE_UP}-2:valid"))
    for name, changed in _wrong(stage, operation, resource, request):
        for step, path in zip((f"{MADE_UP}-1", STRANGER, f"{MADE_UP}-2"), named, strict=True):
            yield from one(replace(changed, path=path.path, step=f"{step}:{name}"))


def _wrong(stage: Stage, operation: Operation, resource: Resource, request: Request) -> Iterator[tuple[str, Request]]:
    """The request with what is refused of an own thing: whoever is told so of another's knows that it is there."""
    forms = precondition.forms(stage.contract, operation, resource)
    if forms:
        yield "no version", precondition.bare(request, forms)
        yield "another version", precondition.with_version(precondition.bare(request, forms), forms[0], STALE)
    if operation.json_body() is not None:
        yield "no object", precondition.with_body(request, [])
        yield "an unknown member", precondition.with_body(request, {f"x-{stage.nonce}": stage.nonce})


def _as_viewer(
    stage: Stage, operation: Operation, told: Mapping[str, Any], resource: Resource, shows: Sequence[str]
) -> Steps[None]:
    """A stranger at a thing that was brought where it sees it, as a publish does: to see it is not to change it."""
    subject = yield from subjects.made(stage, resource)
    for name in shows:
        yield from acting.brought(stage, stage.contract.by_id[name], subject, f"{SHOWN} {name}")
    stranger = yield from _stranger(stage, operation, told, subject.owner)
    read = stage.contract.by_id[resource.read]
    path = subjects.path_of(stage.contract, read, subject)
    seen = yield from one((yield from things.valid(stage, read, identity=stranger, path=path, step=f"{SHOWN} to all")))
    if seen.outcome is Outcome.OK:
        yield from attempt(stage, operation, subject=subject, identity=stranger, step=f"{MAY_NOT}:{VIEWER}")


def _stranger(stage: Stage, operation: Operation, told: Mapping[str, Any], owner: Identity) -> Steps[Identity]:
    """Another identity in a role that passes the role gate and has no privilege; the owner's own role goes first."""
    privileged = set(told.get("roles", ()))
    for role in dict.fromkeys((*owner.roles, "")):
        if role in privileged:
            continue
        identity = yield from stage.actors.with_role(stage, role)
        if identity.name == owner.name:
            identity = yield from stage.actors.known(stage, role, other_than=(owner,))
        if not privileged & set(identity.roles) and subjects.may(stage.contract, operation, identity):
            return identity
    raise CannotTell(f"no stranger can be had who may call {operation.id} but for the owner's right")


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Owner and privileged roles are let in; the stranger is not, in the promised way, and changed nothing."""
    told = contract.promise(KEY, operation) or {"resource": ""}
    wanted = told.get("stranger", FORBIDDEN)
    findings: list[Finding] = []
    reasons: list[str] = []
    cells: list[Cell] = []
    examined = 0
    for tried in attempts(exchanges):
        column = STRANGER if tried.expected == MAY_NOT else tried.label
        expected = LET_IN if tried.expected == MAY else str(wanted)
        if tried.unanswered:
            reasons.append(tried.unanswered)
            cells.append(Cell(column, expected, reason=tried.unanswered))
            continue
        if tried.call.status == UNAUTHORIZED and tried.label != STRANGER:
            reasons.append(f"{tried.label}: {operation.id} answered 401, so the credentials had ended")
            continue
        if tried.expected == MAY_NOT and not tried.let_in and not tried.gated:
            reasons.append(f"the stranger was refused with {tried.call.status}, for the body or for whose the thing is")
            continue
        examined += 1
        found = _turned_away(operation, tried) if tried.expected == MAY else _let_in(operation, tried, wanted)
        if found is not None and tried.label == VIEWER:
            shown = (item.id for item in exchanges if item.request.step.startswith(f"{SHOWN} "))
            found = replace(found, witnesses=(*shown, *found.witnesses))
        if found is not None and any((item.code, item.kind) == (found.code, STRANGER) for item in findings):
            found = None  # whoever it is, which the finding of the stranger tells
        cells.append(replace(seen_as(tried, expected, found), identity=column))
        findings += [found] if found is not None else []
    leak = _leak(operation, exchanges) if wanted == NOT_FOUND else None
    findings += [leak] if leak is not None else []
    return Verdict(KEY, operation.id, examined, tuple(findings), "; ".join(reasons), cells=tuple(cells))


def _turned_away(operation: Operation, tried: Attempt) -> Finding | None:
    """A finding where the owner or a privileged role is refused a thing that the owner can read."""
    status = tried.call.status
    missed = status == NOT_FOUND and subjects.shown(tried.before) is not None
    if status != FORBIDDEN and not missed:
        return None
    own = tried.label == OWNER
    return Finding(
        "owner.owner-refused" if own else "owner.role-refused",
        f"{operation.id} turns away {'the owner' if own else tried.label}",
        Severity.HIGH,
        operation.id,
        kind=tried.label,
        promised=f"{'The owner' if own else tried.label} may call {operation.id}.",
        seen=f"{'The owner' if own else tried.label} was answered {status}.",
        witnesses=tried.witnesses,
    )


def _let_in(operation: Operation, tried: Attempt, wanted: int) -> Finding | None:
    status, own = tried.call.status, tried.label == STRANGER  # in the owner's own role
    seen = f"A stranger in the role {' and '.join(tried.call.request.identity.roles) or 'none'} was answered {status}"
    if tried.let_in:
        code, title, severity = (
            "owner.stranger-allowed",
            "lets a stranger in",
            Severity.CRITICAL if own else Severity.HIGH,
        )
    elif tried.effect and tried.label != VIEWER:  # what was brought into view may go on changing by itself
        code, title, severity = "owner.effect", "refuses a stranger and acts all the same", Severity.HIGH
        seen = f"{seen}; afterwards {tried.effect}"
    elif status != wanted and own:
        code, title = "owner.status", "refuses a stranger otherwise than promised"
        severity = Severity.MEDIUM if wanted == NOT_FOUND else Severity.LOW
    else:
        return None
    return Finding(
        code,
        f"{operation.id} {title}",
        severity,
        operation.id,
        kind=tried.label,
        promised=f"Another's thing answers {wanted} to {operation.id}.",
        seen=f"{seen}.",
        witnesses=tried.witnesses,
    )


def _leak(operation: Operation, exchanges: Sequence[Exchange]) -> Finding | None:
    """A finding for the first way in which another's thing is told from what does not exist."""
    steps = {exchange.request.step: exchange for exchange in exchanges}
    valid_call = steps.get(f"{MAY_NOT}:{STRANGER}")
    if valid_call is None or valid_call.status != NOT_FOUND:
        return None  # told as another status than promised, or nothing is known
    for step, one_call in steps.items():
        head, _, name = step.partition(":")
        if head != f"{MADE_UP}-1":
            continue
        real = valid_call if name == VALID else steps.get(f"{STRANGER}:{name}")
        other = steps.get(f"{MADE_UP}-2:{name}")
        told = differences(real, one_call, other) if real and other else None
        if not told or real is None or other is None or real.outcome is Outcome.OK:
            continue
        how = "" if name == VALID else f" by a request with {name}"
        return Finding(
            "owner.status",
            f"{operation.id} tells a stranger which things exist{how}",
            Severity.MEDIUM,
            operation.id,
            kind="existence",
            promised="What a stranger may not see answers as what does not exist: status, body and headers.",
            seen=f"Another's thing was answered {real.status}, made-up ids {one_call.status}; {'; '.join(told)}.",
            witnesses=(one_call.id, real.id, other.id),
        )
    return None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, on_document=False)
