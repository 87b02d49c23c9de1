"""The case of `cookie`: writes as a page of another site would have a browser send them, and as its own pages do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import things
from harness.case import SETTLE_S, Case, Pause, one
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.promises import presented
from harness.promises import subject as subjects
from harness.promises.attempt import MAY, MAY_NOT, attempt
from harness.promises.cookie.jar import left, opened
from harness.promises.cookie.steps import (
    AFTER_OUT,
    FOREIGN,
    HELD,
    IN_AGAIN,
    KEY,
    LACKING,
    NOBODY,
    OUT,
    OWN,
    READ,
    READ_OWN,
    REPLACED,
    STOLEN,
    label,
)
from harness.promises.cors import FOREIGN as FOREIGN_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from harness.case import Steps
    from harness.contract import Contract, Operation
    from harness.identities import Identity
    from harness.promises.cookie.jar import Jar
    from harness.stage import Stage


def applies(contract: Contract, operation: Operation) -> bool:
    """Whether the operation says that it signs a browser in."""
    return isinstance(contract.promise(KEY, operation), dict)


def cases(contract: Contract, operation: Operation, _random: Random) -> Sequence[Case]:
    """One case, of two browsers."""
    return (Case(KEY, operation.id, "browser", partial(_browser, operation)),) if applies(contract, operation) else ()


def _browser(operation: Operation, stage: Stage) -> Steps[None]:
    told = stage.contract.promise(KEY, operation)
    if operation.id != stage.actors.login_operation:
        raise CannotTell(
            f"{operation.id} is not identities.login.operation, by which fresh accounts sign in: tell it there"
        )
    mine = yield from opened(stage, told)
    theirs = yield from opened(stage, told)
    read = presented.read(stage.contract, told, mine.holder)
    yield from one(stage.request(read.id, identity=stage.anonymous(), step=NOBODY))
    shown = yield from one(stage.request(read.id, identity=mine.caller(stage, "browser"), step=READ))
    if shown.outcome is Outcome.REFUSED:
        yield Pause(SETTLE_S)
        page = mine.caller(stage, "browser with its own token", *mine.token)
        yield from one(stage.request(read.id, identity=page, step=READ_OWN))
        yield from one(stage.request(read.id, identity=mine.holder, step=HELD))
    by_method = _writes(stage, told, mine.holder)
    if not by_method:
        raise CannotTell(f"no write takes the scheme {told['scheme']!r}, so nothing can be forged")
    reasons: list[str] = []
    tried = 0
    for writes in by_method.values():
        try:
            yield from _first(stage, told, writes, mine, theirs)
            tried += 1
        except CannotTell as reason:
            reasons.append(str(reason))
    if not tried:
        raise CannotTell("; ".join(dict.fromkeys(reasons)))
    if "out" in told:
        yield from _signed_out(stage, stage.contract.by_id[told["out"]], read, mine)


def _signed_out(stage: Stage, out: Operation, read: Operation, mine: Jar) -> Steps[None]:
    """The browser signs out by its own page; its old cookies at the read, and beside a new sign-in of its owner."""
    request = yield from things.valid(stage, out, identity=mine.holder, step=OUT)
    done = yield from one(replace(request, identity=mine.caller(stage, OWN, *mine.token)))
    if done.outcome is not Outcome.OK:
        return
    late = mine.caller(stage, "browser after sign-out")
    yield from one(stage.request(read.id, identity=late, step=AFTER_OUT))
    new = left(done)
    if new.get(mine.session, "") not in {"", mine.cookies[mine.session]}:
        stage.secret(new[mine.session], "cookie")
        now = replace(mine, cookies={**mine.cookies, **new}).caller(stage, "browser with what replaced its cookie")
        yield from one(stage.request(read.id, identity=now, step=REPLACED))
    own = mine.caller(stage, "browser that signs in again", *mine.token)
    yield from one(replace(mine.login, identity=own, step=IN_AGAIN))


def _writes(stage: Stage, told: Mapping[str, Any], holder: Identity) -> Mapping[str, Sequence[Operation]]:
    """The writes that take the cookie, by their methods: none that changes its caller, or is of a thing unknown."""
    found: dict[str, list[Operation]] = {}
    for operation in stage.contract.operations:
        takes = any(told["scheme"] in way for way in operation.schemes) and not operation.optional_security
        known = not operation.path_parameters or subjects.acted_on(stage.contract, operation) is not None
        leaves = operation.id == told.get("out") or presented.changes_holder(stage, operation)
        if not takes or not known or operation.reads or leaves:
            continue
        if subjects.may(stage.contract, operation, holder):
            found.setdefault(operation.method, []).append(operation)
    return found


def _first(stage: Stage, told: Mapping[str, Any], writes: Sequence[Operation], mine: Jar, theirs: Jar) -> Steps[None]:
    """The first of some writes of which the holder has, or can make, a thing; CannotTell where there is none."""
    reasons = []
    for write in writes:
        try:
            return (yield from _tried(stage, told, write, mine, theirs))
        except CannotTell as reason:
            reasons.append(str(reason))
    raise CannotTell("; ".join(dict.fromkeys(reasons)))


def _tried(stage: Stage, told: Mapping[str, Any], operation: Operation, mine: Jar, theirs: Jar) -> Steps[None]:
    """One write on a thing of the holder's: as it is forged, each way, and at last as it is meant.

    What is deleted is another thing each time, as one that is gone shows nothing more.
    """
    subject = yield from presented.thing(stage, operation, mine.holder)
    for at, (kind, caller) in enumerate(_callers(stage, told, mine, theirs).items()):
        if at and operation.method == "DELETE":
            subject = yield from presented.thing(stage, operation, mine.holder)
        step = f"{MAY if kind == OWN else MAY_NOT}:{label(kind, operation.id)}"
        yield from attempt(stage, operation, subject=subject, identity=mine.holder, step=step, caller=caller)


def _callers(stage: Stage, told: Mapping[str, Any], mine: Jar, theirs: Jar) -> Mapping[str, Identity]:
    """Who sends the write: a page of another site in each way that it can, at last the browser's own page."""
    found = {}
    if mine.token:
        found = {LACKING: mine.caller(stage, LACKING), STOLEN: mine.caller(stage, STOLEN, *theirs.token)}
    if not mine.token or "origin" in told:
        found[FOREIGN] = mine.caller(stage, FOREIGN, *mine.token, ("Origin", FOREIGN_ORIGIN))
    return {**found, OWN: mine.caller(stage, OWN, *mine.token)}
