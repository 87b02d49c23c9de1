"""What the answers of the case of `key` say: whether a key opened what it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.finding import Severity
from harness.promises.attempt import Attempt, attempts
from harness.promises.key import life
from harness.promises.key.steps import ENDED, ENDED_LATER, KEY, LIVE, NARROW, NOBODY, PART, READ, REVOKE, REVOKED, SHORT
from harness.promises.look import Look
from harness.promises.resource.steps import settled, succeeded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.verdict import Verdict

TAKEN_PART, TAKEN_REVOKED, TAKEN_ENDED = "key.part", "key.revoked", "key.ended"
SCOPE, EFFECT = "key.scope", "key.effect"
TITLES: Mapping[str, tuple[str, Severity]] = {
    TAKEN_PART: ("issues keys of which a part is enough", Severity.CRITICAL),
    TAKEN_REVOKED: ("issues keys that are taken after they were revoked", Severity.CRITICAL),
    TAKEN_ENDED: ("issues keys that are taken after their end", Severity.HIGH),
    SCOPE: ("issues keys that open what their scopes do not grant", Severity.HIGH),
    EFFECT: ("issues keys whose refused calls act all the same", Severity.HIGH),
}


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Nothing is told unless a fresh key was let in where nobody is."""
    told = contract.promise(KEY, operation)
    look = Look(KEY, operation, TITLES)
    by_step = {exchange.request.step: exchange for exchange in settled(exchanges)}
    if not isinstance(told, dict) or not _shows(look, by_step):
        return look.verdict()
    _part(look, by_step)
    if REVOKED in by_step and succeeded(by_step[REVOKE]):
        _revoked(look, by_step)
    elif REVOKE in by_step:
        look.reasons.append(f"{by_step[REVOKE].operation} answered {by_step[REVOKE].status}: no key was revoked")
    _ended(look, told, by_step)
    for scope in told.get("grants", {}):
        _narrow(look, scope, by_step, exchanges)
    return look.verdict()


def _shows(look: Look, by_step: Mapping[str, Exchange]) -> bool:
    """Whether the read tells a key that holds from none at all."""
    nobody, live = by_step.get(NOBODY), by_step.get(READ)
    if nobody is None or live is None:
        return False
    if (unanswered := _unanswered(nobody) or _unanswered(live)) or Attempt("", "", nobody).let_in:
        look.reasons.append(unanswered or f"{nobody.operation} lets nobody in as well, so it shows nothing of keys")
        return False
    if not Attempt("", "", live).let_in:
        look.reasons.append(
            f"{live.operation} answered {live.status} to a fresh key, so nothing shows that keys are presented as the "
            "API asks: see x-promises.key.scheme and prefix"
        )
        return False
    return True


def _unanswered(call: Exchange) -> str:
    return Attempt(call.request.identity.name, "", call).unanswered


def _let_in(look: Look, call: Exchange) -> bool:
    """Whether a key was let in; counts what was told, notes what was not."""
    if unanswered := _unanswered(call):
        look.reasons.append(unanswered)
        return False
    look.examined += 1
    return Attempt("", "", call).let_in


def _part(look: Look, by_step: Mapping[str, Exchange]) -> None:
    """One finding, of the shortest part that is let in."""
    tried = [exchange for step, exchange in by_step.items() if step.startswith(f"{PART} ")]
    taken = [exchange for exchange in tried if _let_in(look, exchange)]
    if taken:
        seen = f"{taken[0].operation} answered {taken[0].status} to a part of a key."
        look.found(TAKEN_PART, "", "Only the whole of a key opens anything.", seen, by_step[LIVE], taken[0])


def _revoked(look: Look, by_step: Mapping[str, Exchange]) -> None:
    revoke, call = by_step[REVOKE], by_step[REVOKED]
    if _let_in(look, call):
        seen = f"{revoke.operation} answered {revoke.status}; afterwards {call.operation} answered {call.status}."
        promised = f"What {revoke.operation} revoked opens nothing."
        look.found(TAKEN_REVOKED, "", promised, seen, by_step[LIVE], by_step[READ], revoke, call)


def _ended(look: Look, told: Mapping[str, Any], by_step: Mapping[str, Exchange]) -> None:
    """A key that is let in once may have been on the edge of its end; let in again, later, it was not."""
    first, later = by_step.get(ENDED), by_step.get(ENDED_LATER)
    call = later or first
    if call is None:
        return
    if later is None and first is not None and Attempt("", "", first).let_in:
        look.reasons.append(f"{first.operation} let in a key that had ended, and was not asked again")
    elif _let_in(look, call):
        issued = by_step[SHORT]
        if not life.is_over(told, issued, call):
            look.examined -= 1
            look.reasons.append(f"{issued.operation} told a later end than was asked for, which was not waited for")
            return
        seen = f"{(call.done_ns - issued.done_ns) / 1e9:.1f} s after it was issued, {call.operation} let it in."
        look.found(TAKEN_ENDED, "", "A key opens nothing after its end.", seen, issued, first, call)


def _narrow(look: Look, scope: str, by_step: Mapping[str, Exchange], exchanges: Sequence[Exchange]) -> None:
    """One finding a scope, whatever it opened; and one for what was refused and acted."""
    control = by_step.get(f"{NARROW} {scope}")
    if control is not None and not Attempt("", "", control).let_in:
        look.reasons.append(f"{control.operation} answered {control.status} to a key for {scope!r}, which grants it")
        return
    tried = [item for item in attempts(settled(exchanges)) if item.label == f"{scope} {item.call.operation}"]
    opened = [item for item in tried if _let_in(look, item.call)]
    issued = by_step.get(f"{NARROW} issued {scope}")
    promised = f"A key for {scope!r} opens what that grants and no more."
    if opened:
        more = f" (and {len(opened) - 1} more let it in)" if len(opened) > 1 else ""
        seen = f"{opened[0].call.operation} answered {opened[0].call.status}{more}."
        look.found(SCOPE, scope, promised, seen, issued, control, *(item.call for item in opened))
    acted = [item for item in tried if item not in opened and not item.unanswered and item.effect]
    if acted:
        call, effect = acted[0].call, acted[0].effect
        seen = f"{call.operation} answered {call.status}; afterwards {effect}."
        look.found(EFFECT, scope, promised, seen, issued, acted[0].before, call, acted[0].after)
