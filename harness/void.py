"""Credentials that do not hold, made from ones that do: made-up, ill-formed, expired, revoked, of a barred account.

What cannot be had from outside is told under `identities.void` of harness.toml; what is not told raises CannotTell.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.case import Steps, one, unlimited
from harness.config import filled
from harness.contract import pointer
from harness.errors import CannotTell
from harness.exchange import Outcome
from harness.identities import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.stage import Stage

GARBAGE, WRONG_SCHEME, NO_SCHEME = "garbage", "wrong-scheme", "no-scheme"
FORMS = (WRONG_SCHEME, NO_SCHEME)
VALID, REVOKED, BARRED = "valid", "revoked", "barred"
# What a call does that is told: it ends a session, or an account's whole access.
ENDED = (REVOKED, BARRED)
# Those of every API; that an account can be barred is not said of one.
TOLD_KINDS = ("expired", REVOKED, "wrong-audience")
CREDENTIAL = re.compile(r"auth|key|token|secret|cookie|session|credential", re.IGNORECASE)
Changed = Callable[[str, str], str]
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]*) +(\S.*)")
HOW = (
    "credentials that are {kind} cannot be had from outside: under identities.void of harness.toml give a "
    "token_command and {kind!r} in its kinds, or a token under identities.void.tokens{more}"
)
HOW_ENDED = {
    REVOKED: ", or the operation that ends a session under identities.void.revoked",
    BARRED: ", or the operation that ends an account's access under identities.void.barred",
}


def kinds(told: Mapping[str, object], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Every kind to be tried: what needs nothing, what is wanted, and what harness.toml tells besides."""
    void = told.get("void", {})
    assert isinstance(void, dict), "config checked it"
    more = (*void.get("kinds", ()), *void.get("tokens", {}), *(kind for kind in ENDED if kind in void))
    return tuple(dict.fromkeys((GARBAGE, WRONG_SCHEME, NO_SCHEME, *wanted, *more)))


def voided(stage: Stage, kind: str, valid: Identity) -> Steps[Identity | None]:
    """The identity with credentials of a kind that does not hold; None where its credentials know no such kind."""
    if kind == GARBAGE:
        return _credentials(stage, valid, kind, partial(_made_up, stage))
    if kind == WRONG_SCHEME:
        return _credentials(stage, valid, kind, lambda scheme, token: f"Negotiate {token}" if scheme else "")
    if kind == NO_SCHEME:
        return _credentials(stage, valid, kind, lambda scheme, token: token if scheme else "")
    key = (stage.tenant, *valid.roles, kind)
    if key not in stage.actors.void:
        stage.actors.void[key] = yield from _told(stage, kind, valid)
    return stage.actors.void[key]


def _credentials(stage: Stage, valid: Identity, kind: str, changed: Changed) -> Identity | None:
    """The identity with every credential changed, other headers as they are; None where it has no such credential."""
    tenant = stage.actors.tenant_headers(valid.tenant)
    own = [pair for pair in valid.headers if pair not in tenant]
    secret = [pair for pair in own if CREDENTIAL.search(pair[0])] or own
    headers, found = [], False
    for name, value in own:
        text = _changed(name, value, changed) if (name, value) in secret else value
        headers += [(name, text)] if text else []
        found |= bool(text) and (name, value) in secret
    return Identity(kind, valid.roles, valid.tenant, (*headers, *tenant)) if found else None


def _changed(name: str, value: str, changed: Changed) -> str:
    """A header's value with its credential changed; of a cookie the names are kept."""
    if name.lower() == "cookie":
        pairs = (part.strip().partition("=") for part in value.split(";"))
        made = [(cookie, changed("", text)) for cookie, _, text in pairs]
        return "; ".join(f"{cookie}={text}" for cookie, text in made if text)
    match = SCHEME.fullmatch(value)
    return changed(match[1], match[2]) if match else changed("", value)


def _made_up(stage: Stage, scheme: str, token: str) -> str:
    """A credential that is as secret as the one that it tells to whoever turns it round."""
    found = _unlike(token)
    stage.secret(found, "token")
    return f"{scheme} {found}".strip()


def _unlike(token: str) -> str:
    """A credential of the same form that nobody was given: its letters and digits turned round."""
    turned = re.sub(r"[A-Za-z0-9]+", lambda match: match[0][::-1].swapcase(), token)
    return turned if turned != token else f"{token[:-1]}{'y' if token.endswith('x') else 'x'}"


def _told(stage: Stage, kind: str, valid: Identity) -> Steps[Identity]:
    void = stage.actors.told.get("void", {})
    if kind in void.get("tokens", {}):
        token = str(filled(void["tokens"][kind], {}, stage.actors.environment))
        return stage.actors.presenting(Identity(kind, valid.roles, valid.tenant), token)
    if kind in void.get("kinds", ()):
        return (yield from _forged(stage, kind, valid))
    if kind in ENDED and kind in void:
        return (yield from _ended(stage, kind, valid))
    raise CannotTell(HOW.format(kind=kind, more=HOW_ENDED.get(kind, "")))


def _forged(stage: Stage, kind: str, valid: Identity) -> Steps[Identity]:
    """A token of the project's command, which must be one whose valid tokens are let in: else its key is another."""
    control = (stage.tenant, *valid.roles, VALID)
    token = stage.actors.token_of(valid)
    if not token:
        raise CannotTell(f"credentials that are {kind} are made from a token, and the identity here presents none")
    if control not in stage.actors.void:
        signed = _signed(stage, VALID, token)
        again = stage.actors.presenting(replace(valid, headers=()), signed)
        yield from _holds(stage, again)
        stage.actors.void[control] = again
    made = _signed(stage, kind, token)
    return stage.actors.presenting(Identity(kind, valid.roles, valid.tenant), made)


def _signed(stage: Stage, kind: str, token: str) -> str:
    void, environment = stage.actors.told["void"], stage.actors.environment
    command = filled(list(void["token_command"]), {"kind": kind, "python": sys.executable}, environment)
    own = filled(dict(void.get("environment", {})), {}, environment)
    made = stage.actors.forge(command, own, token, str(void.get("folder", "")))
    stage.secret(made, "token")
    return made


def _holds(stage: Stage, identity: Identity) -> Steps[None]:
    """Raises CannotTell where a read that asks for an identity, without parameters, does not let this one in."""
    for operation in stage.contract.operations:
        roles = stage.contract.promise("roles", operation)
        admitted = not roles or bool({"signed-in", *identity.roles} & set(roles["allow"]))
        needs = any(parameter.required for parameter in operation.parameters) or operation.streams
        if (
            operation.method == "GET"
            and operation.secured
            and not operation.optional_security
            and admitted
            and not needs
        ):
            exchange = unlimited((yield from one(stage.request(operation.id, identity=identity, step="set-up"))))
            if exchange.outcome is Outcome.OK:
                return
            raise CannotTell(
                f"the token that identities.void.token_command signs as valid is answered {exchange.status} by "
                f"{operation.id}, so its others show nothing: it must sign with the API's own key"
            )
    raise CannotTell(
        "no read without parameters asks for an identity, so nothing shows that forged tokens are well made"
    )


def _ended(stage: Stage, kind: str, valid: Identity) -> Steps[Identity]:
    """A fresh identity whose session, or whole access, is ended by the call that is told; it was let in before."""
    if not stage.actors.can_register:
        raise CannotTell(
            f"credentials that are {kind} are those of a fresh identity; tell how one is had, under identities.register"
        )
    # Without a grant a role is a known account's alone, which is to keep its access.
    role = valid.roles[0] if valid.roles and "grant" in stage.actors.told else ""
    fresh = yield from stage.actors.with_role(stage, role)
    yield from end(stage, kind, fresh)
    return replace(fresh, name=kind)


def end(stage: Stage, kind: str, account: Identity) -> Steps[None]:
    """Ends a session or an account's access as is told; raises CannotTell where the API does not say that it did."""
    told = stage.actors.told["void"][kind]
    by = (yield from stage.actors.known(stage, told["by"])) if "by" in told else account
    answer = yield from stage.actors.call(stage, told, {**account.facts, "name": account.name}, by, f"void.{kind}")
    if "done" not in told:
        return
    done = pointer.get(answer.response.json() if answer.response else None, told["done"])
    if done is pointer.MISSING or not done:
        raise CannotTell(
            f"{answer.operation} answered {answer.status} and told at {told['done']} that nothing was done: "
            f"see identities.void.{kind}"
        )
