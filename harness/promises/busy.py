"""A 503 that says when to come again and never passes: how it is waited for, and what shows that it is no busy server.

One request is sent again, each time after as long as was told, and between the times another one is served. What is
said to be busy for longer than can be waited tells nothing, nor does a server that fails elsewhere in that time.
Source: RFC 9110, 15.6.4 (an overload or a maintenance that likely passes after some delay) and 10.2.3 (Retry-After).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from harness import things
from harness.case import Pause, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import survey
from harness.promises.idempotency.annotation import told as idempotent
from harness.promises.idempotency.ground import keyed
from harness.promises.look import GATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.case import Steps
    from harness.contract import Operation
    from harness.exchange import Exchange, Request
    from harness.promises.look import Look
    from harness.stage import Stage

CODE = "http.never-served"
UNAVAILABLE = 503
VALID, TAKEN, KEYED, CONTROL = "served valid", "served taken", "served keyed", "served beside"
WHAT = {VALID: "a valid call", TAKEN: "a call with what is taken already", KEYED: "a call with a new key"}
WAITS_S = (1.0, 2.0, 4.0, 4.0)
LONGEST_S = 5.0
LEAST_NS = 10_000_000_000
OTHERS = 3


def is_documented(operation: Operation) -> bool:
    """Whether a 503 of the operation is documented by more than `default`: any other is a server error anyway."""
    answer = operation.answer(UNAVAILABLE)
    return answer is not None and answer.status.lower() != "default"


def calls(operation: Operation, stage: Stage) -> Steps[None]:
    """A valid call, one with what is taken already, one with a key; the first that is never served is the last.

    Where one cannot be made, the promise that is about it tells why, and nothing is said here.
    """
    if operation.id == stage.actors.told.get("login", {}).get("operation"):
        return  # what it refuses counts against the quotas that all cases share
    stage.familiar = stage.actors.company()
    for part in (_valid, _taken, _keyed):
        try:
            served = yield from part(operation, stage)
        except CannotTell:
            continue
        if not served:
            return


def _valid(operation: Operation, stage: Stage) -> Steps[bool]:
    request = yield from survey.ready(stage.contract, operation, stage, VALID)
    return (yield from _patient(request, partial(elsewhere, operation, stage)))


def _taken(operation: Operation, stage: Stage) -> Steps[bool]:
    """What is taken already; beside it a call of the same operation whose words are its own."""
    if operation.reads or operation.json_body() is None:
        return True
    request = yield from survey.taken(stage.contract, operation, stage)
    return (yield from _patient(replace(request, step=TAKEN), partial(_own, operation, stage)))


def _keyed(operation: Operation, stage: Stage) -> Steps[bool]:
    """A call with a key that nobody used; beside it one without, where that is allowed."""
    declared = idempotent(stage.contract, operation)
    if declared is None:
        return True
    request = yield from survey.ready(stage.contract, operation, stage, KEYED)
    beside = elsewhere if declared.missing else _own
    sent = keyed(request, declared.header, stage.unique("key"))
    return (yield from _patient(sent, partial(beside, operation, stage)))


def _patient(request: Request, beside: Callable[[], Steps[bool]]) -> Steps[bool]:
    """Sends a request until it is served or was waited for often enough; whether it was served in the end."""
    exchange = yield from one(request)
    for number, wait_s in enumerate(WAITS_S, 1):
        told_s = exchange.retry_after_s
        if exchange.status != UNAVAILABLE or told_s is None:
            return True
        if told_s > LONGEST_S:
            return False
        for _ in range(number):  # one more each time, so that turns which servers take do not fall in with it
            if not (yield from beside()):
                return False
        yield Pause(max(told_s, wait_s))
        exchange = yield from one(request)
    return exchange.status != UNAVAILABLE


def _own(operation: Operation, stage: Stage) -> Steps[bool]:
    """Whether the operation serves a fresh valid call."""
    try:
        request = yield from survey.ready(stage.contract, operation, stage, CONTROL)
    except CannotTell:
        return False
    return (yield from one(request)).outcome is Outcome.OK


def elsewhere(operation: Operation, stage: Stage) -> Steps[bool]:
    """Whether the server serves another operation: a create, and for a read, or where none can be had, a list."""
    contract = stage.contract
    creates = [item for item in contract.resources if item.create in contract.by_id and item.create != operation.id]
    for resource in creates[: 0 if operation.reads else OTHERS]:
        try:
            yield from things.make(stage, resource, step=CONTROL)
        except CannotTell:
            continue
        return True
    lists = [item.list for item in contract.resources if item.list in contract.by_id and item.list != operation.id]
    for name in lists[:OTHERS]:
        try:
            identity = yield from things.identity_for(stage, contract.by_id[name])
            request = yield from things.valid(stage, contract.by_id[name], identity=identity, step=CONTROL)
        except CannotTell:
            continue
        if (yield from one(request)).outcome is Outcome.OK:
            return True
    return False


def judge(look: Look, operation: Operation, exchanges: Sequence[Exchange]) -> None:
    """Each request that was waited for: served in the end, never served, or neither can be told."""
    by_call: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for exchange in exchanges:
        if exchange.operation == operation.id and exchange.request.step in WHAT:
            by_call[exchange.case, exchange.request.step].append(exchange)
    for (_, step), sent in by_call.items():
        if sent[-1].outcome is not Outcome.UNKNOWN:
            look.examined += sent[-1].status not in GATES
        elif is_never_served(sent, exchanges):
            look.examined += 1
            request = sent[0].request
            span_s = (sent[-1].sent_ns - sent[0].sent_ns) / 1e9
            look.found(
                CODE,
                step,
                "RFC 9110, 15.6.4: a 503 is for a time, and Retry-After says for how long.",
                f"{WHAT[step]}, {request.method} {request.path}, was answered 503 {len(sent)} times in {span_s:.0f} s, "
                f"each time after as long as was told; what was sent in between was served.",
                *sent,
            )
        else:
            look.reasons.append(f"{operation.id} gave {sent[-1].status or sent[-1].error or 'no answer'}")


def is_never_served(sent: Sequence[Exchange], exchanges: Sequence[Exchange]) -> bool:
    """Whether one request was refused as busy as often as it is waited for, while the server was not busy.

    It is busy where another operation fails in that time, or where this one serves what is as valid.
    """
    if len(sent) <= len(WAITS_S) or len({_written(exchange) for exchange in sent}) > 1:
        return False
    if sent[-1].sent_ns - sent[0].done_ns < LEAST_NS:
        return False
    own = {exchange.id for exchange in sent}
    others = [item for item in _during(exchanges, sent[0], sent[-1]) if item.id not in own]
    here = [item for item in others if item.operation == sent[0].operation]
    if any(item.outcome is Outcome.UNKNOWN for item in others if item not in here):
        return False
    if sent[0].request.step == VALID and any(item.outcome is Outcome.OK for item in here):
        return False
    return sent[-1].status == UNAVAILABLE and all(_waited(*pair, others) for pair in pairwise(sent))


def _waited(before: Exchange, after: Exchange, others: Sequence[Exchange]) -> bool:
    """Whether a request was sent again no sooner than was told, and another was served in between."""
    told_s = before.retry_after_s
    if before.status != UNAVAILABLE or told_s is None or after.sent_ns - before.done_ns < told_s * 1e9:
        return False
    return any(
        item.case == before.case
        and item.outcome is Outcome.OK
        and before.done_ns <= item.sent_ns
        and item.done_ns <= after.sent_ns
        for item in others
    )


def _during(exchanges: Sequence[Exchange], first: Exchange, last: Exchange) -> Iterator[Exchange]:
    """What was under way at any time from the beginning of one exchange to the end of another."""
    return (item for item in exchanges if item.done_ns >= first.sent_ns and item.sent_ns <= last.done_ns)


def _written(exchange: Exchange) -> object:
    sent = exchange.request
    return sent.method, sent.path, sent.query, sent.headers, sent.body, sent.identity.name
