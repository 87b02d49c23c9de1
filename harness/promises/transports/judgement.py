"""The judgement of `transports`: who may not is refused at each of them, as seen beside one that is let in there.

And what the document's own transport takes of one that may, each of them takes too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.cell import LET_IN, Cell
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.identities import ANONYMOUS
from harness.promises import roles
from harness.promises.attempt import AFTER, AGAIN, BEFORE, MAY, MAY_NOT, Attempt, attempts, seen_as
from harness.promises.schema import says_no
from harness.promises.transports.door import ALIKE, KEY, METHOD, OF_THE_INPUT, Door, doors
from harness.promises.transports.input import is_plain
from harness.verdict import Verdict, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Every transport by itself."""
    told = roles.promised(contract, operation)
    found = [_judged(contract, operation, told, door, exchanges) for door in doors(contract, operation)]
    return merged([Verdict(KEY, operation.id), *found])[0]


def _judged(
    contract: Contract, operation: Operation, told: Mapping[str, Any], door: Door, exchanges: Sequence[Exchange]
) -> Verdict:
    """What was tried at one transport; nothing is known of it where the one that may was not let in."""
    steps = {exchange.request.step: exchange for exchange in exchanges}
    tried = [item for item in attempts(exchanges) if item.label.endswith(f" {door.word}")]
    allowed = next((item for item in tried if item.expected == MAY), None)
    refused = [item for item in tried if item.expected == MAY_NOT]
    alike = steps.get(f"{ALIKE}:{door.word}")
    if allowed is None or not door.serves(allowed.call, alike):
        unknown = _unknown(operation, told, door, refused, allowed)
        alone = _refused_alone(contract, operation, door, allowed, alike)
        return unknown if alone is None else replace(unknown, examined=1, findings=(alone,))
    findings, reasons, cells = [], [], []
    for item in refused:
        wanted = str(roles.refusal(told, _caller(item, door)))
        reason = _untold(item, door, allowed)
        if reason:
            reasons.append(reason)
            cells.append(Cell(item.label, wanted, str(item.call.status or ""), reason=reason))
            continue
        finding = _passed(operation, told, door, item, allowed) if door.let_in(item.call) else None
        findings += [finding] if finding is not None else []
        cells.append(seen_as(item, wanted, finding))
    effect = _effect(operation, told, door, refused, steps)
    findings += [effect] if effect is not None else []
    cells.append(seen_as(allowed, LET_IN, None))
    examined = len(refused) - len(reasons)
    return Verdict(KEY, operation.id, examined, tuple(findings), "; ".join(reasons), cells=tuple(cells))


def _unknown(
    operation: Operation, told: Mapping[str, Any], door: Door, refused: Sequence[Attempt], allowed: Attempt | None
) -> Verdict:
    """The verdict where nothing shows that the operation is served there."""
    if allowed is None:
        return Verdict(KEY, operation.id)  # the case says why it was not sent
    answered = allowed.call.status or allowed.call.error or "nothing"
    reason = (
        f"{allowed.label} may call {operation.id} and {METHOD} {door.path} answered {answered}: "
        "nothing shows that the operation is served there"
    )
    cells = [
        Cell(item.label, str(roles.refusal(told, _caller(item, door))), str(item.call.status or ""), reason=reason)
        for item in refused
    ]
    return Verdict(KEY, operation.id, reason=reason, cells=tuple(cells))


def _refused_alone(
    contract: Contract, operation: Operation, door: Door, allowed: Attempt | None, alike: Exchange | None
) -> Finding | None:
    """A finding where one that may is refused there for its input, and the document's transport takes the same."""
    if allowed is None or allowed.call.status not in OF_THE_INPUT:
        return None
    if alike is None or alike.response is None or not Attempt("", "", alike).let_in or says_no(alike.response):
        return None
    if not is_plain(contract, operation, alike.request):
        return None
    who = _caller(allowed, door)
    return Finding(
        "transports.refused",
        f"{operation.id} refuses {door.word} what it takes by the document's transport",
        Severity.MEDIUM,
        operation.id,
        kind=door.word,
        promised=f"{operation.id} is served {door.word} too: what is valid is taken there.",
        seen=f"{who} sent {METHOD} {door.path} and was answered {allowed.call.status}; the same input, sent after it "
        f"by {alike.request.method} {alike.request.path}, was answered {alike.status}.",
        witnesses=(allowed.call.id, alike.id),
    )


def _caller(tried: Attempt, door: Door) -> str:
    return tried.label.removesuffix(f" {door.word}")


def _untold(tried: Attempt, door: Door, allowed: Attempt) -> str:
    """Why an answer to one that may not tells nothing; empty where it does."""
    call = tried.call
    if tried.unanswered:
        return f"{tried.label}: {METHOD} {door.path} gave {call.status or call.error or 'no answer'}"
    if door.let_in(call) and not door.let_in(allowed.call):
        return f"{tried.label}: answered {call.status}, and {allowed.label}, who may, {allowed.call.status}"
    if not door.let_in(allowed.call) and call.status == allowed.call.status:
        return f"{tried.label}: answered {call.status}, as {allowed.label} was, who may"
    if door.let_in(call) or tried.gated:
        return ""
    why = "for the body or for the role" if call.outcome is Outcome.REFUSED else "in no answer of this transport"
    return f"{tried.label}: answered {call.status}, {why}"


def _passed(operation: Operation, told: Mapping[str, Any], door: Door, tried: Attempt, allowed: Attempt) -> Finding:
    """One that may not was let in."""
    nobody = _caller(tried, door) == ANONYMOUS.name
    return Finding(
        "roles.anonymous-allowed" if nobody else "roles.role-allowed",
        f"{_caller(tried, door)} may not call {operation.id} and is let in {door.word}",
        Severity.CRITICAL if nobody else Severity.HIGH,
        operation.id,
        kind=tried.label,
        promised=_promised(operation, told, door, _caller(tried, door)),
        seen=f"{_caller(tried, door)} sent {METHOD} {door.path} and was answered {tried.call.status}, "
        f"as {_caller(allowed, door)} was, who may.",
        witnesses=tried.witnesses,
    )


def _promised(operation: Operation, told: Mapping[str, Any], door: Door, caller: str) -> str:
    wanted = roles.refusal(told, caller)
    return f"{operation.id} is for {', '.join(told['allow'])}, {door.word} too; {caller} gets {wanted}."


def _effect(
    operation: Operation,
    told: Mapping[str, Any],
    door: Door,
    refused: Sequence[Attempt],
    steps: Mapping[str, Exchange],
) -> Finding | None:
    """A finding where all were refused and the thing is another afterwards."""
    before, after, again = (steps.get(f"{word}:{door.word}") for word in (BEFORE, AFTER, AGAIN))
    if not refused or any(item.call.outcome is not Outcome.REFUSED for item in refused):
        return None
    seen = Attempt(door.word, MAY_NOT, refused[-1].call, before, after, again)
    if not seen.effect:
        return None
    callers = ", ".join(_caller(item, door) for item in refused)
    calls = tuple(item.call.id for item in refused)
    return Finding(
        "roles.effect",
        f"{operation.id} refuses {callers} {door.word} and acts all the same",
        Severity.HIGH,
        operation.id,
        kind=door.word,
        promised=f"{operation.id} is for {', '.join(told['allow'])}, {door.word} too; a refused call changes nothing.",
        seen=f"{callers} sent {METHOD} {door.path} and were refused; afterwards {seen.effect}.",
        witnesses=tuple(dict.fromkeys((*seen.witnesses[:1], *calls, *seen.witnesses[2:]))),
    )
