"""The cases: use up a quota with many calls at once, and see what is admitted, refused, told, and left to others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import Case, Pause, Steps, one, together
from harness.errors import CannotTell
from harness.identities import ANONYMOUS
from harness.promises.rate_limit import headers
from harness.promises.rate_limit.account import ABROAD, SETUP, SHARED, SPOOFED, TOO_MANY_REQUESTS
from harness.promises.rate_limit.annotation import KEY, NS, Limit, limits
from harness.promises.rate_limit.caller import Caller, abroad, caller, other, patient
from harness.promises.rate_limit.headers import GRANULARITY_NS
from harness.promises.rate_limit.model import slack_ns
from harness.promises.rate_limit.schedule import case as schedule_case
from harness.promises.rate_limit.schedule import drawn, edge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request
    from harness.stage import Stage

WAVE, EXEMPT, INSISTING = 150, "exempt", "insisting"
ALONE = 3
MAX_REQUESTS = 1500
MAX_WINDOW_S = 30.0
SPOOFS = 2
SPARE = 12
UNAUTHORIZED, FORBIDDEN = 401, 403


def cases(contract: Contract, operation: Operation, random: Random) -> Sequence[Case]:
    """The burst on every operation; a wait, a window's edge, a drawn schedule on about one that the source picks.

    One operation always has a wait and a window's edge.
    """
    found = limits(contract, operation)
    target = min(found, key=lambda limit: limit.quota)
    share = 1 / max(1, sum(bool(limits(contract, item)) for item in contract.operations))
    host = operation.id == _host_of_waits(contract)
    made = [case_of(contract, operation, {"wait": random.random() < share or host})]
    made += [
        case_of(contract, operation, {"name": limit.name})
        for limit in found
        if not limit.operation and limit is not target and _host(contract, limit) == operation.id
    ]
    if _schedulable(target):
        if host or random.random() < share:
            made.append(schedule_case(operation, edge(target)))
        if random.random() < share:
            made.append(schedule_case(operation, drawn(contract, operation, random)))
    return made


def case_of(contract: Contract, operation: Operation, parameters: Mapping[str, Any]) -> Case:
    """The case of parameters: a `schedule`, the `name` of a limit of the document, or whether a burst will `wait`.

    A burst of calls by nobody runs alone, as its address may be another's too.
    """
    del contract
    if "schedule" in parameters:
        return schedule_case(operation, parameters)
    name, steps = ("document", document) if "name" in parameters else ("burst", burst)
    run = partial(steps, operation=operation, parameters=parameters)
    alone = name == "burst" and not operation.secured and not operation.reads
    return Case(KEY, operation.id, name, run, parameters, alone=alone)


def _schedulable(limit: Limit) -> bool:
    """Whether a quota can be used up by one release."""
    return not feasible(limit) and limit.quota <= WAVE


def _host_of_waits(contract: Contract) -> str:
    """The operation that is always waited for: one that reads, of the smallest quota that will do."""
    tightest = (
        (not operation.reads, min(found, key=lambda limit: limit.quota), operation.id)
        for operation in contract.operations
        if (found := limits(contract, operation))
    )
    eligible = [(writes, limit.quota, name) for writes, limit, name in tightest if _schedulable(limit)]
    return min(eligible, default=(False, 0, ""))[2]


def feasible(limit: Limit) -> str:
    """Why a limit cannot be used up within a case's means; empty where it can."""
    if limit.quota > MAX_REQUESTS * 2 // 3:
        return f"{limit.name}: {limit.quota} calls are more than a case may send ({MAX_REQUESTS * 2 // 3})"
    if limit.window_s > MAX_WINDOW_S:
        return f"{limit.name}: a window of {limit.window_s:g} s is longer than a case may last ({MAX_WINDOW_S:g} s)"
    return ""


def burst(stage: Stage, operation: Operation, parameters: Mapping[str, Any]) -> Steps[None]:
    """Some calls alone, the quota and a quarter more together, then a probe, a made-up address, another caller."""
    limit = min(limits(stage.contract, operation), key=lambda item: item.quota)
    first = yield from caller(stage, operation, limit)
    stranger = yield from other(stage, first, limit)
    first_call, spends = yield from _alone(first, min(ALONE, limit.quota))
    reason = feasible(limit)
    if reason:
        raise CannotTell(f"{reason}; start the target with a profile of small quotas and short windows")
    total = limit.quota + max(SPARE, limit.quota // 4) - ALONE
    if spends:
        yield from first.renew(total + SPOOFS + 2)
    yield from _waves(lambda count: [first.request("wave") for _ in range(count)], total, renewed=spends)
    held_ns = 0 if parameters["wait"] else first_call.sent_ns + limit.window_ns
    yield from _afterwards(stage, first, stranger, limit, held_ns)


def _alone(first: Caller, count: int) -> Steps[tuple[Exchange, bool]]:
    """Calls one after the other, whose headers are held to the count: the first, and whether it ended its session."""
    began: Exchange | None = None
    for at in range(count):
        exchange = yield from one(first.request("call"))
        began = began or exchange
        if exchange.status in {UNAUTHORIZED, FORBIDDEN} and at == 0 and first.identity.name == ANONYMOUS.name:
            raise CannotTell(f"{exchange.operation} answers {exchange.status} to nobody, and no identity can be had")
        if exchange.status == UNAUTHORIZED and at == 1:
            return began, True
    assert began is not None, "a quota is one at the least"
    return began, False


def _waves(requests: Any, total: int, *, renewed: bool = False) -> Steps[None]:
    """So many calls in waves of one size, the last of which crosses the quota; as many again where none is refused."""
    sent, limit = 0, min(MAX_REQUESTS, total if renewed else total * 2)
    waves = -(-total // WAVE)
    size = -(-total // waves)
    while sent < limit:
        group: tuple[Exchange, ...] = yield from together(tuple(requests(min(size, limit - sent))))
        sent += len(group)
        if sent >= total and any(exchange.status == TOO_MANY_REQUESTS for exchange in group):
            return


def _afterwards(stage: Stage, first: Caller, stranger: Caller | None, limit: Limit, held_ns: int) -> Steps[None]:
    """With the quota used up: what a refusal tells, whether a made-up address helps, whether another is touched.

    `held_ns` is when the window of the first call ends; 0 to wait for what is told however long it is, and to go on
    calling meanwhile: what the last of these refusals tells is to be as true as if nobody had.
    """
    refusal = yield from one(first.request("probe"))
    told = first.identity.name != ANONYMOUS.name and limit.scope[0] != "address"
    if told or not limit.forwarded:
        for _ in range(SPOOFS):
            request = first.request(SPOOFED)
            made_up = f"198.51.100.{stage.random.randint(1, 254)}"
            request = replace(request, headers=(*request.headers, ("X-Forwarded-For", made_up)))
            refusal = yield from one(request)
    if stranger is not None:
        yield from one(stranger.request("other"))
    moved = abroad(stage, first, limit)
    if moved is not None:
        yield from one(moved.request(ABROAD))
    if refusal.status != TOO_MANY_REQUESTS:
        return
    until_ns = _until_ns(limit, refusal, held_ns)
    if until_ns and not held_ns and not first.sessions:
        refusal = yield from _insisting(first, limit, refusal, until_ns)
        until_ns = _until_ns(limit, refusal, held_ns) if refusal.status == TOO_MANY_REQUESTS else 0
    if until_ns:
        yield Pause(max(0.0, (until_ns - refusal.done_ns) / NS))
        yield from one(first.request("retry"))


def _insisting(first: Caller, limit: Limit, refusal: Exchange, until_ns: int) -> Steps[Exchange]:
    """As many refused calls as the quota, late in the wait, and one alone after them: the refusal to be held to.

    They lie in the window that ends with the call after the wait. Where that is too short for it, nothing is sent.
    """
    left_ns = min(_instants_ns(limit, refusal)) - refusal.done_ns
    late_ns = max(left_ns // 2, (left_ns - GRANULARITY_NS) * 9 // 10)
    if late_ns <= 0 or refusal.done_ns + late_ns + limit.window_ns <= until_ns:
        return refusal
    yield Pause(late_ns / NS)
    yield from _waves(lambda count: [first.request(INSISTING) for _ in range(count)], limit.quota, renewed=True)
    return (yield from one(first.request("probe")))


def _instants_ns(limit: Limit, refusal: Exchange) -> list[int]:
    """When a refusal says to come again, by each of its words."""
    told = [headers.retry_after_ns(refusal)]
    if limit.headers:
        told.append(headers.told(limit, refusal).reset_ns)
    return [instant for instant in told if instant is not None]


def _until_ns(limit: Limit, refusal: Exchange, held_ns: int) -> int:
    """When to call again to hold a refusal to its word: where that is too good to be true, or where told to; else 0."""
    instants = _instants_ns(limit, refusal)
    if not instants:
        return 0
    margin_ns = GRANULARITY_NS + 2 * slack_ns(limit.window_ns)
    soon_ns = refusal.done_ns + limit.window_ns // 4
    if limit.algorithm == "sliding" and held_ns:
        soon_ns = max(soon_ns, held_ns - margin_ns)
    if min(instants) <= soon_ns:
        return min(instants) + margin_ns
    latest_ns = max(instants) + margin_ns
    return latest_ns if not held_ns and latest_ns - refusal.done_ns <= MAX_WINDOW_S * NS else 0


def _host(contract: Contract, limit: Limit) -> str:
    """The operation with which a limit of the document is examined: the first plain read that is under it."""
    return next((operation.id for operation in _readable(contract, limit)), "")


def _readable(contract: Contract, limit: Limit) -> Iterator[Operation]:
    """Reads without a path parameter come first: they need nothing made."""
    under = [
        operation
        for operation in contract.operations
        if operation.reads and limit.name in {item.name for item in limits(contract, operation)}
    ]
    return iter(sorted(under, key=lambda operation: bool(operation.path_parameters)))


def document(stage: Stage, operation: Operation, parameters: Mapping[str, Any]) -> Steps[None]:
    """Uses up a limit of the document with several reads, each within its own limit, and probes with this operation."""
    limit = next(item for item in limits(stage.contract, operation) if item.name == parameters["name"])
    reason = feasible(limit)
    if reason:
        raise CannotTell(f"{reason}; start the target with a profile of small quotas and short windows")
    first = yield from caller(stage, operation, limit)
    stranger = yield from other(stage, first, limit)
    yield from _spent(stage, operation, first, limit, "wave")
    yield from _afterwards(stage, first, stranger, limit, held_ns=1)
    # What was called before is over by then, so that a refusal cannot be laid to a quota that callers share.
    pause_s = min(MAX_WINDOW_S, 1.25 * max(item.window_s for item in limits(stage.contract, operation)))
    for role in limit.exempt if stage.actors.can_register else ():
        yield Pause(pause_s)
        exempt = yield from patient(stage.actors.with_role(stage, role))
        yield from _spent(stage, operation, replace(first, identity=exempt, shared=False), limit, EXEMPT)


def _spent(stage: Stage, operation: Operation, first: Caller, limit: Limit, step: str) -> Steps[None]:
    """More calls of several reads than the limit admits; when all others are answered, those that the case is of.

    Of calls at one instant any may be refused, and a refusal of another operation may be by its own limit.
    """
    total = limit.quota + max(SPARE, limit.quota // 10)
    own = yield from _supplied(stage, first, operation, limit, step)
    own = own[:total]
    others: list[Request] = []
    for reading in _readable(stage.contract, limit):
        if reading.id != operation.id and len(own) + len(others) < total:
            others += yield from _supplied(stage, first, reading, limit, step)
    if len(own) + len(others) < total:
        raise CannotTell(f"{limit.name}: the operations' own limits refuse before {total} calls are admitted")
    for supply in (others[: total - len(own)], own):
        if supply:
            yield from _waves(lambda count, left=supply: [left.pop() for _ in range(count)], len(supply), renewed=True)


def _supplied(stage: Stage, first: Caller, reading: Operation, limit: Limit, step: str) -> Steps[list[Request]]:
    """As many calls of a read as its own limits admit, some to spare, by the same caller; none where it may not."""
    roles = stage.contract.promise("roles", reading)
    if roles and not set(roles["allow"]) & {"anyone", "signed-in", *first.identity.roles}:
        return []
    own = [item.quota for item in limits(stage.contract, reading) if item.name != limit.name]
    count = min([limit.quota + 2 * SPARE, *own]) - SPARE
    try:
        template = yield from patient(things.valid(stage, reading, identity=first.identity, step=SETUP))
    except CannotTell:
        return []
    told = f"{step}{SHARED}" if first.shared else step
    return [replace(template, step=told)] * max(0, count)
