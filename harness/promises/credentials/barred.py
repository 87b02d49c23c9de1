"""An account that was barred: its login lets it in no more, and a token that it was given is traded no more.

Each time a fresh account, and the call that ends its access as identities.void.barred of harness.toml tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import void
from harness.case import one
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.promises.attempt import Attempt
from harness.promises.credentials import spent
from harness.promises.credentials.steps import LOGIN, OUTLIVED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.case import Steps
    from harness.contract import Operation
    from harness.exchange import Exchange
    from harness.stage import Stage
    from harness.verdict import Verdict

KIND = "after it was barred"


def is_told(stage: Stage) -> bool:
    """Whether harness.toml tells how an account is barred."""
    return void.BARRED in stage.actors.told.get("void", {})


def login(stage: Stage) -> Steps[None]:
    """An account logs in, is barred, and logs in with the same words again."""
    if not stage.actors.can_register:
        raise CannotTell("an account that may be barred is a fresh one; tell how it is had, under identities.register")
    account, first = yield from stage.actors.fresh(stage)
    yield from void.end(stage, void.BARRED, stage.actors.entered(account, first))
    yield from one(replace(first.request, step=LOGIN))


def trade(operation: Operation, once: Mapping[str, Any], stage: Stage) -> Steps[None]:
    """A token that nobody used is traded after its account was barred."""
    who, token = yield from spent.given(stage, operation, once)
    request = yield from spent.trading(stage, operation, once, who, token, OUTLIVED)
    yield from void.end(stage, void.BARRED, who)
    yield from one(request)


def added(verdict: Verdict, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """The verdict with what the exchanges say of a barred account's login and token."""
    once = spent.told(operation) or {}
    for step in (LOGIN, OUTLIVED):
        tries = [number for number, item in enumerate(exchanges) if item.request.step == step]
        if not tries:
            continue
        earlier, last = [item for item in exchanges[: tries[0]] if item.outcome is Outcome.OK], exchanges[tries[-1]]
        same = (item for item in earlier if (item.operation, item.request.body) == (last.operation, last.request.body))
        first = next(same, None)
        taken = spent.taken(once, last) if step == OUTLIVED else first is not None and _as_before(first, last)
        if not taken and not spent.refused(last):
            reason = "; ".join(filter(None, (verdict.reason, spent.untold(last))))
            verdict = replace(verdict, reason=reason)
            continue
        # The call that barred it is the last that was answered before.
        shown = [*([first] if first and step == LOGIN else []), *earlier[-1:], last]
        found = (_found(operation, step, shown),) if taken else ()
        verdict = replace(verdict, examined=verdict.examined + 1, findings=(*verdict.findings, *found))
    return verdict


def _as_before(first: Exchange, last: Exchange) -> bool:
    """Whether a login did what the first one did: an answer with all the texts that the first one had."""
    return Attempt("", "", last).let_in and _texts(first) <= _texts(last)


def _texts(exchange: Exchange) -> set[str]:
    body = exchange.response.json() if exchange.response else None
    return {place for place, value in pointer.leaves(body) if isinstance(value, str) and value}


def _found(operation: Operation, step: str, shown: Sequence[Exchange]) -> Finding:
    title = "lets in an account that was barred" if step == LOGIN else "trades a token of an account that was barred"
    promised, seen = "An account that was barred has no access.", f"it was answered {shown[-1].status}"
    before = "What had let it in before was sent again" if step == LOGIN else "A token that it had before was sent"
    return Finding(
        spent.TAKEN,
        f"{operation.id} {title}",
        Severity.HIGH,
        operation.id,
        kind=KIND,
        promised=promised,
        seen=f"{before}, and {seen}.",
        witnesses=tuple(exchange.id for exchange in shown),
    )
