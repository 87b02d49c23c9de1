"""The promise `credentials`: what is sent as a credential and does not hold is refused, on every operation.

Made-up ones, ones without their scheme or under another, and those that harness.toml says how to have: expired,
revoked, for another audience. Where nobody is asked for an identity a bad one is refused all the same, if promised.
An operation that trades a token for what is next takes each token once, if promised. Where harness.toml tells how an
account is barred, one that was is refused everywhere, at the login too.
Source: OWASP API Security Top 10 2023, API2 (broken authentication); RFC 6750, 3.1; RFC 9700, 4.14.2.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.case import Case
from harness.promises.attempt import each
from harness.promises.credentials import barred, matrix, spent
from harness.promises.credentials.steps import KEY
from harness.promises.promise import Promise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.stage import Stage
    from harness.verdict import Verdict

ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "invalid": {"enum": [400, 401, 403]},
        "kinds": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True},
        "once": spent.ANNOTATION,
    },
    "required": ["invalid"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether it is promised, or the document at least asks for an identity."""
    off = operation.promises.get(KEY) is False or contract.defaults.get(KEY) is False
    asks = operation.secured and not operation.optional_security and not off
    return contract.promise(KEY, operation) is not None or asks


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """Every kind at the operation; what becomes of a spent token where the operation itself says that it trades one."""
    case = partial(Case, KEY, operation.id)
    found = [case("matrix", partial(_matrix, operation, contract.promise(KEY, operation)))]
    once = spent.told(operation)
    if once is not None:
        found.append(case("spent", partial(_spent, operation, once)))
        found.append(case("spent-at-once", partial(spent.at_once, operation, once)))
    return tuple(found)


def _matrix(operation: Operation, told: Mapping[str, Any] | None, stage: Stage) -> Steps[None]:
    shut_out = operation.id == stage.actors.login_operation and barred.is_told(stage)
    yield from each([matrix.tried(operation, told, stage), *([barred.login(stage)] if shut_out else [])])


def _spent(operation: Operation, once: Mapping[str, Any], stage: Stage) -> Steps[None]:
    outlived = [barred.trade(operation, once, stage)] if barred.is_told(stage) else []
    yield from each([spent.again(operation, once, stage), *outlived])


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """What the exchanges of one case say."""
    traded = any(exchange.request.step.startswith(spent.WORDS) for exchange in exchanges)
    verdict = spent.judged(operation, exchanges) if traded else matrix.judged(contract, operation, exchanges)
    return barred.added(verdict, operation, exchanges)


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases)
