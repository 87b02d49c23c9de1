"""Defects of roles: A7a, B1a, B6a, B6b, B6c, G1a."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, UnsetType

from reference_impl.contract.fields import Role  # noqa: TC001 - msgspec reads annotations
from reference_impl.contract.procedure import SELLER, Access, Call, Reply
from reference_impl.defects.defect import EVERY_OPERATION, Defect, changed
from reference_impl.edge.authentication import Authentication
from reference_impl.edge.endpoint import Endpoint
from reference_impl.edge.global_limit import GlobalLimit
from reference_impl.errors import ApiError, unauthorized
from reference_impl.procedures.session_types import Registration
from reference_impl.procedures.user_writes import Account, create_user

if TYPE_CHECKING:
    from typing import Any

    from reference_impl.edge.exchange import Exchange
    from reference_impl.identity.tokens import Identity

_HELD_S = 5.0


class SellersToo(GlobalLimit):
    """A7a: who may sell is exempt like who may all; a seller's answers count nothing down."""

    def _exempt(self, exchange: Exchange) -> bool:
        return exchange.caller is not None and not exchange.caller.roles.isdisjoint({"seller", "admin"})


class RoleRegistration(Registration):
    """An account that may bring its roles."""

    roles: Annotated[list[Role], Meta(min_length=1, max_length=3)] | UnsetType = UNSET


async def register_with_roles(call: Call[RoleRegistration, None]) -> Reply:
    """B1a: take over whatever the body names; who registers with the role admin is one."""
    body = call.body
    password_hash = await call.services.passwords.hash(body.password)
    roles: tuple[Role, ...] = ("user",) if body.roles is UNSET else tuple(body.roles)
    user = await create_user(call.database, Account(body.name, body.email, password_hash, roles))
    return Reply(user, (call.location(f"/users/{user.id}"),))


class HoldingAuthentication(Authentication):
    """B6a: who holds a token is looked up once in five seconds; a new role, or a logout, is heeded after them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._held: dict[tuple[str, str], tuple[Identity | None, float]] = {}

    async def authenticate(self, exchange: Exchange, token: str) -> None:
        """Put the token's holder of a moment ago into the exchange."""
        caller, until_s = self._held.get((exchange.tenant, token), (None, 0.0))
        if caller is not None and time.monotonic() < until_s:
            exchange.caller = caller
            return
        await super().authenticate(exchange, token)
        self._held[exchange.tenant, token] = (exchange.caller, time.monotonic() + _HELD_S)


class Unauthorized(Access):
    """B6c: whoever may not is told to sign in, though he has."""

    def admit(self, caller: Identity | None, *, writes: bool) -> None:
        """Pass who may; UNAUTHORIZED for all others."""
        try:
            super().admit(caller, writes=writes)  # a class with slots is made anew
        except ApiError as error:
            raise unauthorized(error.message) from error


class UnguardedEndpoint(Endpoint):
    """G1a: the second transport counts calls and asks for no role; a buyer makes a category over RPC."""

    async def _admit(self, exchange: Exchange) -> None:
        decision = await self._services.limits.take(exchange.key(), self._rule)
        exchange.response_headers += self._limit_headers(decision)
        if not decision.allowed:
            raise self._refuse(decision)


DEFECTS = (
    Defect(
        id="A7a",
        title="Sellers are exempt from the global limit too",
        codes=("rate-limit.overshoot", "rate-limit.no-headers"),
        operations=EVERY_OPERATION,
        plant=lambda parts: replace(parts, global_limit=SellersToo),
    ),
    Defect(
        id="B1a",
        title="Who registers names their own roles",
        codes=("resource.mass-assignment", "schema.invalid-input-accepted"),
        operations=("auth.register",),
        plant=changed("auth.register", input=RoleRegistration, handler=register_with_roles),
    ),
    Defect(
        id="B6a",
        title="Who holds a token is remembered for seconds: roles and logouts come late",
        codes=("credentials.taken", "roles.role-allowed", "roles.role-refused"),
        operations=EVERY_OPERATION,
        plant=lambda parts: replace(parts, authentication=HoldingAuthentication),
    ),
    Defect(
        id="B6b",
        title="Sellers may give roles",
        codes=("roles.role-allowed",),
        operations=("users.roles",),
        plant=changed("users.roles", access=SELLER),
    ),
    Defect(
        id="B6c",
        title="A role that may not is told 401, not 403",
        codes=("roles.status",),
        operations=("categories.create",),
        plant=changed("categories.create", access=Unauthorized(("admin",))),
    ),
    Defect(
        id="G1a",
        title="Over RPC nobody is asked for a role",
        codes=("roles.role-allowed", "roles.anonymous-allowed"),
        operations=EVERY_OPERATION,
        plant=lambda parts: replace(parts, rpc_endpoint=UnguardedEndpoint),
    ),
)
