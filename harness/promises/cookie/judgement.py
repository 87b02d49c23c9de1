"""What the answers of the case of `cookie` say: whether a page of another site can write as whoever is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exchange import Outcome
from harness.finding import Severity
from harness.promises.attempt import MAY, TOO_MANY_REQUESTS, Attempt, attempts
from harness.promises.cookie.jar import removes, set_cookies
from harness.promises.cookie.steps import (
    AFTER_OUT,
    HELD,
    IN_AGAIN,
    KEY,
    KINDS,
    NOBODY,
    OUT,
    READ,
    READ_OWN,
    REPLACED,
    parted,
)
from harness.promises.look import Look
from harness.promises.presented import scheme_of
from harness.promises.resource.steps import settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from harness.contract import Contract, Operation
    from harness.exchange import Exchange
    from harness.verdict import Verdict

FORGED, EFFECT, STATUS, ATTRIBUTES = "cookie.forged", "cookie.effect", "cookie.status", "cookie.attributes"
KEPT, TAKEN, STUCK, REFUSED = "cookie.kept", "cookie.taken", "cookie.stuck", "cookie.refused"
TITLES: Mapping[str, tuple[str, Severity]] = {
    FORGED: ("signs browsers in whose writes other sites can forge", Severity.HIGH),
    EFFECT: ("signs browsers in whose refused writes act all the same", Severity.HIGH),
    STATUS: ("signs browsers in whose forged writes are refused otherwise than promised", Severity.LOW),
    ATTRIBUTES: ("sets its session's cookie without protection", Severity.MEDIUM),
    KEPT: ("signs browsers in that keep the session's cookie when they sign out", Severity.MEDIUM),
    TAKEN: ("signs browsers in whose cookie is taken after they signed out", Severity.CRITICAL),
    REFUSED: ("sets a cookie that signs nobody in", Severity.HIGH),
    STUCK: ("refuses to sign in a browser that has the cookie of an old session", Severity.MEDIUM),
}
UNAUTHORIZED = 401
GUARDED = (
    "A write by the cookie of a browser is refused unless it comes from an own page, as the contract tells by what."
)


def judge(contract: Contract, operation: Operation, exchanges: Sequence[Exchange]) -> Verdict:
    """Nothing is told of a write that the browser's own page cannot make either."""
    told = contract.promise(KEY, operation)
    look = Look(KEY, operation, TITLES)
    if not isinstance(told, dict):
        return look.verdict()
    calls = settled(exchanges)
    _attributes(look, contract, told, calls)
    by_step = {exchange.request.step: exchange for exchange in calls}
    if _signs_in(look, by_step):
        tried = attempts(calls)
        for name in dict.fromkeys(parted(item.label)[0] for item in tried):
            _write(look, told, [item for item in tried if parted(item.label)[0] == name])
        if OUT in by_step:
            _out(look, contract, told, by_step)
    return look.verdict()


def _attributes(look: Look, contract: Contract, told: Mapping[str, Any], calls: Iterable[Exchange]) -> None:
    """The session's cookie is kept from scripts and from requests of other sites."""
    name = scheme_of(contract, told["scheme"]).get("name", "")
    for call in calls:
        for cookie, _, attributes in set_cookies(call) if call.operation == look.operation.id else ():
            if cookie != name or removes(call, attributes):
                continue
            look.examined += 1
            site = attributes.get("samesite", "").lower()
            wrong = [] if "httponly" in attributes else ["HttpOnly"]
            wrong += ["Secure"] if site == "none" and "secure" not in attributes else []
            wrong += [] if site in {"lax", "strict"} or (site == "none" and "token" in told) else ["SameSite"]
            if wrong:
                promised = "The cookie of a session is HttpOnly and SameSite, and Secure where it goes to any site."
                look.found(ATTRIBUTES, " ".join(wrong), promised, f"{name} was set without {', '.join(wrong)}.", call)
            return


def _signs_in(look: Look, by_step: Mapping[str, Exchange]) -> bool:
    """Whether the read tells a browser that is signed in from nobody."""
    nobody, browser = by_step.get(NOBODY), by_step.get(READ)
    if nobody is None or browser is None:
        return False
    for call, name in ((nobody, "nobody"), (browser, "a browser")):
        if unanswered := Attempt(name, "", call).unanswered:
            look.reasons.append(unanswered)
            return False
    own, held = by_step.get(READ_OWN), by_step.get(HELD)
    refused = not Attempt("", "", nobody).let_in and own is not None and {browser.status, own.status} == {UNAUTHORIZED}
    if refused and held is not None and Attempt("", "", held).let_in:
        look.examined += 1
        promised = f"The cookie that {look.operation.id} sets signs its browser in."
        seen = f"{browser.operation} answered {browser.status} to it, and {held.status} to the same account otherwise."
        look.found(REFUSED, "", promised, seen, browser, own, held)
        return False
    if Attempt("", "", nobody).let_in or not Attempt("", "", browser).let_in:
        look.reasons.append(
            f"{browser.operation} answered {browser.status} to the cookie and {nobody.status} to nobody, so nothing "
            "shows that the cookie signs in"
        )
        return False
    return True


def _write(look: Look, told: Mapping[str, Any], tried: Sequence[Attempt]) -> None:
    meant = next((item for item in tried if item.expected == MAY), None)
    if meant is None:
        return
    if not meant.let_in:
        look.reasons.append(
            meant.unanswered or f"{meant.call.operation} answered {meant.call.status} to a browser's own page"
        )
        return
    for item in tried:
        kind = parted(item.label)[1]
        if kind not in KINDS:
            continue
        if item.unanswered:
            look.reasons.append(item.unanswered)
            continue
        look.examined += 1
        _forged(look, told, kind, item, meant.call)


def _forged(look: Look, told: Mapping[str, Any], kind: str, item: Attempt, meant: Exchange) -> None:
    call, wanted = item.call, told.get("refused", item.call.status)
    seen = f"With {kind}, {call.operation} answered {call.status}; as its own page sends it, {meant.status}."
    if item.let_in:
        look.found(FORGED, kind, GUARDED, seen, call, meant)
    elif item.effect:
        witnesses = (item.before, call, item.after, item.again)
        look.found(EFFECT, kind, "A refused call changes nothing.", f"{seen[:-1]}; {item.effect}.", *witnesses)
    elif call.status != wanted:
        look.found(STATUS, kind, f"A forged write is refused with {wanted}.", seen, call)


def _out(look: Look, contract: Contract, told: Mapping[str, Any], by_step: Mapping[str, Exchange]) -> None:
    """A browser that signed out has no cookie any more, one that it kept opens nothing, and it can sign in again."""
    out = by_step[OUT]
    if not Attempt("", "", out).let_in:
        look.reasons.append(f"{out.operation} answered {out.status or out.error} to a browser that signs out")
        return
    look.examined += 1
    name = scheme_of(contract, told["scheme"]).get("name", "")
    late, replaced, again = (by_step.get(word) for word in (AFTER_OUT, REPLACED, IN_AGAIN))
    if replaced is None and not _removed(out, name):
        promised = "Who signs out has the cookie of their session removed."
        look.found(KEPT, "", promised, f"{out.operation} answered {out.status} without removing {name}.", out)
    for call in (late, replaced):
        if call is not None and _let_in(look, call):
            after = f"afterwards {call.operation} answered {call.status} to it."
            seen = f"{out.operation} was answered {out.status}; {after}"
            look.found(TAKEN, "", "The cookie of a session that was signed out of opens nothing.", seen, out, call)
    closed = again is not None and not _let_in(look, again) and again.outcome is Outcome.REFUSED
    if again is not None and closed and again.status != TOO_MANY_REQUESTS:
        seen = f"With the cookie of the old session beside the right password it was answered {again.status}."
        look.found(STUCK, "", "A browser cannot put a cookie away by itself: whoever signs in is let in.", seen, again)


def _removed(out: Exchange, name: str) -> bool:
    """Whether a sign-out removes the cookie, or has the browser remove all (W3C Clear Site Data)."""
    cleared = (out.response.header("Clear-Site-Data") if out.response else None) or ""
    alone = any(cookie == name and removes(out, attributes) for cookie, _, attributes in set_cookies(out))
    return alone or '"cookies"' in cleared or '"*"' in cleared


def _let_in(look: Look, call: Exchange) -> bool:
    """Whether a browser was let in; counts what was told, notes what was not."""
    tried = Attempt(call.request.identity.name, "", call)
    if tried.unanswered:
        look.reasons.append(tried.unanswered)
    look.examined += not tried.unanswered
    return tried.let_in
