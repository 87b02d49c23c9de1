"""How another tool is let in: the identities of harness.toml as a file of credentials (Web Fuzzing Commons).

The one that may do most comes first, as Schemathesis keeps to the first that an operation lets in. All are told as its
peers, which may not see each other's things: what they may see by right is seen on the clean build too.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.actors import PRESENT
from harness.case import Case, Steps
from harness.contract import pointer
from harness.drive import drive
from harness.errors import CannotTell, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.actors import Actors
    from harness.exchange import Exchange
    from harness.identities import Identity
    from harness.run import Run
    from harness.stage import Stage

PURPOSE = "against"
CREDENTIALS = "credentials.json"


@dataclass(frozen=True, slots=True)
class Caller:
    """One identity: its name, its roles, and the entry of the file of credentials that lets it in."""

    name: str
    roles: tuple[str, ...]
    entry: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callers:
    """Who calls, in the order in which they are tried, and the headers that all of them send, none of them secret."""

    identities: tuple[Caller, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def peers(self) -> tuple[str, ...]:
        """The names of all, where there are several."""
        names = tuple(caller.name for caller in self.identities)
        return names if len(names) > 1 else ()

    @property
    def document(self) -> dict[str, Any]:
        """The file of credentials."""
        return {"auth": [{"name": caller.name, **caller.entry} for caller in self.identities]}

    @property
    def told(self) -> tuple[str, ...]:
        """Each identity in words."""
        return tuple(f"{caller.name} ({', '.join(caller.roles) or 'no role'})" for caller in self.identities)

    def settings(self, project: str) -> str:
        """The project's own settings with these callers added, where it does not tell callers itself.

        Raises UsageError where the project's settings are no TOML.
        """
        try:
            known = tomllib.loads(project)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"schemathesis.toml is not TOML: {error}; mend that place") from error
        lines = [project.rstrip("\n")] if project else []
        if self.headers and "headers" not in known:
            lines += ["", "[headers]", *(f"{_text(name)} = {_text(value)}" for name, value in self.headers)]
        if self.identities and "auth" not in known:
            lines += ["", "[auth.wfc]", f"path = {_text(CREDENTIALS)}"]
            lines += [f"peers = [{', '.join(map(_text, self.peers))}]"] if self.peers else []
        return "\n".join([*lines, ""])


def callers(run: Run) -> Callers:
    """Fresh identities where the API can register, those that are known where it cannot; nobody where none is told.

    Raises UsageError where the tenant is told in the path, CannotTell where no identity can be had.
    """
    actors = run.actors
    if actors.told.get("tenants", {}).get("prefix"):
        raise UsageError("tenants are told in the path (identities.tenants.prefix), which Schemathesis cannot be told")
    stage = run.stage(PURPOSE)
    headers = actors.tenant_headers(stage.tenant)
    found: list[Caller] = []
    reasons: list[str] = []
    wanted = _wanted(actors)
    for name, entering in wanted:
        identity, exchanges, reason = _had(run, stage, entering)
        if identity is None:
            reasons.append(reason)
        elif identity.headers != headers:
            shown = name if actors.can_register else identity.name
            if shown not in {caller.name for caller in found}:
                found.append(Caller(shown, identity.roles, _entry(actors, identity, exchanges, headers)))
    if wanted and not found:
        raise CannotTell(f"no identity for Schemathesis: {'; '.join(dict.fromkeys(reasons)) or 'all are nobody'}")
    return Callers(tuple(found), headers)


def _wanted(actors: Actors) -> list[tuple[str, Callable[[Stage], Steps[Identity]]]]:
    """Ways to enter, of known identities one of each role; the role that is told last goes first."""
    if actors.can_register:
        usual = ("caller", actors.with_role)
        if actors.can_grant_several:
            return [("caller-of-every-role", actors.with_every_role), usual]
        others = [role for role in reversed(actors.roles) if role != actors.told.get("default_role")]
        return [*((f"caller-of-role-{role}", _in(actors, role)) for role in others), usual]
    if not actors.told.get("known"):
        return []
    return [(role, _known(actors, role)) for role in reversed(actors.roles or ("",))]


def _in(actors: Actors, role: str) -> Callable[[Stage], Steps[Identity]]:
    return lambda stage: actors.with_role(stage, role)


def _known(actors: Actors, role: str) -> Callable[[Stage], Steps[Identity]]:
    return lambda stage: actors.known(stage, role)


def _had(
    run: Run, stage: Stage, entering: Callable[[Stage], Steps[Identity]]
) -> tuple[Identity | None, Sequence[Exchange], str]:
    """The identity, what was sent to have it, and why there is none."""
    kept: list[Identity] = []

    def keeping(_: Stage) -> Steps[None]:
        kept.append((yield from entering(stage)))

    driven = drive(Case(PURPOSE, PURPOSE, PURPOSE, keeping), stage, run.recorder)
    return (kept[0] if kept else None), driven.exchanges, driven.reason


def _entry(
    actors: Actors, identity: Identity, exchanges: Sequence[Exchange], tenant: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """The login that gave the identity its token, to be sent again when that holds no more; else its headers."""
    own = [pair for pair in identity.headers if pair not in tenant]
    present = dict(actors.told.get("present") or PRESENT)
    token = actors.token_of(identity)
    login = next((item for item in reversed(exchanges) if token and _token(actors, item) == token), None)
    if login is None or len(present) != 1 or login.request.query:
        return {"fixedHeaders": [{"name": name, "value": value} for name, value in own]}
    ((header, template),) = present.items()
    return {
        "loginEndpointAuth": {
            "endpoint": login.request.path,
            "verb": login.request.method,
            "contentType": "application/json",
            "payloadRaw": (login.request.body or b"").decode("utf-8"),
            "headers": [{"name": name, "value": value} for name, value in tenant],
            "token": {
                "extractFrom": "body",
                "extractSelector": actors.told["login"]["token"],
                "sendIn": "header",
                "sendName": header,
                "sendTemplate": template,
            },
        }
    }


def _token(actors: Actors, exchange: Exchange) -> Any:
    if exchange.operation != actors.login_operation or exchange.response is None:
        return None
    return pointer.get(exchange.response.json(), actors.told["login"]["token"])


def _text(value: str) -> str:
    """A TOML string; `${` is no place of a variable in it."""
    return json.dumps(value).replace("${", "$${")
