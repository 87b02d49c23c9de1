"""The promise `roles`: who may call an operation. Every role is tried, allowed or not; a refused call changed nothing.

Where an operation also has an owner, each identity acts on what is its own, so that only the role gate decides.
Source: OWASP API Security Top 10 2023, API5 (broken function level authorization) and API2 (broken authentication).
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case
from harness.cell import LET_IN, Cell
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.identities import ANONYMOUS, CREDENTIALS, GIVEN
from harness.mask import is_secret_name
from harness.promises import subject as subjects
from harness.promises import survey
from harness.promises.attempt import MAY, MAY_NOT, Attempt, attempt, attempts, each, seen_as
from harness.promises.promise import Promise
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.identities import Identity
    from harness.stage import Stage

KEY = "roles"
SIGNED_IN, ANYONE, EVERY = "signed-in", "anyone", "every role"
UNAUTHORIZED, FORBIDDEN = 401, 403
ENDS_SESSION = re.compile(r"log-?out|sign-?out|revoke|session", re.IGNORECASE)
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "allow": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "uniqueItems": True},
        "anonymous": {"enum": [401, 403, 404]},
        "refused": {"enum": [401, 403, 404]},
    },
    "required": ["allow"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether roles are promised, or the document at least asks for an identity."""
    return bool(promised(contract, operation))


def promised(contract: Contract, operation: Operation) -> Mapping[str, Any]:
    """What is promised; where only `security` is declared, that somebody must be signed in; empty where nothing is."""
    told: Mapping[str, Any] | None = contract.promise(KEY, operation)
    if told:
        return told
    off = operation.promises.get(KEY) is False or contract.defaults.get(KEY) is False
    return {"allow": [SIGNED_IN]} if operation.secured and not operation.optional_security and not off else {}


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case: every role at the operation."""
    return (Case(KEY, operation.id, "matrix", partial(_steps, operation, promised(contract, operation))),)


def _steps(operation: Operation, told: Mapping[str, Any], stage: Stage) -> Steps[None]:
    """Nobody first, as that needs no identity of its own, then every role that can be had."""
    declared = bool(stage.contract.promise(KEY, operation))
    tried: set[str] = set()
    stage.familiar = stage.actors.company()
    parts = [_try(stage, operation, told, role, tried) for role in labels(stage, declared=declared)]
    if declared and not {SIGNED_IN, ANYONE} & set(told["allow"]) and stage.actors.can_grant_several:
        parts.append(_several(stage, operation))
    yield from each(parts)


def _several(stage: Stage, operation: Operation) -> Steps[None]:
    """Who has every role at once may do what any of them may."""
    identity = yield from stage.actors.with_every_role(stage)
    yield from _once(stage, operation, identity, EVERY, allowed=subjects.may(stage.contract, operation, identity))


def labels(stage: Stage, *, declared: bool) -> Iterator[str]:
    """Nobody; and where roles are declared, who has none but the default one, and every other role."""
    yield ANONYMOUS.name
    if not declared:
        return
    default = stage.actors.told.get("default_role", "")
    yield default or SIGNED_IN
    yield from (role for role in stage.actors.roles if role != default)


def _try(stage: Stage, operation: Operation, told: Mapping[str, Any], role: str, tried: set[str]) -> Steps[None]:
    if role == ANONYMOUS.name:
        identity = stage.anonymous()
        allowed = ANYONE in told["allow"]
    else:
        identity = yield from in_role(stage, operation, role)
        if identity.name in tried:
            return  # a known identity that has this role too
        tried.add(identity.name)
        allowed = subjects.may(stage.contract, operation, identity)
        default = stage.actors.told.get("default_role", "")
        if not allowed and role != default and default in told["allow"]:
            return  # a role given beside the default one does not take it away
    if allowed and ENDS_SESSION.search(operation.path) and not stage.actors.can_register and identity.headers:
        raise CannotTell(f"{operation.id} would end the session of {identity.name}, which other cases need")
    call = yield from _once(stage, operation, identity, role, allowed=allowed)
    if call is not None and call.status == UNAUTHORIZED and allowed and role != ANONYMOUS.name:
        stage.actors.forget(identity)
        anew = yield from stage.actors.with_role(stage, role)
        yield from _once(stage, operation, anew, role, allowed=allowed)


def in_role(stage: Stage, operation: Operation, role: str) -> Steps[Identity]:
    """An identity in a role: one that other cases know too where the operation leaves its caller as it is."""
    owned = stage.contract.promise("owner", operation) or {}
    if owned.get("self") or survey.may_change_caller(operation) or ENDS_SESSION.search(operation.path):
        return (yield from stage.actors.with_role(stage, role))
    return (yield from things.in_role(stage, role))


def _once(
    stage: Stage, operation: Operation, identity: Identity, role: str, *, allowed: bool
) -> Steps[Exchange | None]:
    """One attempt; None where it would not be the role gate that decides."""
    target = subjects.acted_on(stage.contract, operation)
    subject = None
    if target is not None and allowed:
        subject = yield from subjects.own(stage, operation, target[0], identity)
        if subject is None:
            return None
    elif target is not None:
        subject = yield from subjects.made(stage, target[0])
    step = f"{MAY if allowed else MAY_NOT}:{role}"
    return (yield from attempt(stage, operation, subject=subject, identity=identity, step=step))


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Each attempt against what is promised for its role."""
    told = promised(contract, operation)
    declared = bool(contract.promise(KEY, operation))
    findings: list[Finding] = []
    reasons: list[str] = []
    cells: list[Cell] = []
    examined = 0
    for tried in attempts(exchanges):
        wanted = LET_IN if tried.expected == MAY else str(refusal(told, tried.label))
        finding = None
        reason = tried.unanswered
        if not reason and tried.expected == MAY and _doubtful(contract, tried.call, exchanges):
            name = tried.call.request.identity.name
            reason = f"{tried.label}: answered 401, and nothing shows that the credentials given for {name} work"
        elif not reason and tried.expected == MAY:
            finding = _refused(operation, told, tried)
        elif not reason:
            finding = _passed(operation, told, tried, declared=declared)
            if finding is None and not tried.gated:
                reason = f"{tried.label}: refused with {tried.call.status}, for the body or for the role"
        if reason:
            reasons.append(reason)
            cells.append(Cell(tried.label, wanted, str(tried.call.status or ""), reason=reason))
            continue
        examined += 1
        cells.append(seen_as(tried, wanted, finding))
        findings += [finding] if finding is not None else []
    return Verdict(KEY, operation.id, examined, tuple(findings), "; ".join(reasons), cells=tuple(cells))


def refusal(told: Mapping[str, Any], label: str) -> int:
    """The status that one who may not is promised."""
    nobody = label == ANONYMOUS.name
    status: int = told.get("anonymous", UNAUTHORIZED) if nobody else told.get("refused", FORBIDDEN)
    return status


def _doubtful(contract: Contract, call: Exchange, exchanges: Sequence[Exchange]) -> bool:
    """Whether a 401 may mean that a token or key given from outside is not valid: no call with it has passed."""
    who = call.request.identity
    if call.status != UNAUTHORIZED or who.facts.get(CREDENTIALS) != GIVEN:
        return False
    own = [item for item in exchanges if item.request.identity.name == who.name and item.outcome is Outcome.OK]
    return not any(contract.by_id[item.operation].secured for item in own if item.operation in contract.by_id)


def _refused(operation: Operation, told: Mapping[str, Any], tried: Attempt) -> Finding | None:
    """A finding where one that may was turned away; a login refused for the secret it was sent is none."""
    status = tried.call.status
    if status not in {UNAUTHORIZED, FORBIDDEN}:
        return None
    if ANYONE in told["allow"] and _holds_secret(tried.call.request.json()):
        return None
    return Finding(
        "roles.role-refused",
        f"{tried.label} may call {operation.id} and is turned away",
        Severity.HIGH,
        operation.id,
        kind=tried.label,
        promised=f"{operation.id} is for {', '.join(told['allow'])}.",
        seen=f"{tried.label} was answered {status}.",
        witnesses=tried.witnesses,
    )


def _passed(operation: Operation, told: Mapping[str, Any], tried: Attempt, *, declared: bool) -> Finding | None:
    """A finding where one that may not was let in, was refused otherwise than promised, or changed something."""
    status = tried.call.status
    nobody = tried.label == ANONYMOUS.name
    wanted = refusal(told, tried.label)
    promised = f"{operation.id} is for {', '.join(told['allow'])}; {tried.label} gets {wanted}."
    if tried.let_in:
        code = "roles.anonymous-allowed" if nobody else "roles.role-allowed"
        title = f"{tried.label} may not call {operation.id} and is let in"
        severity, seen = Severity.CRITICAL if nobody else Severity.HIGH, f"{tried.label} was answered {status}."
    elif tried.effect:
        code, title = "roles.effect", f"{operation.id} refuses {tried.label} and acts all the same"
        severity, seen = Severity.HIGH, f"{tried.label} was answered {status}; afterwards {tried.effect}."
    elif declared and tried.gated and status != wanted:
        code, title = "roles.status", f"{operation.id} refuses {tried.label} otherwise than promised"
        severity, seen = Severity.LOW, f"{tried.label} was answered {status}."
    else:
        return None
    return Finding(
        code, title, severity, operation.id, kind=tried.label, promised=promised, seen=seen, witnesses=tried.witnesses
    )


def _holds_secret(body: Any) -> bool:
    return isinstance(body, dict) and any(is_secret_name(name) for name in body)


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases)
