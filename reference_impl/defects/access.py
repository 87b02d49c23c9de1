"""Defects of who may: S03, S17, S24, S25, S45."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from reference_impl.contract.procedure import Access, Call, Reply
from reference_impl.defects.defect import EVERY_OPERATION, Defect, changed
from reference_impl.edge.authentication import Authentication
from reference_impl.edge.exchange import of
from reference_impl.edge.global_limit import GlobalLimit, headers, spent
from reference_impl.edge.tenancy import API
from reference_impl.errors import ApiError, not_found
from reference_impl.procedures.product_images import upload_image

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from reference_impl.application import Parts
    from reference_impl.edge.exchange import Exchange
    from reference_impl.procedures.product_images import ImageInput

_ROW = "SELECT id, name, created_at, updated_at, password_hash FROM users WHERE id = ? AND deleted_at IS NULL"


class EarlyLimit(GlobalLimit):
    """S03a: the limit runs before anybody is known, so no admin is exempt."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and of(scope).path.startswith(API):
            exchange = of(scope)
            await self._count(exchange)
            if exchange.refusal is not None:
                raise exchange.refusal
            await self._app(scope, receive, send)
            return
        await super().__call__(scope, receive, send)

    async def _count(self, exchange: Exchange) -> None:
        decision = await self._limits.take(self._key(exchange), self._rule)
        exchange.response_headers += headers(decision)
        if not decision.allowed:
            raise spent(decision)

    def _key(self, exchange: Exchange) -> tuple[str, ...]:
        return exchange.key()


class AddressLimit(EarlyLimit):
    """S03b: the limit runs before anybody is known, so whoever shares an address shares a quota."""

    async def _count(self, exchange: Exchange) -> None:
        if exchange.caller is None or not exchange.caller.admin:
            await super()._count(exchange)

    def _key(self, exchange: Exchange) -> tuple[str, ...]:
        return (exchange.tenant, "address", exchange.address)


def plant_early(parts: Parts) -> Parts:
    """S03a: use the limit that exempts nobody."""
    return replace(parts, global_limit=EarlyLimit)


def plant_address(parts: Parts) -> Parts:
    """S03b: use the limit that knows addresses only."""
    return replace(parts, global_limit=AddressLimit)


async def upload_for_anyone(call: Call[ImageInput, None]) -> Reply:
    """S17: add a picture whosesoever the product is."""
    anyone = replace(call.identity, roles=call.identity.roles | {"admin"})
    return await upload_image(replace(call, caller=anyone))


class ForgivingAuthentication(Authentication):
    """S24a: whoever sends what does not hold is nobody."""

    async def _identify(self, exchange: Exchange) -> None:
        try:
            await super()._identify(exchange)
        except ApiError as error:
            if error.code != "UNAUTHORIZED":
                raise


class SchemelessAuthentication(Authentication):
    """S24b: the token is the header's last word, whatever stands before it."""

    async def _identify(self, exchange: Exchange) -> None:
        header = exchange.headers.get("authorization", "")
        if header.strip() and "x-api-key" not in exchange.headers:
            await self.authenticate(exchange, header.split()[-1])
        else:
            await super()._identify(exchange)


def plant_forgiving(parts: Parts) -> Parts:
    """S24a: use the forgiving authentication."""
    return replace(parts, authentication=ForgivingAuthentication)


def plant_schemeless(parts: Parts) -> Parts:
    """S24b: use the authentication without a scheme."""
    return replace(parts, authentication=SchemelessAuthentication)


class OneRole(Access):
    """S25: compare the whole list of roles with one, where elsewhere it is looked for in the list."""

    def admits(self, roles: frozenset[str]) -> bool:
        """Say whether these are exactly one role that may."""
        return any(roles == {role} for role in self.roles)


class Row(msgspec.Struct, rename="camel"):
    """S45: a row as it stands in the table."""

    id: str
    name: str
    created_at: str
    updated_at: str
    password_hash: str


async def get_row(call: Call[None, None]) -> Reply:
    """S45: answer the whole row."""
    row: Any = await call.database.query_one(_ROW, call.path["id"])
    if row is None:
        raise not_found("user")
    return Reply(Row(*row))


DEFECTS = (
    Defect(
        id="S03a",
        title="The global limit runs before authentication: no admin is exempt",
        codes=("rate-limit.refused-early", "rate-limit.headers-untrue"),
        operations=EVERY_OPERATION,
        plant=plant_early,
    ),
    Defect(
        id="S03b",
        title="The global limit runs before authentication: users behind one address share a quota",
        codes=("rate-limit.shared-key", "rate-limit.refused-early"),
        operations=EVERY_OPERATION,
        plant=plant_address,
    ),
    Defect(
        id="S17",
        title="A stranger adds an image to a product",
        codes=("owner.stranger-allowed", "owner.effect"),
        operations=("products.uploadImage",),
        plant=changed("products.uploadImage", handler=upload_for_anyone),
    ),
    Defect(
        id="S24a",
        title="A token that does not hold means nobody, where nobody may call too",
        codes=("credentials.ignored", "credentials.status"),
        operations=EVERY_OPERATION,
        plant=plant_forgiving,
    ),
    Defect(
        id="S24b",
        title="The scheme before a token is optional",
        codes=("credentials.taken", "credentials.ignored"),
        operations=EVERY_OPERATION,
        plant=plant_schemeless,
    ),
    Defect(
        id="S25",
        title="An admin who has another role besides is refused the statistics",
        codes=("roles.role-refused",),
        operations=("admin.stats",),
        plant=changed("admin.stats", access=OneRole(("admin",))),
    ),
    Defect(
        id="S45",
        title="A user's row is answered whole, with the hash of the password",
        codes=("leaks.secret", "schema.body"),
        operations=("users.get",),
        plant=changed("users.get", handler=get_row),
    ),
)
