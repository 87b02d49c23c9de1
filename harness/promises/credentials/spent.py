"""A token that is good for one use: it is traded, and traded again; two trades at one instant; what follows a reuse.

All of it in a session of its own, of an identity that is made for it: a reuse may end every session of its user.
Source: RFC 9700, 4.14.2 (refresh token rotation); RFC 6749, 4.1.2 (codes are used once).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import TOO_MANY_REQUESTS, Pause, one, together, unlimited, wait_of
from harness.cell import Cell, CellState
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.finding import Finding, Severity
from harness.promises.attempt import Attempt
from harness.promises.credentials.steps import AGAIN, AT_ONCE, KEY, NEXT, OUTLIVED, TRADED
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.case import Steps
    from harness.contract import Operation
    from harness.exchange import Exchange, Request
    from harness.identities import Identity
    from harness.stage import Stage

WORDS = (TRADED, AGAIN, NEXT, AT_ONCE, OUTLIVED)
ATTEMPTS, LONGEST_S = 3, 20.0
UNAUTHORIZED, FORBIDDEN = 401, 403
# What a refusal says that is not of the token: of the client, or of the form of what it sent (RFC 6749, 5.2).
OTHERWISE = {"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"}
SPENT, TAKEN = "spent", "credentials.taken"
_POINTER = {"type": "string", "pattern": "^/"}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("token", "next", "at"), _POINTER),
        "given": {"type": "string", "minLength": 1},
        "with": {"type": "object"},
        "family": {"type": "boolean"},
        "refused": {"type": "integer", "minimum": 400, "maximum": 499},
    },
    "required": ["token"],
    "anyOf": [{"required": ["next"]}, {"required": ["at"]}],
    "dependentRequired": {"family": ["next"]},
    "additionalProperties": False,
}


def told(operation: Operation) -> Mapping[str, Any] | None:
    """What the operation itself says of the token that it trades; None where it says nothing."""
    own = operation.promises.get(KEY)
    once = own.get("once") if isinstance(own, dict) else None
    return once if isinstance(once, dict) else None


def again(operation: Operation, once: Mapping[str, Any], stage: Stage) -> Steps[None]:
    """A token is traded, then traded again; where a reuse is to end the session, the next one is tried after it."""
    who, token = yield from given(stage, operation, once)
    first = unlimited((yield from one((yield from trading(stage, operation, once, who, token, TRADED)))))
    if _closed(once, first):
        return  # that is a fault of its own
    if not taken(once, first):
        raise CannotTell(f"{operation.id} answered {first.status or first.error} to a token that nobody had used")
    successor = _told_at(first, once["next"]) if "next" in once else ""
    if successor == token:
        raise CannotTell(
            f"{operation.id} answered the same token again at {once['next']}: it is not traded for another"
        )
    reused = yield from one((yield from trading(stage, operation, once, who, token, AGAIN)))
    if once.get("family") and successor and refused(reused):
        yield from one((yield from trading(stage, operation, once, who, successor, NEXT)))


def at_once(operation: Operation, once: Mapping[str, Any], stage: Stage) -> Steps[None]:
    """One token, traded twice at one instant; another one after a wait where a limit of the API came between."""
    for waited in range(ATTEMPTS):
        who, token = yield from given(stage, operation, once)
        trades = []
        for _ in range(2):
            trade = yield from trading(stage, operation, once, who, token, f"{AT_ONCE}:{waited}")
            trades.append(trade)
        limited = [item for item in (yield from together(tuple(trades))) if item.status == TOO_MANY_REQUESTS]
        if not limited:
            return
        if waited + 1 < ATTEMPTS:
            yield Pause(min(wait_of(limited[0], waited), LONGEST_S))


def given(stage: Stage, operation: Operation, once: Mapping[str, Any]) -> Steps[tuple[Identity, str]]:
    """A fresh identity and the token that it was given: by its login, where no other operation is told."""
    if not stage.actors.can_register:
        raise CannotTell(
            f"{operation.id}: a spent token may end every session of its user, so it takes a fresh identity; "
            "tell how one is had, under identities.register"
        )
    giver, place = once.get("given", stage.actors.login_operation), once.get("at") or once["next"]
    if giver == stage.actors.login_operation:
        account, answer = yield from stage.actors.fresh(stage, secrets=(place,))
        who = stage.actors.entered(account, answer)
    else:
        who = yield from stage.actors.with_role(stage)
        request = yield from things.valid(stage, stage.contract.by_id[giver], identity=who, step=things.SETUP)
        answer = unlimited((yield from one(replace(request, secret_pointers=(place,)))))
    token = _told_at(answer, place)
    if not token:
        raise CannotTell(f"{giver} answered {answer.status or answer.error} and told no token at {place}")
    return who, token


def _told_at(exchange: Exchange, place: str) -> str:
    found = pointer.get(exchange.response.json() if exchange.response else None, place)
    return found if isinstance(found, str) else ""


def trading(
    stage: Stage, operation: Operation, once: Mapping[str, Any], who: Identity, token: str, step: str
) -> Steps[Request]:
    """A request that trades the token, of nobody where nobody is asked for an identity: the token is all it shows."""
    stage.secret(token, "token")
    caller = who if operation.secured and not operation.optional_security else stage.anonymous()
    members = {**once.get("with", {}), once["token"]: token}
    request = yield from things.valid(stage, operation, identity=caller, members=members, step=step)
    traded: Request = replace(request, secret_pointers=(once["next"],) if "next" in once else ())
    return traded


def judged(operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """A token that was traded is refused when it comes again, and so is its successor where that ends the session."""
    once = told(operation) or {}
    trades = {word: [item for item in exchanges if item.request.step.startswith(word)] for word in WORDS}
    first = next((item for item in trades[TRADED] if taken(once, item)), None)
    last = {word: trades[word][-1] for word in (AGAIN, NEXT) if trades[word] and first is not None}
    if AGAIN in last and not refused(last[AGAIN]):
        last.pop(NEXT, None)  # nobody said that the reuse was seen
    findings = [_useless(operation, item) for item in trades[TRADED][-1:] if _closed(once, item)]
    cells: list[Cell] = []
    reasons: list[str] = []
    examined = len(findings)
    for word, item in last.items():
        if not taken(once, item) and not refused(item):
            reasons.append(untold(item))
            continue
        examined += 1
        found = _found(operation, once, word, item, [trade for trade in (first, *last.values()) if trade])
        findings += [found] if found else []
        if word == AGAIN:
            state = CellState.BROKEN if found else CellState.HELD
            wanted, seen = str(once.get("refused", "4xx")), found.seen if found else ""
            cells.append(Cell(SPENT, wanted, str(item.status), state, seen))
    beside = [item for item in trades[AT_ONCE] if item.request.step == trades[AT_ONCE][-1].request.step]
    both = [item for item in beside if taken(once, item)]
    reasons += [untold(item) for item in beside if item not in both and not refused(item)]
    if len(both) > 1:
        findings.append(_twice(operation, both))
    examined += len(both) > 1 or (bool(both) and all(taken(once, item) or refused(item) for item in beside))
    return Verdict(KEY, operation.id, examined, tuple(findings), "; ".join(dict.fromkeys(reasons)), cells=tuple(cells))


def taken(once: Mapping[str, Any], exchange: Exchange) -> bool:
    """Whether a trade succeeded: a 2xx, with the next token where one is told."""
    return Attempt("", "", exchange).let_in and ("next" not in once or bool(_told_at(exchange, once["next"])))


def refused(exchange: Exchange) -> bool:
    """Whether the token was refused; 429 says that nobody looked at it."""
    return exchange.outcome is Outcome.REFUSED and exchange.status != TOO_MANY_REQUESTS


def _closed(once: Mapping[str, Any], exchange: Exchange) -> bool:
    """Whether a trade was refused as one of a token that does not hold: not for the form of what was sent."""
    otherwise = _told_at(exchange, "/error") in OTHERWISE
    return refused(exchange) and exchange.status in {once.get("refused"), UNAUTHORIZED, FORBIDDEN} and not otherwise


def untold(exchange: Exchange) -> str:
    """Why an answer that neither took nor refused what was sent tells nothing."""
    return f"{exchange.operation} gave {exchange.status or exchange.error or 'no answer'}, which tells neither"


def _found(
    operation: Operation, once: Mapping[str, Any], word: str, item: Exchange, trades: Sequence[Exchange]
) -> Finding | None:
    name, witnesses = operation.id, tuple(trade.id for trade in trades)
    if taken(once, item) and word == NEXT:
        return Finding(
            TAKEN,
            f"{name} renews a session whose spent token came again",
            Severity.HIGH,
            name,
            kind="after a reuse",
            promised="A token that comes again after it was spent ends its session: somebody else has it too.",
            seen=f"After the first token was sent again, the one that followed it was answered {item.status}.",
            witnesses=witnesses,
        )
    if taken(once, item):
        return Finding(
            TAKEN,
            f"{name} takes a token that was spent",
            Severity.CRITICAL,
            name,
            kind=SPENT,
            promised="A token is good for one use.",
            seen=f"Traded once, it was sent again and answered {item.status}.",
            witnesses=witnesses[:2],
        )
    if word == AGAIN and item.status != once.get("refused", item.status):
        return Finding(
            "credentials.status",
            f"{name} refuses a token that was spent otherwise than promised",
            Severity.LOW,
            name,
            kind=SPENT,
            promised=f"A token that was spent is refused with {once['refused']}.",
            seen=f"It answered {item.status}.",
            witnesses=witnesses[:2],
        )
    return None


def _useless(operation: Operation, item: Exchange) -> Finding:
    return Finding(
        "credentials.refused",
        f"{operation.id} refuses a token that was just given and not used",
        Severity.HIGH,
        operation.id,
        promised="A token is good for one use.",
        seen=f"Traded for the first time, it was answered {item.status}.",
        witnesses=(item.id,),
    )


def _twice(operation: Operation, both: Sequence[Exchange]) -> Finding:
    return Finding(
        TAKEN,
        f"{operation.id} takes a token twice at one instant",
        Severity.HIGH,
        operation.id,
        kind="spent at one instant",
        promised="A token is good for one use.",
        seen=f"Sent {len(both)} times at one instant, it was taken each time.",
        witnesses=tuple(exchange.id for exchange in both),
    )
