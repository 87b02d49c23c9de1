"""Judges the exchanges of a case: what was admitted against the model, what was refused, what the headers said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.codes import CODES
from harness.exchange import Outcome
from harness.finding import Finding
from harness.promises.rate_limit.account import ABROAD, SPOOFED, TOO_MANY_REQUESTS, View, is_call, views
from harness.promises.rate_limit.annotation import KEY, NS
from harness.promises.rate_limit.model import early, overshoot
from harness.promises.rate_limit.truth import (
    SHARED_KEY,
    Fault,
    faults,
)
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.promises.rate_limit.model import Event

OVERSHOOT, REFUSED_EARLY = "rate-limit.overshoot", "rate-limit.refused-early"
MAX_WITNESSES = 12


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """The verdict on one case-run; a case that meant to use up a quota and never met it cannot tell.

    A schedule need not meet it: one that did not counts for nothing, so that it neither passes nor spoils what the
    burst of the same operation told. Calls with an UNKNOWN outcome are no observations.
    """
    found = views(contract, operation, exchanges)
    calls = [
        exchange for exchange in exchanges if is_call(operation, exchange) and exchange.outcome is not Outcome.UNKNOWN
    ]
    told: dict[tuple[str, str], Finding] = {}
    for fault in (*_overshoots(found), *_early(operation, found), *faults(operation, found)):
        told.setdefault((fault.code, fault.kind), _finding(operation, fault))
    reason = "" if told else _unmet(found, calls)
    examined = len(calls) if told or reason or _met(calls) else 0
    return Verdict(KEY, operation.id, examined=examined, findings=tuple(told.values()), reason=reason)


def _finding(operation: Operation, fault: Fault) -> Finding:
    return Finding(
        code=fault.code,
        title=CODES[fault.code].title,
        severity=CODES[fault.code].severity,
        operation=operation.id,
        kind=fault.kind,
        promised=fault.promised,
        seen=fault.seen,
        witnesses=fault.witnesses,
    )


def _overshoots(found: Sequence[View]) -> Iterator[Fault]:
    for view in found:
        spoofed = {exchange.id for _, exchange in view.seen if exchange.request.step.startswith(SPOOFED)}
        plain = overshoot(view.limit.model, [event for event in view.events if event.id not in spoofed])
        events = plain or overshoot(view.limit.model, view.events)
        if not events:
            continue
        span_s = (max(event.high_ns for event in events) - min(event.low_ns for event in events)) / NS
        how = "" if plain else ", some of them with a made-up X-Forwarded-For,"
        trusted = " (from a trusted proxy it counts: declare `forwarded`)" if view.key[0] == "address" else ""
        yield Fault(
            OVERSHOOT,
            f"{view.limit.kind}{'' if plain else ' spoofed'}",
            view.limit.sentence(),
            f"{len(events)} calls of one caller{how} were admitted within {span_s:.3f} s{'' if plain else trusted}",
            _some(events, spoofed),
        )


def _some(events: Sequence[Event], telling: set[str]) -> tuple[str, ...]:
    """The first and the last witnesses, those that tell most among them."""
    ids = [event.id for event in events]
    chosen = [id_ for id_ in ids if id_ in telling][:MAX_WITNESSES] or ids[-MAX_WITNESSES // 2 :]
    return tuple(dict.fromkeys((*ids[: MAX_WITNESSES // 2], *chosen)))


def _early(operation: Operation, found: Sequence[View]) -> Iterator[Fault]:
    """A refusal is too early only where no limit of its caller, shared with others or not, can have asked for it.

    Of several limits, that one shares its key which refuses so if it counts all callers as one; each, where none does.
    """
    shared = {event.id for view in found if not view.own for event in view.events}
    refused = early([(view.limit.model, view.events) for view in found]) - shared
    joined = early([(view.limit.model, _all_keys(view, found)) for view in found]) - shared
    crossed = refused - joined
    unshared = [early([(view.limit.model, _all_keys(view, found))]) if crossed else crossed for view in found]
    nobodys = crossed.intersection(*unshared)
    for view, not_by_it in zip(found, unshared, strict=True):
        mine = [pair for pair in view.seen if pair[0].id in refused and is_call(operation, pair[1])]
        for code, pairs in (
            (SHARED_KEY, [pair for pair in mine if pair[0].id in crossed - (not_by_it - nobodys)]),
            (REFUSED_EARLY, [pair for pair in mine if pair[0].id in joined]),
        ):
            if pairs:
                yield _refusal(code, view, pairs)


def _all_keys(view: View, found: Sequence[View]) -> tuple[Event, ...]:
    """What the limit would have seen, had it counted every caller of the case as one."""
    others = (other for other in found if other.limit == view.limit)
    return tuple(
        event if other is view else replace(event, id=f"{event.id} of another")
        for other in others
        for event in other.events
    )


def _refusal(code: str, view: View, pairs: Sequence[tuple[Event, Exchange]]) -> Fault:
    events = [event for event, _ in pairs]
    possible = view.window.possible(events[0], view.limit.window_ns) - 1
    abroad = any(exchange.request.step == ABROAD for _, exchange in pairs)
    whose = "the same address had used up that of another tenant" if abroad else "another caller had used up its own"
    others = f" while {whose}" if code == SHARED_KEY else ""
    return Fault(
        code,
        f"{view.limit.kind}{' tenants' if abroad else ''}",
        view.limit.sentence(),
        f"{len(events)} calls were refused, the first with at most {possible} calls of its caller before it{others}",
        tuple(event.id for event in events[:MAX_WITNESSES]),
    )


def _met(calls: Sequence[Exchange]) -> bool:
    """Whether a case met a limit, or is one that did not set out to by a schedule."""
    scheduled = any(exchange.request.step.startswith("schedule") for exchange in calls)
    return not scheduled or any(exchange.status == TOO_MANY_REQUESTS for exchange in calls)


def _unmet(found: Sequence[View], calls: Sequence[Exchange]) -> str:
    """Why a case that was to use up a quota tells nothing of it; empty where something was refused."""
    if not any(exchange.request.step.startswith("wave") for exchange in calls):
        return ""
    if any(exchange.status == TOO_MANY_REQUESTS for exchange in calls):
        return ""
    tightest = min((view.limit for view in found), key=lambda limit: limit.quota, default=None)
    if tightest is None:
        return "no declared limit counts this caller"
    statuses = ", ".join(sorted({str(exchange.status) for exchange in calls}))
    return f"{tightest.name} refused none of {len(calls)} calls (answers {statuses}), nor is it sure that it had to"
