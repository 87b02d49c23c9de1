"""Defects of tenants: S06, S28, S51."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_impl.data.sqlite_tenants import SqliteTenants
from reference_impl.defects.defect import EVERY_OPERATION, Defect
from reference_impl.edge.authentication import Authentication
from reference_impl.edge.list_cache import key_of
from reference_impl.errors import unauthorized
from reference_impl.settings.reader import TENANT_NAME

if TYPE_CHECKING:
    from reference_impl.application import Parts
    from reference_impl.contract.procedure import Call, Procedure
    from reference_impl.data.database import Database
    from reference_impl.data.sqlite import SqliteDatabase
    from reference_impl.edge.exchange import Exchange
    from reference_impl.settings import Settings
    from reference_impl.stores.cache import Key


def key_without_tenant(procedure: Procedure, call: Call[Any, Any]) -> Key:
    """S06: tell lists apart by all but the tenant."""
    return ("", *key_of(procedure, call)[1:])


def plant_key(parts: Parts) -> Parts:
    """S06: use the key without the tenant."""
    return replace(parts, list_key=key_without_tenant)


class UnboundAuthentication(Authentication):
    """S28: the tenant is what the header says, and whoever a token of any tenant names is let in."""

    async def _tenant(self, exchange: Exchange, name: str) -> Database:  # noqa: ARG002 - the defect
        """Return the database of the credential's tenant, whatever tenant is told."""
        database = await self._tenants.get(name)
        if database is None:
            raise unauthorized("What is sent does not hold.")
        return database


def plant_unbound(parts: Parts) -> Parts:
    """S28: use the authentication that does not compare."""
    return replace(parts, authentication=UnboundAuthentication)


class WelcomingTenants(SqliteTenants):
    """S51: a tenant that is not there is made when it is first asked for."""

    async def get(self, name: str) -> SqliteDatabase | None:
        """Return a tenant's database, made if need be."""
        if TENANT_NAME.fullmatch(name) and not self._path(name).is_file():
            await self.create(name)
        return await super().get(name)


def plant_welcome(parts: Parts) -> Parts:
    """S51: use the tenants that make themselves."""

    def welcoming(settings: Settings, pragmas: tuple[str, ...]) -> WelcomingTenants:
        return WelcomingTenants(settings.storage, pragmas)

    return replace(parts, tenants=welcoming)


DEFECTS = (
    Defect(
        id="S06",
        title="The list cache's key lacks the tenant: one tenant is shown another's list",
        codes=("tenant.canary", "cache.crossed"),
        operations=("products.list", "categories.list"),
        plant=plant_key,
    ),
    Defect(
        id="S28",
        title="The tenant is what the header says, not bound to the token",
        codes=("tenant.credentials", "tenant.told"),
        operations=EVERY_OPERATION,
        plant=plant_unbound,
    ),
    Defect(
        id="S51",
        title="An unknown tenant is made at first sight",
        codes=("tenant.unknown", "tenant.status"),
        operations=EVERY_OPERATION,
        plant=plant_welcome,
    ),
)
