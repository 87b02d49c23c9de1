"""The standing promise that requests and answers are what the contract says they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.contract.operation import ELSEWHERE
from harness.finding import Severity
from harness.promises.promise import Promise
from harness.promises.schema import answer, request
from harness.promises.schema.reading import readings
from harness.promises.sightings import Sight, Sightings, asked, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Response
    from harness.promises.misfit import Misfit
    from harness.verdict import Verdict

KEY = "schema"
MULTI_STATUS = 207
SOFT_RULES = {"format", "pattern"}
UNROUTABLE = re.compile(r"(?:^|/)\.{1,2}(?:/|$)|%2f|%5c|%00|\\|//", re.IGNORECASE)


def applies(contract: Contract, operation: Operation) -> bool:
    """Every operation of the contract, and what is sent at none, unless it is switched off with false."""
    known = operation.id in contract.by_id or operation is ELSEWHERE
    return known and is_on(contract, operation, KEY)


def is_on(contract: Contract, operation: Operation, key: str) -> bool:
    """Whether a promise that holds without being declared is not switched off."""
    own = operation.promises.get(key)
    return (contract.defaults.get(key) if own is None else own) is not False


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """What the operation's exchanges say about the contract's schemas."""
    sightings = Sightings(KEY, operation.id)
    examined = 0
    for exchange in exchanges:
        response = exchange.response
        if response is None or not (operation is ELSEWHERE or _belongs(contract, operation, exchange)):
            continue
        examined += 1
        for sight in _sights(contract, operation, exchange, response):
            sightings.add(sight, exchange)
    return sightings.verdict(examined, "no call of the operation was answered")


def _sights(contract: Contract, operation: Operation, exchange: Exchange, response: Response) -> Iterator[Sight]:
    """What an exchange shows; where no operation is, the contract says nothing but that no server fails."""
    if operation is ELSEWHERE:
        yield from answer.failed(exchange, response)
        return
    yield from answer.sights(contract, operation, exchange, response)
    yield from _accepted(contract, operation, exchange, response)


def _belongs(contract: Contract, operation: Operation, exchange: Exchange) -> bool:
    """Whether the exchange is one of the operation: its method, on a path that no router could read otherwise."""
    sent = exchange.request
    if exchange.operation != operation.id or sent.method != operation.method or UNROUTABLE.search(sent.path):
        return False
    return contract.match(sent.method, sent.path) is operation


def _accepted(contract: Contract, operation: Operation, exchange: Exchange, response: Response) -> Iterator[Sight]:
    """Each rule that the request breaks and the server let pass."""
    if not 200 <= response.status < 300 or response.status == MULTI_STATUS:  # noqa: PLR2004 - the class of status is the number
        return
    wrong = request.violations(contract, operation, exchange.request)
    if not wrong or says_no(response):
        return
    for misfit in wrong:
        yield Sight(
            "schema.invalid-input-accepted",
            misfit.kind,
            f"{operation.id} refuses input that breaks its schema: {misfit.rule} at {misfit.place}",
            f"{asked(exchange)} was answered {response.status}, though in {misfit.place} {shown(misfit.message)}",
            Severity.LOW if _is_soft(misfit) else None,
        )


def _is_soft(misfit: Misfit) -> bool:
    """Whether servers of good repute let it pass: null for absent, a number in text, a word or 0 for a boolean."""
    if misfit.rule in SOFT_RULES:
        return True
    if misfit.rule != "type" or not misfit.place.startswith("body"):
        return False
    if isinstance(misfit.value, str):
        return any(not isinstance(value, str) for value in readings(misfit.value))
    return misfit.value is None or (misfit.value in (0, 1) and "boolean" in misfit.message)


def says_no(response: Response) -> bool:
    """Whether a 2xx tells of an error in its body, as RPC styles do."""
    body: Any = response.json()
    if not isinstance(body, dict):
        return False
    return bool(body.get("error") or body.get("errors")) or any(body.get(name) is False for name in ("success", "ok"))


PROMISE = Promise(
    key=KEY,
    annotation={"type": "object", "maxProperties": 0},
    applies=applies,
    judge=judge,
)
