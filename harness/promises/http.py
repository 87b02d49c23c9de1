"""The promise `http`: what RFC 9110 asks of answers that every client goes by, over the whole history.

A 401 names a challenge, a 405 the methods that there are, a 204 or 304 has no content, the Location of what was made
leads to it, HEAD answers as GET, a 503 passes, a body keeps its bound. Where nothing is declared nothing is judged:
many an API is none the worse for it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.case import SETTLE_S, Case, Pause, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.finding import Finding, Reproduction, Severity
from harness.promises import body_bound, busy, following, survey
from harness.promises.attempt import each
from harness.promises.look import Look
from harness.promises.promise import Promise
from harness.promises.subject import may

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange, Request, Response
    from harness.stage import Stage
    from harness.verdict import Verdict

KEY = "http"
ANSWERS, LOCATION, HEAD, SERVED = "answers", "location", "head", "served"
MADE, FOLLOWED, LATER, BROKEN, GOT = "made", "followed", "followed-later", "followed-anew", "got"
BROKEN_TRIES, CUT_OFF = 2, "cut off"
CREATED, NO_CONTENT, NOT_MODIFIED, UNAUTHORIZED, FORBIDDEN, NOT_ALLOWED = 201, 204, 304, 401, 403, 405
GONE = {404, 410}
METHODS = ("PATCH", "PUT", "POST", "DELETE")
IMPLIED = {"HEAD", "OPTIONS"}
COMPARED = ("Content-Type", "ETag", "Last-Modified")
TITLES = {
    "http.challenge": ("answers 401 without WWW-Authenticate", Severity.LOW),
    "http.allow": ("is at a path whose 405 does not name its methods", Severity.LOW),
    "http.content": ("sends content with a status that has none", Severity.MEDIUM),
    "http.location": ("answers a Location that leads nowhere", Severity.MEDIUM),
    busy.CODE: ("says for ever that it is busy for now", Severity.MEDIUM),
    "http.head": ("answers HEAD otherwise than GET", Severity.LOW),
    body_bound.CODE: ("does not keep the bound of its bodies", Severity.MEDIUM),
}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {body_bound.MEMBER: {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Where it is declared, for the document or for the operation; of streams those that stand for their path."""
    if operation.streams and not _first(contract, operation):
        return False
    return contract.promise(KEY, operation) is not None


def _first(contract: Contract, operation: Operation) -> bool:
    return contract.at(operation.path)[0] is operation


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """What no other driver need have shown: a 401, a 405 of the path, the Location of what is made, a HEAD, a 503.

    A stream is not called, which might be let in and go on; its path is.
    """
    found = []
    first = _first(contract, operation)
    asks = operation.secured and not operation.optional_security and not operation.streams
    if first or asks:
        found.append(Case(KEY, operation.id, ANSWERS, partial(_answers, operation, first=first, asks=asks)))
    if any(answer.status == str(CREATED) for answer in operation.answers) and not operation.reads:
        found.append(Case(KEY, operation.id, LOCATION, partial(_location, operation)))
    if operation.method == HEAD.upper() and _sibling(contract, operation) is not None:
        found.append(Case(KEY, operation.id, HEAD, partial(_head, operation)))
    if busy.is_documented(operation) and not operation.streams:
        found.append(Case(KEY, operation.id, SERVED, partial(busy.calls, operation)))
    if most := body_bound.bound(contract, operation, KEY):
        found.append(Case(KEY, operation.id, body_bound.CASE, partial(body_bound.tried, operation, most)))
    return tuple(found)


def _sibling(contract: Contract, operation: Operation) -> Operation | None:
    return next((item for item in contract.at(operation.path) if item.method == "GET"), None)


def _answers(operation: Operation, stage: Stage, *, first: bool, asks: bool) -> Steps[None]:
    """The operation as nobody, and a method that its path does not have, on ids that nothing has."""
    examples = stage.examples
    path = {item.name: examples.value(item.schema, name=item.name) for item in operation.path_parameters}
    parts = []
    if asks:
        parts.append(_as_nobody(stage, operation, path))
    if first:
        parts.append(_other_method(stage, operation, path))
    yield from each(parts)


def _as_nobody(stage: Stage, operation: Operation, path: Mapping[str, Any]) -> Steps[None]:
    declared = operation.json_body()
    body = {"body": stage.examples.value(declared.schema)} if declared is not None else {}
    yield from one(stage.request(operation.id, path=path, identity=stage.anonymous(), step=ANSWERS, **body))


def _other_method(stage: Stage, operation: Operation, path: Mapping[str, Any]) -> Steps[None]:
    """Nobody asks first, then one who is signed in, where a gate stands before the routes."""
    plain = stage.request(operation.id, path=path, identity=stage.anonymous(), step=ANSWERS)
    contract = stage.contract
    bare = next(
        (m for m in METHODS if not contract.match(m, plain.path) and not contract.is_removed(m, plain.path)), ""
    )
    if not bare or contract.match(operation.method, plain.path) is None:
        return
    asked = replace(plain, method=bare, operation="")
    answer = yield from one(asked)
    if answer.status in {UNAUTHORIZED, FORBIDDEN} and operation.secured:
        stage.familiar = stage.actors.company()
        yield from one(replace(asked, identity=(yield from stage.actors.with_role(stage))))


def _location(operation: Operation, stage: Stage) -> Steps[None]:
    """Makes one and follows its Location as its maker; once more a little later where nothing is there."""
    stage.familiar = stage.actors.company()
    request = yield from survey.ready(stage.contract, operation, stage, MADE)
    made = yield from one(request)
    told = made.response.header("Location") if made.response and made.status == CREATED else None
    if told is None:
        raise CannotTell(f"{operation.id} answered {made.status or made.error}, and no Location")
    follow = following.request(stage.contract, request, told, FOLLOWED)
    known = stage.contract.by_id.get(follow.operation)
    if known is not None and not may(stage.contract, known, request.identity):
        return  # an open create, as of an account, whose maker has yet to sign in
    answer = yield from one(follow)
    if answer.status in GONE:
        yield Pause(SETTLE_S)
        yield from one(replace(follow, step=LATER))
    for number in range(BROKEN_TRIES if answer.cut_off else 0):
        yield Pause(SETTLE_S)
        if not (yield from busy.elsewhere(operation, stage)):
            return
        if not (yield from one(replace(follow, step=f"{BROKEN} {number}"))).cut_off:
            return


def _head(operation: Operation, stage: Stage) -> Steps[None]:
    sibling = _sibling(stage.contract, operation)
    if sibling is None:
        return
    stage.familiar = stage.actors.company()
    request = yield from survey.ready(stage.contract, sibling, stage, GOT)
    yield from one(request)
    yield from one(replace(request, method=operation.method, operation=operation.id, step=HEAD))


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Every exchange by itself, and the cases of this promise each as a whole.

    What is of no operation is judged by the operations of its path: a method that they lack.
    """
    look = Look(KEY, operation, TITLES)
    by_case: dict[str, dict[str, Exchange]] = {}
    bodies: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        response = exchange.response
        if response is not None and exchange.operation in {operation.id, ""}:
            _message(contract, operation, look, exchange, response)
        if exchange.case.startswith(f"{KEY}/"):
            by_case.setdefault(exchange.case, {})[exchange.request.step] = exchange
            bodies.setdefault(exchange.case, []).append(exchange)
    for steps in by_case.values():
        _followed(look, steps)
        _headed(look, steps)
    busy.judge(look, operation, [item for item in exchanges if item.operation])
    for sent in bodies.values():
        body_bound.judge(look, sent)
    return look.verdict()


def _message(contract: Contract, operation: Operation, look: Look, exchange: Exchange, response: Response) -> None:
    asked = f"{exchange.request.method} {exchange.request.path}"
    if response.status == UNAUTHORIZED and operation.id and exchange.operation == operation.id:
        look.examined += 1
        if not response.header("WWW-Authenticate"):
            promised = "RFC 9110, 15.5.2: a 401 has WWW-Authenticate, which says how to sign in."
            look.found("http.challenge", "", promised, f"{asked} was answered 401 without it.", exchange)
    if response.status in {NO_CONTENT, NOT_MODIFIED} and exchange.operation == operation.id and operation.id:
        look.examined += 1
        length = response.header("Content-Length") or "0"
        sized = response.status == NO_CONTENT and (length.strip() != "0" or response.header("Transfer-Encoding"))
        if response.body or sized:
            promised = f"RFC 9110, 15: a {response.status} has no content."
            seen = f"{asked} was answered {response.status} with {len(response.body)} bytes, Content-Length {length}."
            look.found("http.content", str(response.status), promised, seen, exchange)
    if response.status == NOT_ALLOWED:
        _allowed(contract, look, exchange, response)


def _allowed(contract: Contract, look: Look, exchange: Exchange, response: Response) -> None:
    """A 405 names the methods of the path, and no other that nobody documents."""
    path = exchange.request.path
    here = contract.at(path)
    if not here or exchange.request.method == "HEAD":
        return
    look.examined += 1
    told = response.header("Allow")
    kind = "absent" if told is None else " ".join(_wrong(contract, here, exchange.request, told))
    if not kind:
        return
    methods = ", ".join(item.method for item in here)
    title, severity = TITLES["http.allow"]
    look.findings.append(
        Finding(
            "http.allow",
            f"{here[0].id} {title}",
            severity,
            here[0].id,
            kind=kind,
            promised=f"RFC 9110, 15.5.6: a 405 has Allow with the methods of the path: {methods}.",
            seen=f"{exchange.request.method} {path} was answered 405, Allow: {told if told is not None else 'absent'}.",
            witnesses=(exchange.id,),
            reproduction=Reproduction(case=f"{KEY}/{here[0].id}/{ANSWERS}"),
        )
    )


def _wrong(contract: Contract, here: Sequence[Operation], request: Request, allow: str) -> Iterator[str]:
    told = {method.strip().upper() for method in allow.split(",") if method.strip()}
    known = {item.method for item in here}
    for method in sorted(known - told - {request.method}):
        yield f"-{method}"
    for method in sorted(told - known - IMPLIED):
        if not contract.is_removed(method, request.path):
            yield f"+{method}"


def _followed(look: Look, steps: Mapping[str, Exchange]) -> None:
    made, answer = steps.get(MADE), steps.get(LATER) or steps.get(FOLLOWED)
    broken = [step for number in range(BROKEN_TRIES) if (step := steps.get(f"{BROKEN} {number}")) and step.cut_off]
    told = made.response.header("Location") if made is not None and made.response else ""
    promised = "RFC 9110, 15.3.2: the Location of a 201 identifies what was made."
    if made is not None and answer is not None and answer.cut_off and len(broken) == BROKEN_TRIES:
        look.examined += 1
        asked = f"{made.request.method} {made.request.path} was answered 201, Location: {told}"
        seen = f"{asked}; its GET was cut off {BROKEN_TRIES + 1} times, while other requests were served."
        look.found("http.location", CUT_OFF, promised, seen, made, answer, *broken)
        return
    if made is None or answer is None or not look.answered(answer):
        return
    look.examined += 1
    if answer.status in GONE:
        seen = f"{made.request.method} {made.request.path} was answered 201, Location: {told}; its GET {answer.status}."
        look.found("http.location", "", promised, seen, made, answer)


def _headed(look: Look, steps: Mapping[str, Exchange]) -> None:
    got, head = steps.get(GOT), steps.get(HEAD)
    if got is None or head is None or not look.answered(got) or not look.answered(head):
        return
    look.examined += 1
    unlike = ["status"] if got.status != head.status else []
    if got.outcome is Outcome.OK and not unlike:
        unlike = [name for name in COMPARED if _header(got, name) != _header(head, name)]
    if unlike:
        promised = "RFC 9110, 9.3.2: HEAD is answered as GET, without the content."
        seen = f"GET was answered {got.status}, HEAD {head.status}; {', '.join(unlike)} differ."
        look.found("http.head", " ".join(unlike).lower(), promised, seen, got, head)


def _header(exchange: Exchange, name: str) -> str | None:
    return exchange.response.header(name) if exchange.response else None


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases, watches=True)
