"""How identities are had: fresh ones by registering, known ones by login or from the environment, roles by a grant.

Everything here is a generator of requests, as a case is: it sends nothing itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.case import TOO_MANY_REQUESTS, Steps, one, together, unlimited
from harness.config import filled
from harness.contract import pointer
from harness.errors import CannotTell, UsageError
from harness.exchange import Exchange, Outcome, Request
from harness.identities import ANONYMOUS, CREDENTIALS, GIVEN, Identity

if TYPE_CHECKING:
    from harness.stage import Stage

SETUP = "set-up"
CASES_SHARING = 12
ROLE = "{role}"
PRESENT = {"Authorization": "Bearer {token}"}
Told = Mapping[str, Any]
Entry = tuple[Identity, Exchange]


class Limited(CannotTell):
    """A call of the set-up was refused with 429 and not waited for."""


Forge = Callable[[Sequence[str], Mapping[str, str], str, str], str]


def no_forge(command: Sequence[str], _environment: Mapping[str, str], _token: str, _folder: str) -> str:
    """Where no command may be run."""
    raise CannotTell(f"{' '.join(command)!r} makes credentials, and no command is run here")


@dataclass(slots=True)
class Actors:
    """Gives cases their identities as `[identities]` of harness.toml tells. Logins of known identities are kept.

    `forge` runs the project's command for tokens that do not hold; `void` keeps what it gave for other cases. `shared`
    are sessions of known identities, by tenant and name, that stand in where the API limits how often one logs in.
    """

    told: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    forge: Forge = no_forge
    void: dict[tuple[str, ...], Identity] = field(default_factory=dict, repr=False)
    shared: dict[tuple[str, str], Identity] = field(default_factory=dict, repr=False)
    _company: dict[tuple[str, str], Identity] = field(default_factory=dict, repr=False)
    _cases: int = 0
    _logged_in: dict[tuple[str, str], Identity] = field(default_factory=dict, repr=False)

    @property
    def tenants(self) -> Sequence[str]:
        """The tenants that cases may use; none where the API has none."""
        return tuple(self.told.get("tenants", {}).get("names", ()))

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that an identity can be had in."""
        told = tuple(self.told.get("roles", ()))
        known = tuple(role for entry in self.told.get("known", ()) for role in entry.get("roles", ()))
        return tuple(dict.fromkeys((*told, *known)))

    @property
    def login_operation(self) -> str:
        """The operation by which told accounts log in; empty where none is told."""
        return str(self.told.get("login", {}).get("operation", ""))

    @property
    def can_register(self) -> bool:
        """Whether fresh identities can be had."""
        return "register" in self.told

    def tenant_headers(self, tenant: str) -> tuple[tuple[str, str], ...]:
        """The header that tells the tenant; none where there is none."""
        header = self.told.get("tenants", {}).get("header")
        return ((header, tenant),) if header and tenant else ()

    def tenant_prefix(self, tenant: str) -> str:
        """What stands before every path where the path tells the tenant."""
        prefix = str(self.told.get("tenants", {}).get("prefix", ""))
        return prefix.replace("{tenant}", tenant) if tenant else ""

    def moved(self, identity: Identity, tenant: str) -> Identity:
        """The identity with its credentials as they are, telling another tenant."""
        theirs = self.tenant_headers(identity.tenant)
        kept = tuple(pair for pair in identity.headers if pair not in theirs)
        return replace(identity, tenant=tenant, headers=(*kept, *self.tenant_headers(tenant)))

    def anonymous(self, tenant: str) -> Identity:
        """Nobody, in a tenant."""
        return Identity(ANONYMOUS.name, tenant=tenant, headers=self.tenant_headers(tenant)) if tenant else ANONYMOUS

    def with_role(self, stage: Stage, role: str = "") -> Steps[Identity]:
        """A fresh identity in a role, or a known one where none can be made; the default role where none is named.

        Raises CannotTell where neither can be had. `anyone` is nobody.
        """
        if role == "anyone":
            return self.anonymous(stage.tenant)
        role = "" if role == "signed-in" else role
        default = self.told.get("default_role", "")
        if not self.can_register:
            return (yield from self.known(stage, role))
        fresh = yield from self._registered(stage)
        if role in {"", default}:
            return fresh
        return (yield from self._granted(stage, fresh, role))

    @property
    def can_grant_several(self) -> bool:
        """Whether one identity can be given several roles: where a grant's body lists them."""
        several = len(self.told.get("roles", ())) > 1
        return self.can_register and several and [ROLE] in (self.told.get("grant", {}).get("body") or {}).values()

    def with_every_role(self, stage: Stage) -> Steps[Identity]:
        """A fresh identity that has every role at once."""
        fresh = yield from self._registered(stage)
        grant, roles = self.told["grant"], tuple(self.told["roles"])
        body = {name: list(roles) if value == [ROLE] else value for name, value in grant["body"].items()}
        by = yield from self.known(stage, grant["by"])
        yield from self.call(stage, {**grant, "body": body}, {**fresh.facts, "name": fresh.name}, by, "grant")
        return replace(fresh, roles=roles)

    def known(self, stage: Stage, role: str = "", *, other_than: Sequence[Identity] = ()) -> Steps[Identity]:
        """An identity that harness.toml or an option names, in a role; raises CannotTell where there is none."""
        taken = {identity.name for identity in other_than} | set(stage.taken)
        for entry in self.told.get("known", ()):
            here = entry.get("tenant", stage.tenant) == stage.tenant
            if here and entry["name"] not in taken and (not role or role in entry.get("roles", ())):
                return (yield from self._entered(stage, entry))
        wanted = f"with the role {role!r}" if role else "that is signed in"
        more = " beside those in use" if taken else ""
        raise CannotTell(
            f"no identity {wanted}{more} can be had; name one by --bearer, --header, --account or [[identities.known]]"
        )

    def company(self) -> dict[tuple[str, str], Identity]:
        """Identities by tenant and role that a few cases share to make what they need; then others, for quotas."""
        if self._cases % CASES_SHARING == 0:
            self._company = {}
        self._cases += 1
        return self._company

    def forget(self, lost: Identity | None = None) -> None:
        """Known identities log in again when next asked for.

        For one whose credentials are `lost`, not accepted any more, no shared session stands in here from now on: it
        began earlier still, so a login at its limit is waited for.
        """
        self._logged_in.clear()
        if lost is not None:
            self.shared.pop((lost.tenant, lost.name), None)

    def begun(self, stage: Stage) -> Steps[dict[tuple[str, str], Identity]]:
        """A session of each known identity that logs in here, as far as the login lets them without a wait."""
        found = {}
        for entry in self.told.get("known", ()):
            if "login" in entry and entry.get("tenant", stage.tenant) == stage.tenant:
                with contextlib.suppress(CannotTell, UsageError):
                    identity = yield from self._login(stage, self._base(stage, entry), self._account(entry), wait=False)
                    facts = {**identity.facts, CREDENTIALS: GIVEN}
                    found[stage.tenant, entry["name"]] = replace(identity, facts=facts)
        return found

    def _base(self, stage: Stage, entry: Mapping[str, Any]) -> Identity:
        facts = {**entry.get("facts", {}), **({} if "login" in entry else {CREDENTIALS: GIVEN})}
        return Identity(entry["name"], tuple(entry.get("roles", ())), stage.tenant, facts=facts)

    def _account(self, entry: Mapping[str, Any]) -> dict[str, str]:
        return {name: str(filled(value, {}, self.environment)) for name, value in entry["login"].items()}

    def _entered(self, stage: Stage, entry: Mapping[str, Any]) -> Steps[Identity]:
        key = (stage.tenant, entry["name"])
        if key in self._logged_in:
            return self._logged_in[key]
        base = self._base(stage, entry)
        if "login" in entry and key in self.shared:
            try:
                identity = yield from self._login(stage, base, self._account(entry), wait=False)
            except Limited:
                identity = self.shared[key]
        elif "login" in entry:
            identity = yield from self._login(stage, base, self._account(entry))
        elif "token" in entry:
            identity = self.presenting(base, str(filled(entry["token"], {}, self.environment)))
        else:
            headers = filled(dict(entry["headers"]), {}, self.environment)
            identity = self._with_headers(base, tuple(headers.items()))
        self._logged_in[key] = identity
        return identity

    def _registered(self, stage: Stage) -> Steps[Identity]:
        return self.entered(*(yield from self.fresh(stage)))

    def fresh(self, stage: Stage, secrets: tuple[str, ...] = (), asked: Told | None = None) -> Steps[Entry]:
        """A new account, and the answer of its first login: asked for more, with more secrets; `entered` joins them."""
        if lacking := [table for table in ("register", "login") if table not in self.told]:
            raise CannotTell(f"no fresh account can be had; tell how one is made, under identities.{lacking[0]}")
        values = {"name": stage.unique("id"), "password": f"Pw1-{stage.unique('secret')}!", "tenant": stage.tenant}
        made = yield from self._call(stage, "register", values, self.anonymous(stage.tenant))
        login = {**self.told["login"], "body": {**self.told["login"]["body"], **(asked or {})}, "secrets": secrets}
        return (yield from self.first_login(stage, values, made, login))

    def first_login(self, stage: Stage, values: Mapping[str, str], made: Exchange, login: Told) -> Steps[Entry]:
        """The account that a sign-up with these values made, and the answer of its login, as it is told."""
        default, facts = self.told.get("default_role", ""), _facts(self.told["register"], made)
        account = Identity(values["name"], (default,) if default else (), stage.tenant, facts=facts)
        answer = yield from self.call(stage, login, {**facts, **values}, self.anonymous(stage.tenant), "login")
        return account, answer

    def _login(self, stage: Stage, base: Identity, values: Mapping[str, str], *, wait: bool = True) -> Steps[Identity]:
        nobody = self.anonymous(stage.tenant)
        exchange = yield from self.call(stage, self.told["login"], values, nobody, "login", wait=wait)
        return self.entered(base, exchange)

    def entered(self, base: Identity, exchange: Exchange) -> Identity:
        """The identity with the token that an answer of the login holds; raises CannotTell where there is none."""
        token = pointer.get(exchange.response.json() if exchange.response else None, self.told["login"]["token"])
        if not isinstance(token, str):
            raise CannotTell(f"the login answered no token at {self.told['login']['token']}")
        facts = {**base.facts, **_facts(self.told["login"], exchange)}
        return self.presenting(Identity(base.name, base.roles, base.tenant, facts=facts), token)

    def _granted(self, stage: Stage, identity: Identity, role: str) -> Steps[Identity]:
        if "grant" not in self.told:
            return (yield from self.known(stage, role))
        by = yield from self.known(stage, self.told["grant"]["by"])
        yield from self._call(stage, "grant", {**identity.facts, "role": role, "name": identity.name}, by)
        return Identity(identity.name, (role,), identity.tenant, identity.headers, identity.facts)

    def _call(self, stage: Stage, table: str, values: Mapping[str, str], identity: Identity) -> Steps[Exchange]:
        """Sends one of the calls that harness.toml tells."""
        return (yield from self.call(stage, self.told[table], values, identity, table))

    def call(
        self,
        stage: Stage,
        told: Mapping[str, Any],
        values: Mapping[str, str],
        identity: Identity,
        place: str,
        *,
        wait: bool = True,
    ) -> Steps[Exchange]:
        """Sends a call that harness.toml tells at a place; raises CannotTell where the API refuses it.

        Without `wait` a 429 is not waited out: Limited.
        """
        operation = told["operation"]
        if operation not in stage.contract.by_id:
            raise CannotTell(f"identities.{place}.operation is {operation!r}, which the contract does not have")
        request: Request = stage.request(
            operation,
            path=filled(dict(told.get("path", {})), values, self.environment),
            body=filled(dict(told["body"]), values, self.environment) if "body" in told else None,
            identity=identity,
            step=SETUP,
            secret_pointers=(*((told["token"],) if "token" in told else ()), *told.get("secrets", ())),
        )
        if "password" in values:
            stage.secret(values["password"], "password")
        exchange = unlimited((yield from one(request))) if wait else (yield from together((request,)))[0]
        if exchange.status == TOO_MANY_REQUESTS:
            raise Limited(f"{operation} is at its rate limit (429)")
        if exchange.outcome is not Outcome.OK:
            raise CannotTell(f"{operation} answered {exchange.status or exchange.error} in the set-up of an identity")
        return exchange

    def token_of(self, identity: Identity) -> str:
        """The token that an identity presents as `present` tells; empty where it presents none."""
        for name, template in (self.told.get("present") or PRESENT).items():
            before, found, after = template.partition("{token}")
            for header, value in identity.headers:
                if found and header == name and value.startswith(before) and value.endswith(after):
                    return value.removeprefix(before).removesuffix(after)
        return ""

    def presenting(self, base: Identity, token: str) -> Identity:
        """The identity with a token, presented as harness.toml tells."""
        present = self.told.get("present") or PRESENT
        return self._with_headers(base, tuple(filled(dict(present), {"token": token}, self.environment).items()))

    def _with_headers(self, base: Identity, headers: tuple[tuple[str, str], ...]) -> Identity:
        return Identity(base.name, base.roles, base.tenant, (*headers, *self.tenant_headers(base.tenant)), base.facts)


def _facts(told: Mapping[str, Any], exchange: Exchange) -> dict[str, str]:
    body = exchange.response.json() if exchange.response else None
    found = {name: pointer.get(body, place) for name, place in told.get("facts", {}).items()}
    return {name: str(value) for name, value in found.items() if value is not pointer.MISSING}
