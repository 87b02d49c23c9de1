"""The promise `cors`: which origins' pages may read answers in a browser; no other is told that it may.

Where no origins are declared only what no API can mean is a fault: a foreign origin, or every one, with credentials.
Source: WHATWG Fetch, 3.2 (HTTP CORS protocol).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.case import Case, one
from harness.exchange import Outcome, Request
from harness.finding import Severity
from harness.promises.attempt import MAY, Attempt
from harness.promises.look import TOO_MANY_REQUESTS, Look
from harness.promises.presented import scheme_of
from harness.promises.promise import Promise
from harness.promises.resource.steps import settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.stage import Stage
    from harness.verdict import Verdict

KEY = "cors"
ANY, NULL = "*", "null"
FOREIGN = "https://foreign.example"
SAFELISTED = {"GET", "HEAD", "POST"}  # Fetch, 4.8: sent without a permission
BEARING = {"http", "oauth2", "openIdConnect"}
PREFLIGHT, SIMPLE, PLAIN = "preflight", "simple", "no origin"
ALLOW = "Access-Control-Allow-Origin"
TITLES = {
    "cors.foreign-origin": ("lets pages of a foreign origin read its answers", Severity.HIGH),
    "cors.any-origin": ("allows every origin", Severity.MEDIUM),
    "cors.refused": ("refuses a declared origin", Severity.MEDIUM),
    "cors.vary": ("answers an origin without Vary: Origin", Severity.LOW),
}
ANNOTATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "origins": {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True},
        "credentials": {"const": True},
    },
    "required": ["origins"],
    "additionalProperties": False,
}


def applies(contract: Contract, operation: Operation) -> bool:
    """Where it is declared; else at reads that need no parameter, for the faults that no API can mean."""
    if operation.streams or operation.promises.get(KEY) is False or contract.defaults.get(KEY) is False:
        return False
    plain = operation.method == "GET" and not any(parameter.required for parameter in operation.parameters)
    return contract.promise(KEY, operation) is not None or plain


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case: a preflight and, where nothing can come of it, a simple request, from each origin, as nobody."""
    told = contract.promise(KEY, operation)
    first = contract.at(operation.path)[0] is operation
    return (Case(KEY, operation.id, "origins", partial(_steps, operation, told, first=first)),)


def _steps(operation: Operation, told: Mapping[str, Any] | None, stage: Stage, *, first: bool) -> Steps[None]:
    path = {item.name: stage.examples.value(item.schema, name=item.name) for item in operation.path_parameters}
    plain = stage.request(operation.id, path=path, identity=stage.anonymous())
    refused = operation.secured and not operation.optional_security
    allowed = [origin for origin in (told or {}).get("origins", ()) if origin != ANY]
    near = [other for origin in allowed[:1] for other in _like(origin)] if first else []
    fixed = False
    for origin in (FOREIGN, NULL, *near, *allowed[:1]):
        asked = (
            ("Origin", origin),
            ("Access-Control-Request-Method", operation.method),
            ("Access-Control-Request-Headers", "authorization"),
        )
        preflight = Request("OPTIONS", plain.path, headers=asked, identity=plain.identity, source=plain.source)
        answer = yield from one(replace(preflight, step=f"{PREFLIGHT} {origin}"))
        fixed |= origin == FOREIGN and _names_only(told, answer)
        if (operation.reads or refused) and origin not in near:
            request = stage.request(
                operation.id, path=path, identity=stage.anonymous(), headers=(("Origin", origin),),
                step=f"{SIMPLE} {origin}",
            )  # fmt: skip
            yield from one(request)
    if fixed and allowed:
        yield from one(replace(preflight, headers=(), step=PLAIN))


def _names_only(told: Mapping[str, Any] | None, exchange: Exchange) -> bool:
    """Whether an answer names the only origin that is declared."""
    return told is not None and exchange.response is not None and [exchange.response.header(ALLOW)] == told["origins"]


def _like(origin: str) -> Iterator[str]:
    """Origins that a check by prefix, suffix or host alone takes for the declared one."""
    parts = urlsplit(origin)
    if parts.scheme and parts.hostname:
        yield f"{origin}.foreign.example"
        yield f"{parts.scheme}://foreign{parts.netloc}"
        yield f"{'http' if parts.scheme == 'https' else 'https'}://{parts.netloc}"


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """No answer tells another origin than a declared one that it may read.

    One that is sent whoever asks, as its only origin is a setting of the server, is for that one alone.
    """
    told = contract.promise(KEY, operation)
    look = Look(KEY, operation, TITLES)
    exchanges = settled(exchanges)
    fixed = any(exchange.request.step == PLAIN and _names_only(told, exchange) for exchange in exchanges)
    for exchange in exchanges:
        way, _, origin = exchange.request.step.partition(" ")
        if way not in {PREFLIGHT, SIMPLE}:
            continue
        limited = exchange.status == TOO_MANY_REQUESTS  # a limit stands before what looks at origins, or behind it
        if exchange.response is None or exchange.outcome is Outcome.UNKNOWN or limited:
            look.reasons.append(f"{operation.id} gave {exchange.status or exchange.error} to {way} of {origin}")
            continue
        look.examined += 1
        allow = exchange.response.header(ALLOW)
        sent = (exchange.response.header("Access-Control-Allow-Credentials") or "").strip().lower() == "true"
        if told is not None and (origin in told["origins"] or ANY in told["origins"]):
            _of_declared(look, told, exchange, (way, origin, allow), with_credentials=sent)
            if way == SIMPLE and allow == origin and not fixed:
                _varies(look, exchange, origin)
            if way == PREFLIGHT and allow in {origin, ANY}:
                _permitted(look, contract, exchange, origin, with_credentials=bool(told.get("credentials")))
        elif fixed and told is not None and [allow] == told["origins"]:
            continue
        if allow is not None and (told is None or origin not in told["origins"]):
            _of_foreign(look, told, exchange, (way, origin, allow), with_credentials=sent)
    return look.verdict()


def _of_declared(
    look: Look,
    told: Mapping[str, Any],
    exchange: Exchange,
    seen: tuple[str, str, str | None],
    *,
    with_credentials: bool,
) -> None:
    way, origin, allow = seen
    if allow not in {origin, ANY}:
        text = (
            f"A {way} request of it was answered {exchange.status}, Access-Control-Allow-Origin: {allow or 'absent'}."
        )
        look.found("cors.refused", way, f"Pages of {origin} may read answers.", text, exchange)
    elif told.get("credentials") and not with_credentials:
        promised = f"Pages of {origin} may read answers with credentials."
        text = f"A {way} request of it was answered {exchange.status} without Access-Control-Allow-Credentials: true."
        look.found("cors.refused", f"{way} credentials", promised, text, exchange)


def _varies(look: Look, exchange: Exchange, origin: str) -> None:
    response = exchange.response
    assert response is not None, "the judge passes over what was not answered"
    vary = response.names("Vary")
    if not vary & {"origin", ANY}:
        promised = "An answer that depends on the origin says so, or a cache gives it to another (Fetch, 3.2.5)."
        seen = f"It allows {origin}; Vary is {', '.join(sorted(vary)) or 'absent'}."
        look.found("cors.vary", "", promised, seen, exchange)


def _permitted(look: Look, contract: Contract, exchange: Exchange, origin: str, *, with_credentials: bool) -> None:
    """A browser sends what follows a preflight only where that is a 2xx and permits the method and the headers."""
    operation, response = look.operation, exchange.response
    assert response is not None, "the judge passes over what was not answered"
    any_counts = set() if with_credentials else {ANY}  # with credentials `*` is a name like any other (Fetch, 4.8)
    methods, headers = (response.names(f"Access-Control-Allow-{name}") for name in ("Methods", "Headers"))
    lacking = [] if Attempt(origin, MAY, exchange).let_in else [f"with {exchange.status}"]
    if operation.method not in SAFELISTED and not methods & {operation.method.lower(), *any_counts}:
        lacking.append(f"with Access-Control-Allow-Methods without {operation.method}")
    if _bears(contract, operation) and "authorization" not in headers:  # `*` does not stand for this one
        lacking.append("with Access-Control-Allow-Headers without Authorization")
    if lacking:
        promised = f"Pages of {origin} may call what they may read."
        text = f"A preflight of it for {operation.method} with Authorization was answered {', '.join(lacking)}."
        look.found("cors.refused", "preflight of the call", promised, text, exchange)


def _bears(contract: Contract, operation: Operation) -> bool:
    """Whether every way to prove an identity to the operation takes the header Authorization."""
    ways = [[scheme_of(contract, name) for name in way] for way in operation.schemes if way]
    return bool(ways) and all(any(scheme.get("type") in BEARING for scheme in way) for way in ways)


def _of_foreign(
    look: Look,
    told: Mapping[str, Any] | None,
    exchange: Exchange,
    seen: tuple[str, str, str],
    *,
    with_credentials: bool,
) -> None:
    way, origin, allow = seen
    open_to_all = told is not None and ANY in told["origins"]
    if (told is None or open_to_all) and not with_credentials:
        return
    names = ", ".join(told["origins"]) if told and told["origins"] else "declared origins"
    promised = f"Only pages of {names} may read answers." if told else "No foreign origin may read with credentials."
    end = " with Access-Control-Allow-Credentials: true" if with_credentials else ""
    text = f"A {way} request of {origin} was answered {exchange.status}, Access-Control-Allow-Origin: {allow}{end}."
    if allow == ANY:
        look.found("cors.any-origin", "with credentials" if with_credentials else "", promised, text, exchange)
    elif allow in {origin, NULL}:
        kind = "null" if NULL in {origin, allow} else "reflected" if origin == FOREIGN else "like a declared one"
        severity = Severity.HIGH if with_credentials else Severity.MEDIUM
        look.found("cors.foreign-origin", kind, promised, text, exchange, severity=severity)
    elif told is not None:
        look.found("cors.foreign-origin", "another's", promised, text, exchange, severity=Severity.LOW)


PROMISE = Promise(KEY, ANNOTATION, applies, judge, cases)
