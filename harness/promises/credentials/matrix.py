"""Every kind of credentials that do not hold, at one operation: each is refused, and none has an effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import things, void
from harness.case import one
from harness.cell import Cell, CellState
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.promises import precondition
from harness.promises import subject as subjects
from harness.promises.attempt import AFTER, AGAIN, BEFORE, Attempt, each
from harness.promises.credentials.steps import KEY
from harness.promises.tenant.planting import privileged
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.promises.subject import Subject
    from harness.stage import Stage

VOID, ALL = "void", "all"
UNAUTHORIZED, FORBIDDEN = 401, 403


def tried(operation: Operation, told: Mapping[str, Any] | None, stage: Stage) -> Steps[None]:
    """One request, valid but for its credentials, of each kind in turn; the thing before and after them all."""
    if stage.actors.tenants:
        stage = stage.elsewhere(stage.actors.tenants[0])  # what is made once for a tenant serves every case
    stage.familiar = stage.actors.company()
    valid = yield from _valid(stage, operation)
    target = subjects.acted_on(stage.contract, operation)
    subject = before = None
    if target is not None:
        subject = yield from subjects.made(stage, target[0])
        before = yield from subjects.read(stage, subject, f"{BEFORE}:{ALL}")
    path = subjects.path_of(stage.contract, operation, subject) if subject else None
    request = yield from things.valid(stage, operation, identity=valid, path=path)
    if subject is not None:
        forms = precondition.forms(stage.contract, operation, subject.resource)
        request = precondition.current(request, forms, before or subject.made)
    wanted = tuple(told.get("kinds", ())) if told else ()
    kinds = [kind for kind in void.kinds(stage.actors.told, wanted) if told or kind not in void.FORMS]
    yield from each([*(_try(stage, request, kind, valid) for kind in kinds), _look(stage, subject, before)])


def _valid(stage: Stage, operation: Operation) -> Steps[Identity]:
    """Who may call if the credentials hold; it never makes the call, so one serves every case."""
    kept = stage.actors.void
    if operation.secured or stage.actors.can_register:
        key = (stage.tenant, operation.id if stage.familiar is None else _gate(stage, operation), void.VALID, KEY)
        if key not in kept:
            kept[key] = yield from privileged(stage, operation)
        return kept[key]
    return (yield from stage.actors.with_role(stage))


def _gate(stage: Stage, operation: Operation) -> str:
    """What operations for the same roles have in common."""
    roles = stage.contract.promise("roles", operation)
    return " ".join(roles["allow"]) if roles else ""


def _try(stage: Stage, request: Request, kind: str, valid: Identity) -> Steps[None]:
    identity = yield from void.voided(stage, kind, valid)
    if identity is None:
        return
    exchange = yield from one(replace(request, identity=identity, step=f"{VOID}:{kind}"))
    if Attempt(kind, "", exchange).let_in:
        # It may have ended the session of which all that is kept was made.
        stage.actors.void.clear()
        if stage.familiar is not None:
            stage.familiar.clear()


def _look(stage: Stage, subject: Subject | None, before: Exchange | None) -> Steps[None]:
    if subject is None or subjects.shown(before) is None:
        return
    after = yield from subjects.read(stage, subject, f"{AFTER}:{ALL}")
    if subjects.changes(subjects.shown(before), subjects.shown(after)):
        yield from subjects.read(stage, subject, f"{AGAIN}:{ALL}")


def judged(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """No kind is let in, each is refused as promised, and none had an effect."""
    told = contract.promise(KEY, operation)
    steps = {exchange.request.step: exchange for exchange in exchanges}
    around = [steps.get(f"{word}:{ALL}") for word in (BEFORE, AFTER, AGAIN)]
    findings: list[Finding] = []
    reasons: list[str] = []
    cells: list[Cell] = []
    calls = [exchange for step, exchange in steps.items() if step.startswith(f"{VOID}:")]
    for call in calls:
        tried = Attempt(call.request.step.partition(":")[2], "", call)
        if tried.unanswered:
            reasons.append(tried.unanswered)
            continue
        found = _found(operation, told, tried)
        findings += [found] if found else []
        wanted = str(told["invalid"] if told else UNAUTHORIZED)
        state = CellState.BROKEN if found else CellState.HELD
        cells.append(Cell(_column(tried.label), wanted, str(call.status), state, found.seen if found else ""))
    refused = bool(calls) and all(call.outcome is Outcome.REFUSED for call in calls)
    effect = Attempt(ALL, "", calls[-1], *around).effect if refused else ""
    if effect:
        findings.append(_acted(operation, effect, [exchange for exchange in (*around, *calls) if exchange]))
    known = {cell.identity for cell in cells}
    cells += [Cell(_column(kind), str(UNAUTHORIZED)) for kind in void.TOLD_KINDS if _column(kind) not in known]
    return Verdict(KEY, operation.id, len(calls), tuple(findings), "; ".join(reasons), cells=tuple(cells))


def _column(kind: str) -> str:
    return kind.replace("-", " ")


def _found(operation: Operation, told: Mapping[str, Any] | None, tried: Attempt) -> Finding | None:
    status, open_to_all = tried.call.status, not operation.secured or operation.optional_security
    name, kind = operation.id, _column(tried.label)
    if tried.let_in and open_to_all:
        code, title = "credentials.ignored", f"{name} passes over credentials that do not hold"
        severity = Severity.MEDIUM
    elif tried.let_in:
        code, title = "credentials.taken", f"{name} takes credentials that do not hold: {kind}"
        severity = Severity.CRITICAL
    elif told and tried.call.outcome is Outcome.REFUSED and status not in _refusals(told, tried.label):
        code, title = "credentials.status", f"{name} refuses credentials that do not hold otherwise than promised"
        severity = Severity.LOW
    else:
        return None
    wanted = f" with {told['invalid']}" if told else ""
    return Finding(
        code,
        title,
        severity,
        name,
        kind=kind,
        promised=f"Credentials that do not hold are refused{wanted}.",
        seen=f"With credentials of the kind {kind} it answered {status}.",
        witnesses=(tried.call.id,),
    )


def _refusals(told: Mapping[str, Any], kind: str) -> set[int]:
    """The statuses that a kind is refused with; who was barred is known, and may be told that he may not."""
    return {told["invalid"], FORBIDDEN} if kind == void.BARRED else {told["invalid"]}


def _acted(operation: Operation, effect: str, witnesses: Sequence[Exchange]) -> Finding:
    return Finding(
        "credentials.effect",
        f"{operation.id} refuses credentials that do not hold and acts all the same",
        Severity.HIGH,
        operation.id,
        promised="A refused call changes nothing.",
        seen=f"Every call was refused; afterwards {effect}.",
        witnesses=tuple(exchange.id for exchange in witnesses),
    )
